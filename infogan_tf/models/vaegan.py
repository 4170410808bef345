"""The VAE-GAN: a VAE whose likeness of images is not that of their pixels, but what a discriminator learnt."""

import math
from typing import ClassVar

import keras
import tensorflow as tf

from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.autoencoder import Autoencoder
from infogan_tf.models.base import check_fit
from infogan_tf.networks.layers import batch_statistics
from infogan_tf.objectives.adversarial import nonsaturating_generator_loss
from infogan_tf.objectives.likelihood import gaussian_distance
from infogan_tf.random import fold_in
from infogan_tf.replicas import over_replicas

# D's losses on real and on generated images, in nats, between which both players are updated: as in the authors' code.
EQUILIBRIUM, MARGIN = 0.68, 0.35


@keras.saving.register_keras_serializable(package="infogan_tf")
class VAEGAN(Autoencoder):
    """Trains an encoder and a decoder on a likeness that a discriminator D learns (Larsen et al. 2016).

    Of arXiv:1512.09300, algorithm 1: with z ~ q(z|x), the prior p(z), the trunk's features f of D, and

        L_f = E[||f(x) - f(G(z))||^2] / 2,    L_D = -E[log D(x)] - E[log(1 - D(G))],

    where D sees as many decoded z as drawn ones, each counting half,

        the encoder minimises    KL(q(z|x) || p(z)) + L_f,
        the decoder G            reconstruction_weight L_f - E[log D(G)],
        D                        L_D alone.

    L_f is -log of a normal density of unit variance, in nats, up to a constant. Only L_f reaches the encoder through
    D; all three are updated on one pass. D is not updated in a step in which one part of L_D lies below EQUILIBRIUM -
    MARGIN, nor is the decoder where one lies above EQUILIBRIUM + MARGIN; where both would stand still, neither does.

    `fit` takes images as `GAN` does, and logs the epoch's means of d_loss (L_D), g_loss (-E[log D(G)]), feature_loss
    (L_f), kl, prob_real and prob_fake (D(x) and D(G)), d_updated and g_updated (the share of steps in which D and the
    decoder were updated). `evaluate` gives the same but for the last two, with inference statistics.

    Args:
        layout: A LatentLayout of normal noise, or its text such as "normal_noise:128".
        generator: The decoder: latents [B, layout.width] to images [B, H, W, C] in [0, 1].
        encoder: Images to q(z|x): the means and the logarithms of the variances, [B, 2 noise.size].
        trunk: Images to D's features [B, F].
        d_head: Features to the logit of "real", [B, 1].
        seed: Of every draw of z, an integer.
        name: Of the model.
        **kwargs: As `keras.Model` takes them.
    """

    PLAYERS: ClassVar[dict[str, tuple[str, ...]]] = {
        "g": ("generator",), "e": ("encoder",), "d": ("trunk", "d_head"),
    }  # fmt: skip
    READERS = ("encoder",)

    def __init__(
        self,
        layout: LatentLayout | str,
        generator: keras.Model,
        encoder: keras.Model,
        trunk: keras.Model,
        d_head: keras.Model,
        seed: int = 0,
        name: str = "vaegan",
        **kwargs,
    ):
        networks = {"generator": generator, "encoder": encoder, "trunk": trunk, "d_head": d_head}
        super().__init__(layout, networks, seed=seed, name=name, **kwargs)
        for role, source in (("encoder", generator), ("trunk", generator), ("d_head", trunk)):
            check_fit(role, networks[role], source)

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer,
        e_optimizer: keras.optimizers.Optimizer,
        g_optimizer: keras.optimizers.Optimizer,
        reconstruction_weight: float = 0.01,
        average_decay: float = 0.0,
        **kwargs,
    ):
        """Sets what `fit` needs.

        Args:
            d_optimizer: Updates trunk and D head.
            e_optimizer: Updates the encoder.
            g_optimizer: Updates the decoder.
            reconstruction_weight: What L_f is multiplied by in the decoder's loss, from 0.
            average_decay: Decay per step of the weights' exponential moving averages, in [0, 1), see `averaged`; 0
                keeps none.
            **kwargs: As `keras.Model.compile` takes them (jit_compile, run_eagerly, steps_per_execution).

        Raises:
            ValueError: For a weight below 0 or not finite; and as `GenerativeModel.compile_players`.
        """
        if not 0.0 <= reconstruction_weight < math.inf:
            raise ValueError(f"reconstruction_weight: expected a number from 0. Received: {reconstruction_weight!r}")
        self.reconstruction_weight = reconstruction_weight
        optimizers = {"d": d_optimizer, "e": e_optimizer, "g": g_optimizer}
        self.compile_players(optimizers, average_decay=average_decay, **kwargs)

    def get_compile_config(self):
        """Every argument of `compile`, for `keras.saving`; None before it."""
        return {**self.players_config(), "reconstruction_weight": self.reconstruction_weight} if self.compiled else None

    def logged(self):  # noqa: D102
        return ["d_loss", "g_loss", "feature_loss", "kl", "prob_real", "prob_fake", "d_updated", "g_updated"]

    # === Training ===

    def train_step(self, data):
        """An update of the encoder, and of decoder and D where they are in balance, on one draw of latents."""
        with tf.GradientTape(persistent=True) as tape:
            figures, costs = self._pass(data, self.stream_seed("train", self.step), training=True)
            losses = {
                "e": figures["kl"] + figures["feature_loss"],
                "g": self.reconstruction_weight * figures["feature_loss"] + figures["g_loss"],
                "d": figures["d_loss"],
            }
            totals = {player: self.scaled(player, loss) for player, loss in losses.items()}
        due = dict(zip("dg", in_balance(*over_replicas(*costs.values())), strict=True))
        for player, total in totals.items():
            self.update(player, tape, total, due.get(player))
        self.log(figures | {f"{player}_updated": tf.cast(each, tf.float32) for player, each in due.items()})
        return self.end_step()

    def test_step(self, data):
        """The train step's figures with inference statistics; nothing is updated."""
        figures, _ = self._pass(data, self.evaluation_seed(), training=False)
        return self.end_test_step(figures)

    def _pass(self, data, seed, training):
        """What is logged of a batch, by name, and the two parts of L_D, of real images and of generated ones."""
        real = self.real_of(data)
        decoded, kl = self.draw_posterior(real, seed, training)
        drawn = self.draw(tf.shape(real.images)[0], fold_in(seed, 1))
        generated = self.generator(tf.concat([decoded, drawn], axis=0), training=training)
        # One pass of all through D; batch norm's statistics are of each kind alone.
        with batch_statistics(parts=3):
            features = self.trunk(tf.concat([real.images, generated], axis=0), training=training)
            real_logits, *logits = tf.split(self.d_head(features, training=training), 3)
        fake_logits = tf.concat(logits, axis=0)
        of_real, of_decoded, _ = tf.split(features, 3)
        costs = {
            "real": tf.reduce_mean(tf.nn.softplus(-real_logits)),
            "fake": tf.reduce_mean(tf.nn.softplus(fake_logits)),
        }
        figures = {
            "d_loss": costs["real"] + costs["fake"],
            "g_loss": nonsaturating_generator_loss(fake_logits),
            "feature_loss": tf.reduce_mean(gaussian_distance(of_real, of_decoded)),
            "kl": tf.reduce_mean(kl),
            "prob_real": tf.reduce_mean(tf.sigmoid(real_logits)),
            "prob_fake": tf.reduce_mean(tf.sigmoid(fake_logits)),
        }
        return figures, costs


def in_balance(real_cost: tf.Tensor, fake_cost: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether D, and whether the decoder is to be updated, by D's losses on real and on generated images, in nats."""
    d_is_ahead = tf.minimum(real_cost, fake_cost) < EQUILIBRIUM - MARGIN
    d_is_behind = tf.maximum(real_cost, fake_cost) > EQUILIBRIUM + MARGIN
    return ~d_is_ahead | d_is_behind, ~d_is_behind | d_is_ahead
