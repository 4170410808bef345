"""The conditional GAN: both players are told the label of an image."""

from typing import ClassVar

import keras
import tensorflow as tf

from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.gan import GAN
from infogan_tf.objectives.term import Real


@keras.saving.register_keras_serializable(package="infogan_tf")
class ConditionalGAN(GAN):
    """Trains a generator that draws the label that it is asked for (Mirza & Osindero 2014, arXiv:1411.1784).

        min_G max_D  E_x,y[log D(x, y)] + E_z,y[log(1 - D(G(z, y), y))]

    The label is a part of the latents. D is told it by the projection of Miyato & Koyama 2018 (arXiv:1802.05637,
    equation 3): where f(x) are the trunk's features and v(y) is the label's vector, D's logit is head(f(x)) + v(y)
    f(x). Each real image is shown beside a generated one of its own label, so that how frequent a label is tells D
    nothing.

    `fit` takes images with labels, integers from 0; it and `evaluate` are those of `GAN` else, and log the same.

    Args:
        layout: A LatentLayout with one label, or its text such as "noise:62,label:10".
        generator: Latents [B, layout.width] to images [B, H, W, C] in [0, 1].
        trunk: Images to features [B, F].
        d_head: Features to the logit of "real", [B, 1].
        label_embedding: One-hot labels [B, K] to their vectors [B, F].
        seed: Of every draw of latents, an integer.
        name: Of the model.
        **kwargs: As `keras.Model` takes them.
    """

    PLAYERS: ClassVar[dict[str, tuple[str, ...]]] = {"g": ("generator",), "d": ("trunk", "d_head", "label_embedding")}
    TOLD = "label"

    def __init__(
        self,
        layout: LatentLayout | str,
        generator: keras.Model,
        trunk: keras.Model,
        d_head: keras.Model,
        label_embedding: keras.Model,
        seed: int = 0,
        name: str = "conditional_gan",
        **kwargs,
    ):
        super().__init__(
            layout, generator, trunk, d_head, label_embedding=label_embedding, seed=seed, name=name, **kwargs
        )
        wanted = (self.layout.told.width, trunk.output_shape[-1])
        received = (label_embedding.input_shape[-1], label_embedding.output_shape[-1])
        if received != wanted:
            raise ValueError(f"label_embedding: expected [B, {wanted[0]}] to [B, {wanted[1]}]. Received: {received}")

    def latents_for(self, real, seed):  # noqa: D102
        noise, _ = self.layout.split(super().latents_for(real, seed))
        return tf.concat([noise, self.conditions_for(real, seed)], axis=-1)

    def conditions_for(self, real: Real, seed: tf.Tensor) -> tf.Tensor:
        """What is asked of the generator beside each real image, [B, N]: what is known of that."""
        return real.conditions

    def conditions_of(self, latents):  # noqa: D102
        return self.layout.split(latents)[1][self.layout.told.name]

    def logits(self, features, conditions, training):  # noqa: D102
        vectors = self.label_embedding(conditions, training=training)
        inner = tf.reduce_sum(vectors * tf.cast(features, vectors.dtype), axis=-1, keepdims=True)
        return super().logits(features, conditions, training) + inner
