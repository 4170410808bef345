"""The variational autoencoder: an encoder and a decoder, trained on a bound of the images' log-likelihood."""

from typing import ClassVar

import keras
import tensorflow as tf

from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.autoencoder import Autoencoder


@keras.saving.register_keras_serializable(package="infogan_tf")
class VAE(Autoencoder):
    """Trains a decoder of noise z, and an encoder that finds an image's z (Kingma & Welling 2014, arXiv:1312.6114).

        max  ELBO = E_{z ~ q(z|x)}[log p(x|z)] - KL(q(z|x) || p(z))  <=  log p(x)

    in nats, with p(z) standard normal, q(z|x) normal with a mean and a standard deviation for each column of z, and
    each pixel a probability: log p(x|z) = sum x log G(z) + (1 - x) log(1 - G(z)). One z is drawn for each image of a
    step. The decoder is the generator; trunk and Q head are the encoder. Calling the model decodes latents.

    `fit` takes images as `GAN` does, and logs the epoch's means of elbo, reconstruction (its first part) and kl (its
    second). `evaluate` gives the same with inference statistics.

    Args:
        layout: A LatentLayout of normal noise, or its text such as "normal_noise:20".
        generator: Latents [B, layout.width] to images [B, H, W, C] in [0, 1].
        trunk: Images to features [B, F].
        q_head: Features to q(z|x): the means and the logarithms of the variances, [B, 2 noise.size].
        seed: Of every draw of z, an integer.
        name: Of the model.
        **kwargs: As `keras.Model` takes them.
    """

    PLAYERS: ClassVar[dict[str, tuple[str, ...]]] = {"g": ("generator", "trunk", "q_head")}
    READERS = ("trunk", "q_head")

    def __init__(
        self,
        layout: LatentLayout | str,
        generator: keras.Model,
        trunk: keras.Model,
        q_head: keras.Model,
        seed: int = 0,
        name: str = "vae",
        **kwargs,
    ):
        networks = {"generator": generator, "trunk": trunk, "q_head": q_head}
        super().__init__(layout, networks, seed=seed, name=name, **kwargs)

    def compile(self, g_optimizer: keras.optimizers.Optimizer, average_decay: float = 0.0, **kwargs):
        """Sets what `fit` needs.

        Args:
            g_optimizer: Updates encoder and decoder.
            average_decay: Decay per step of the weights' exponential moving averages, in [0, 1), see `averaged`; 0
                keeps none.
            **kwargs: As `keras.Model.compile` takes them (jit_compile, run_eagerly, steps_per_execution).

        Raises:
            ValueError: As `GenerativeModel.compile_players`.
        """
        self.compile_players({"g": g_optimizer}, average_decay=average_decay, **kwargs)

    def get_compile_config(self):
        """Every argument of `compile`, for `keras.saving`; None before it."""
        return self.players_config() if self.compiled else None

    def logged(self):  # noqa: D102
        return ["elbo", "reconstruction", "kl"]

    # === Training ===

    def train_step(self, data):
        """One update of encoder and decoder, on one draw of z for each image."""
        with tf.GradientTape() as tape:
            figures = self._bound(data, self.stream_seed("train", self.step), training=True)
            total = self.scaled("g", -figures["elbo"])
        self.update("g", tape, total)
        self.log(figures)
        return self.end_step()

    def test_step(self, data):
        """The train step's figures with inference statistics; nothing is updated."""
        return self.end_test_step(self._bound(data, self.evaluation_seed(), training=False))

    def _bound(self, data, seed, training):
        """The ELBO and its two parts, means over the images."""
        reconstruction, kl = map(tf.reduce_mean, self.bounds(data, seed, training))
        return {"elbo": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}


@keras.saving.register_keras_serializable(package="infogan_tf")
class ConditionalVAE(VAE):
    """A VAE whose decoder is told the label of an image (Kingma et al. 2014, arXiv:1406.5298; Sohn et al. 2015).

        max  E_{z ~ q(z|x)}[log p(x|z, y)] - KL(q(z|x) || p(z))  <=  log p(x|y)

    z is left with what the label does not say, such as style. The encoder is not told the label, so that it reads
    images without one; the bound holds for any q.

    `fit` takes images with labels, integers from 0. The layout has one label, as in "normal_noise:20,label:10"; all
    else is as in `VAE`.
    """

    TOLD = "label"
