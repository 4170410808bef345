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
    nats), prob_real and prob_fake, the means of D(x) and D(G(z)).

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
        given = self.real_of(data)
        real_images, (labelled_images, labels) = given.images, given.labelled
        latents = self.draw(tf.shape(real_images)[0], self.stream_seed("train", self.step))
        with tf.GradientTape() as g_tape:
            fake_images = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            images = tf.concat([labelled_images, real_images, tf.stop_gradient(fake_images)], axis=0)
            # Batch norm's statistics, where there is any, and noise are of each kind of images alone.
            with batch_statistics(parts=3):
                logits = self.q_head(self.trunk(images, training=True), training=True)
            labelled, real, fake = tf.split(logits, 3)
            losses = semi_supervised_losses(labelled, labels, real, fake)
            total = self.scaled("d", losses["labelled_loss"] + losses["unlabelled_loss"])
        self.update("d", tape, total)
        with g_tape, keras.StatelessScope(), batch_statistics(parts=2):
            features = self.trunk(tf.concat([real_images, fake_images], axis=0), training=True)
            real_features, fake_features = tf.split(features, 2)
            g_loss = mean_distance(real_features, fake_features) / tf.cast(tf.shape(features)[1], tf.float32)
            g_total = self.scaled("g", g_loss)
        self.update("g", g_tape, g_total)
        figures = {"g_loss": g_loss, "labelled_loss": losses["labelled_loss"]}
        figures["d_loss"] = losses["labelled_loss"] + losses["unlabelled_loss"]
        for name, its_logits in (("prob_real", real), ("prob_fake", fake)):
            figures[name] = tf.reduce_mean(tf.sigmoid(tf.reduce_logsumexp(its_logits, axis=-1)))
        self.log(figures)
        return self.end_step()


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
