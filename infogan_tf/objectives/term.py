"""What a term of the losses is to the train step."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import ClassVar

import keras
import tensorflow as tf

from infogan_tf.objectives import name_of


@dataclasses.dataclass(frozen=True)
class Real:
    """What a step is given of real images.

    Attributes:
        images: float32 [B, H, W, C] in [0, 1].
        conditions: What is known of them to a conditional model, float32 [B, N], see `Code.known`; None without.
        labelled: Images [L, H, W, C], likewise, and their classes, int64 [L], where training has some of a known class;
            None without.
    """

    images: tf.Tensor
    conditions: tf.Tensor | None = None
    labelled: tuple[tf.Tensor, tf.Tensor] | None = None

    def expect_labelled(self) -> tuple[tf.Tensor, tf.Tensor]:
        """`labelled`, for what cannot do without.

        Raises:
            ValueError: Where there are none.
        """
        if self.labelled is None:
            raise ValueError(
                "labels: expected, in their place, a pair of further images and their labels, as "
                "tf.data.Dataset.zip((images, pairs)) gives them. Received no pair"
            )
        return self.labelled

    def map(self, function: Callable[[tf.Tensor], tf.Tensor]) -> "Real":
        """The same of what the function makes of each tensor."""
        conditions = None if self.conditions is None else function(self.conditions)
        labelled = None if self.labelled is None else tuple(map(function, self.labelled))
        return Real(function(self.images), conditions, labelled)


@dataclasses.dataclass(frozen=True)
class Batch:
    """What D has seen in this pass.

    Attributes:
        real: The real images, and what is known of them.
        fake_images: The generator's, float32 [B, H, W, C] in [0, 1].
        latents: Of the fake images, [B, layout.width].
        real_features: The trunk's, [B, F]; None in the generator's pass.
        fake_features: The trunk's, [B, F].
        seed: Of this pass's random draws, int32 [2].
        shown_real: The real images as D was shown them, float32 [B, H, W, C]; None in the generator's pass.
        shown_fake: The fake images likewise.
    """

    real: Real
    fake_images: tf.Tensor
    latents: tf.Tensor
    real_features: tf.Tensor | None
    fake_features: tf.Tensor
    seed: tf.Tensor
    shown_real: tf.Tensor | None
    shown_fake: tf.Tensor


class Term(keras.layers.Layer):
    """A term of what D (with Q) minimises, of what the generator minimises, or a change of what D is shown.

    A subclass overrides what it changes, and says what it logs and what a guard may tell from it. It is a layer so that
    what it learns or remembers is saved with the model.

    Args:
        weight: What its terms are multiplied by.
    """

    # The networks, by role, that a model needs to have it.
    NEEDS: ClassVar[tuple[str, ...]] = ()
    # The player whose optimizer updates what it learns.
    PLAYER: ClassVar[str] = "d"

    def __init__(self, weight: float, **kwargs):
        # Keras's own names count layers, and would differ between a run and its resumption.
        name = name_of(type(self).__name__)
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
    def has(cls, player: str) -> bool:
        """Whether it adds to the loss of the player, "d" or "g"."""
        return getattr(cls, f"{player}_term") is not getattr(Term, f"{player}_term")

    def added(self, player: str, model: keras.Model, batch: Batch) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """What it adds to the loss of a player for whom it `has` a term; and what is logged of it, by name."""
        term = getattr(self, f"{player}_term")(model, batch)
        return self.weight * term, {f"{player}_{self.name}": term}

    def logged(self) -> tuple[str, ...]:
        """The names of all that `added` logs; called once it was prepared."""
        return tuple(f"{player}_{self.name}" for player in "dg" if self.has(player))

    def evaluated(self, model: keras.Model, latents: tf.Tensor, fake_features: tf.Tensor) -> dict[str, tf.Tensor]:
        """What is logged of it in an evaluation, by name: scalars, with inference statistics."""
        return {}

    def warning(self, logs: Mapping[str, float], step: int) -> str:
        """What has gone wrong with it, in a sentence, by the figures of an epoch that ended at `step`; else empty."""
        return ""

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        return {**super().get_config(), "weight": self.weight}
