"""What a regulariser is to the train step."""

import dataclasses
import re

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Batch:
    """What D has seen in this pass.

    Attributes:
        real_images, fake_images: float32 [B, H, W, C] in [0, 1].
        latents: [B, layout.width], of the fake images.
        real_features, fake_features: of the trunk, [B, F]; the real ones are None in the generator's pass.
        seed: int32 [2], of this pass's random draws.
    """

    real_images: tf.Tensor
    fake_images: tf.Tensor
    latents: tf.Tensor
    real_features: tf.Tensor | None
    fake_features: tf.Tensor
    seed: tf.Tensor


class Regularizer(keras.layers.Layer):
    """A term of what D and Q minimise, of what the generator minimises, or a change of what D is shown.

    A subclass overrides what it changes. It is a layer so that what it learns or remembers is saved with the model; one
    that XLA cannot compile sets `supports_jit` to False.

    Args:
        weight: what its terms are multiplied by.
    """

    def __init__(self, weight: float, **kwargs):
        # Keras's own names count layers, and would differ between a run and its resumption.
        name = re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()
        super().__init__(**{"name": name, "dtype": "float32", **kwargs})
        self.weight = weight

    def prepare(self, model: keras.Model) -> None:
        """Makes the variables that it needs for `model`; called once, when that is compiled."""

    def show(self, model: keras.Model, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """What D is shown of `images` [B, H, W, C] in training."""
        return images

    def d_term(self, model: keras.Model, batch: Batch) -> tf.Tensor:
        """What D and Q minimise besides: a scalar, before the weight."""
        raise NotImplementedError

    def g_term(self, model: keras.Model, batch: Batch) -> tf.Tensor:
        """What the generator minimises besides: a scalar, before the weight."""
        raise NotImplementedError

    @classmethod
    def has(cls, term: str) -> bool:
        """Whether it has its own "d_term" or "g_term"."""
        return getattr(cls, term) is not getattr(Regularizer, term)

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        return {**super().get_config(), "weight": self.weight}
