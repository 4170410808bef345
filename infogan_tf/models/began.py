"""BEGAN: a discriminator that is an autoencoder, and a balance that is kept between it and the generator."""

import math
from typing import ClassVar

import keras
import tensorflow as tf

from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.base import GenerativeModel, check_fit
from infogan_tf.networks.layers import batch_statistics
from infogan_tf.replicas import over_replicas


@keras.saving.register_keras_serializable(package="infogan_tf")
class BEGAN(GenerativeModel):
    """Trains a generator whose images an autoencoder D renders as badly as real ones (Berthelot et al. 2017).

    Of arXiv:1703.10717, section 3.4: with L(v) the mean of |v - D(v)| over pixels, all in [0, 1],

        D minimises    L(x) - k L(G(z)),
        G              L(G(z)),
        k              moves by lambda_k (gamma L(x) - L(G(z))) in each step, from 0, and stays within [0, 1].

    So L(G(z)) is held at gamma L(x). How far a run has come is told by the measure M = L(x) + |gamma L(x) - L(G(z))|,
    lower is better. Both players are updated on one pass.

    `fit` takes images as `GAN` does, and logs the epoch's means of d_loss, g_loss (L(G(z))), real_loss (L(x)),
    convergence (M) and k, as the step had it. `evaluate` gives the same with inference statistics.

    Args:
        layout: A LatentLayout without codes, or its text such as "noise:64".
        generator: Latents [B, layout.width] to images [B, H, W, C] in [0, 1].
        encoder: D's first part: images to [B, N].
        decoder: D's second part: [B, N] to images.
        seed: Of every draw of latents, an integer.
        name: Of the model.
        **kwargs: As `keras.Model` takes them.
    """

    PLAYERS: ClassVar[dict[str, tuple[str, ...]]] = {"g": ("generator",), "d": ("encoder", "decoder")}

    def __init__(
        self,
        layout: LatentLayout | str,
        generator: keras.Model,
        encoder: keras.Model,
        decoder: keras.Model,
        seed: int = 0,
        name: str = "began",
        **kwargs,
    ):
        networks = {"generator": generator, "encoder": encoder, "decoder": decoder}
        super().__init__(layout, networks, seed=seed, name=name, **kwargs)
        check_fit("encoder", encoder, generator)
        check_fit("decoder", decoder, encoder)
        check_fit("encoder", encoder, decoder)
        self.k = self.add_weight(name="k", shape=(), dtype="float32", initializer="zeros", trainable=False)

    @classmethod
    def num_parameters(cls, layout):
        """As many numbers as the generator is given, so that decoder and generator are alike."""
        return layout.width

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer,
        g_optimizer: keras.optimizers.Optimizer,
        gamma: float = 0.5,
        lambda_k: float = 0.001,
        average_decay: float = 0.0,
        **kwargs,
    ):
        """Sets what `fit` needs.

        Args:
            d_optimizer: Updates encoder and decoder.
            g_optimizer: Updates the generator.
            gamma: The ratio of L(G(z)) to L(x) that is held, in [0, 1]: lower draws clearer images, and fewer kinds.
            lambda_k: How fast k moves, from 0.
            average_decay: Decay per step of the weights' exponential moving averages, in [0, 1), see `averaged`; 0
                keeps none.
            **kwargs: As `keras.Model.compile` takes them (jit_compile, run_eagerly, steps_per_execution).

        Raises:
            ValueError: For another gamma or lambda_k; and as `GenerativeModel.compile_players`.
        """
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"gamma: expected a number from 0 to 1. Received: {gamma!r}")
        if not 0.0 <= lambda_k < math.inf:
            raise ValueError(f"lambda_k: expected a number from 0. Received: {lambda_k!r}")
        self.balancing = {"gamma": gamma, "lambda_k": lambda_k}
        self.compile_players({"d": d_optimizer, "g": g_optimizer}, average_decay=average_decay, **kwargs)

    def get_compile_config(self):
        """Every argument of `compile`, for `keras.saving`; None before it."""
        return {**self.players_config(), **self.balancing} if self.compiled else None

    def logged(self):  # noqa: D102
        return ["d_loss", "g_loss", "real_loss", "convergence", "k"]

    # === Training ===

    def train_step(self, data):
        """An update of D and one of the generator, then one of k, on one draw of latents."""
        with tf.GradientTape(persistent=True) as tape:
            losses = self._pass(data, self.stream_seed("train", self.step), training=True)
            totals = {player: self.scaled(player, losses[f"{player}_loss"]) for player in self.PLAYERS}
        for player, total in totals.items():
            self.update(player, tape, total)
        figures = self._measured(losses)
        self.log(figures)
        moved = figures["k"] + self.balancing["lambda_k"] * self._balance(figures)
        self.k.assign(tf.clip_by_value(moved, 0.0, 1.0))
        return self.end_step()

    def test_step(self, data):
        """The train step's figures with inference statistics; nothing is updated."""
        return self.end_test_step(self._measured(self._pass(data, self.evaluation_seed(), training=False)))

    def _pass(self, data, seed, training):
        """What both players minimise, and L(x), by name."""
        real_images = self.real_of(data).images
        fake_images = self.generator(self.draw(tf.shape(real_images)[0], seed), training=training)
        images = tf.concat([real_images, fake_images], axis=0)
        with batch_statistics(parts=2):
            decoded = self.decoder(self.encoder(images, training=training), training=training)
        real, fake = map(tf.reduce_mean, tf.split(tf.abs(images - decoded), 2))
        return {"d_loss": real - self.k * fake, "g_loss": fake, "real_loss": real}

    def _measured(self, losses):
        """The losses over all replicas, the measure of convergence, and k."""
        figures = dict(zip(losses, over_replicas(*losses.values()), strict=True))
        convergence = figures["real_loss"] + tf.abs(self._balance(figures))
        return figures | {"convergence": convergence, "k": tf.convert_to_tensor(self.k)}

    def _balance(self, figures):
        """gamma L(x) - L(G(z)): above 0 where D renders generated images better than it is to."""
        return self.balancing["gamma"] * figures["real_loss"] - figures["g_loss"]

    # === Using ===

    def describe(self, images):
        """What D's encoder says of images [B, H, W, C] in [0, 1], [B, N], with inference statistics."""
        return self.encoder(images, training=False)
