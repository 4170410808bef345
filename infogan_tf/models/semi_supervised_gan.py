"""The semi-supervised GAN: a classifier of few labelled images, many without a label, and generated ones."""

from typing import ClassVar

import keras
import tensorflow as tf

from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.base import GenerativeModel
from infogan_tf.networks.layers import batch_statistics
from infogan_tf.objectives.matching import mean_distance


@keras.saving.register_keras_serializable(package="infogan_tf")
class SemiSupervisedGAN(GenerativeModel):
    """Trains a classifier of K classes, for which what is generated is one class more (Salimans et al. 2016).

    Of arXiv:1606.03498, section 5: with the logits l(x) of the K classes and 0 for that of the generated images, Z(x) =
    sum_k exp l_k(x) and D(x) = Z(x) / (Z(x) + 1), trunk and Q head minimise

        E_labelled[-log p(y|x)]  -  (E_x[log D(x)] + E_z[log(1 - D(G(z)))]) / 2

    with p(y|x) = softmax l(x), and the generator the distance ||E f(x) - E f(G(z))||^2, the mean over the trunk's
    features f (section 3.1).

    `fit` takes batches of images with, in place of labels, a pair of as many further images and their labels, as
    `tf.data.Dataset.zip((images, pairs))` gives them. It logs d_loss, g_loss, labelled_loss (the first part of d_loss,
    nats), prob_real and prob_fake, the means of D(x) and D(G(z)). `evaluate` takes the same, and gives the same figures
    with inference statistics.

    Args:
        layout: A LatentLayout of noise and a class, or its text such as "noise:100,class:10".
        generator: Latents [B, layout.width] to images [B, H, W, C] in [0, 1].
        trunk: Images to features [B, F].
        q_head: Features to the logits of the classes, [B, K].
        seed: Of every draw of latents, an integer.
        name: Of the model.
        **kwargs: As `keras.Model` takes them.
    """

    PLAYERS: ClassVar[dict[str, tuple[str, ...]]] = {"g": ("generator",), "d": ("trunk", "q_head")}
    READERS = ("trunk", "q_head")
    READS = "classes"

    def __init__(
        self,
        layout: LatentLayout | str,
        generator: keras.Model,
        trunk: keras.Model,
        q_head: keras.Model,
        seed: int = 0,
        name: str = "semi_supervised_gan",
        **kwargs,
    ):
        super().__init__(
            layout, {"generator": generator, "trunk": trunk, "q_head": q_head}, seed=seed, name=name, **kwargs
        )

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer,
        g_optimizer: keras.optimizers.Optimizer,
        labelled: int = 100,
        average_decay: float = 0.0,
        **kwargs,
    ):
        """Sets what `fit` needs.

        Args:
            d_optimizer: Updates trunk and Q head.
            g_optimizer: Updates the generator.
            labelled: How many images have a known label, from 1.
            average_decay: Decay per step of the weights' exponential moving averages, in [0, 1), see `averaged`; 0
                keeps none.
            **kwargs: As `keras.Model.compile` takes them (jit_compile, run_eagerly, steps_per_execution).

        Raises:
            ValueError: As `GenerativeModel.compile_players`.
        """
        self.labelled = labelled
        self.compile_players({"d": d_optimizer, "g": g_optimizer}, average_decay=average_decay, **kwargs)

    def get_compile_config(self):
        """Every argument of `compile`, for `keras.saving`; None before it."""
        return {**self.players_config(), "labelled": self.labelled} if self.compiled else None

    def logged(self):  # noqa: D102
        return ["d_loss", "g_loss", "labelled_loss", "prob_real", "prob_fake"]

    # === Training ===

    def train_step(self, data):
        """An update of the classifier, then one of the generator, on one draw of latents."""
        real = self.real_of(data)
        latents = self.draw(tf.shape(real.images)[0], self.stream_seed("train", self.step))
        with tf.GradientTape() as g_tape:
            fake_images = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            figures = self._classified(real, tf.stop_gradient(fake_images), training=True)
            total = self.scaled("d", figures["d_loss"])
        self.update("d", tape, total)
        with g_tape, keras.StatelessScope():
            g_loss = self._distance(real, fake_images, training=True)
            g_total = self.scaled("g", g_loss)
        self.update("g", g_tape, g_total)
        self.log({"g_loss": g_loss, **figures})
        return self.end_step()

    def test_step(self, data):
        """The train step's figures with inference statistics, on fresh latents; nothing is updated."""
        real = self.real_of(data)
        fake_images = self.generator(self.draw(tf.shape(real.images)[0], self.evaluation_seed()), training=False)
        g_loss = self._distance(real, fake_images, training=False)
        return self.end_test_step({"g_loss": g_loss, **self._classified(real, fake_images, training=False)})

    def _classified(self, real, fake_images, training):
        """What the classifier minimises, its first part, and the means of D's output, by name."""
        labelled_images, labels = real.expect_labelled()
        images = tf.concat([labelled_images, real.images, fake_images], axis=0)
        # Batch norm's statistics, where there is any, and noise are of each kind of images alone.
        with batch_statistics(parts=3):
            logits = self.q_head(self.trunk(images, training=training), training=training)
        of_labelled, of_real, of_fake = tf.split(logits, 3)
        losses = semi_supervised_losses(of_labelled, labels, of_real, of_fake)
        return {
            "labelled_loss": losses["labelled_loss"],
            "d_loss": losses["labelled_loss"] + losses["unlabelled_loss"],
            "prob_real": _mean_probability(of_real),
            "prob_fake": _mean_probability(of_fake),
        }

    def _distance(self, real, fake_images, training):
        """What the generator minimises: the squared distance of mean features, the mean over these."""
        with batch_statistics(parts=2):
            features = self.trunk(tf.concat([real.images, fake_images], axis=0), training=training)
        return mean_distance(*tf.split(features, 2)) / tf.cast(tf.shape(features)[1], tf.float32)


def _mean_probability(logits):
    """The mean of D(x), of the classes' logits [B, K]."""
    return tf.reduce_mean(tf.sigmoid(tf.reduce_logsumexp(logits, axis=-1)))


def semi_supervised_losses(
    labelled: tf.Tensor, labels: tf.Tensor, real: tf.Tensor, fake: tf.Tensor
) -> dict[str, tf.Tensor]:
    """The two parts of what the classifier minimises, scalars in nats, as in the authors' code.

    Args:
        labelled: Logits of labelled images, [L, K].
        labels: Theirs, integers [L].
        real: Logits of images without a label, [B, K].
        fake: Logits of generated images, [B, K].

    Returns:
        "labelled_loss": E[-log p(y|x)];
        "unlabelled_loss": -(E[log D(x)] + E[log(1 - D(G(z)))]) / 2, with log D = log Z - softplus(log Z).
    """
    real, fake = (tf.reduce_logsumexp(logits, axis=-1) for logits in (real, fake))
    return {
        "labelled_loss": tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=labelled)),
        "unlabelled_loss": 0.5 * tf.reduce_mean(tf.nn.softplus(real) - real)
        + 0.5 * tf.reduce_mean(tf.nn.softplus(fake)),
    }
