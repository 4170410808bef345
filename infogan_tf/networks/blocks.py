"""What the convolutional families have in common: their layers, heads, and how many times an image is halved."""

import dataclasses
from collections.abc import Sequence

import keras
from keras import layers

from infogan_tf.errors import UserError
from infogan_tf.networks.layers import BatchNormReLU, VirtualBatchNormReLU
from infogan_tf.networks.spectral_norm import SpectralConv2D, SpectralDense

# D's rectifiers for negative inputs.
LEAK = 0.1


@dataclasses.dataclass(frozen=True)
class Maker:
    """Makes layers that share a dtype policy and a way to normalise.

    Weights are normal, of standard deviation 0.02 (truncated in convolutions), unless `kernel_initializer` is given. A
    layer that batch norm follows wants no bias, which would only duplicate beta.

    Attributes:
        dtype: A Keras dtype policy; None is the global one.
        sync_batch_norm: Whether batch norm takes its statistics over all replicas of a `tf.distribute` strategy.
        spectral_norm: Whether the layers that are D's have spectral normalisation.
    """

    dtype: str | keras.DTypePolicy | None = None
    sync_batch_norm: bool = True
    spectral_norm: bool = False

    def dense(self, units: int, name: str, of_d: bool = False, **kwargs) -> layers.Dense:
        """A dense layer."""
        kind = SpectralDense if of_d and self.spectral_norm else layers.Dense
        return self._made(kind, units, name=name, initializer=keras.initializers.RandomNormal, **kwargs)

    def convolution(self, filters: int, name: str, of_d: bool = False, **kwargs) -> layers.Conv2D:
        """A convolution, 4x4 with stride 2, which halves height and width, rounding up, unless told otherwise."""
        kind = SpectralConv2D if of_d and self.spectral_norm else layers.Conv2D
        return self._convolution(kind, filters, name, **kwargs)

    def transposed(self, filters: int, name: str, **kwargs) -> layers.Conv2DTranspose:
        """A transposed convolution, 4x4 with stride 2, which doubles height and width, unless told otherwise."""
        return self._convolution(layers.Conv2DTranspose, filters, name, **kwargs)

    def batch_norm(self, name: str, leak: float = 0.0, reference_rows: int = 0) -> BatchNormReLU:
        """Batch norm and a rectifier, its slope `leak` for negative inputs; virtual with a reference batch's rows."""
        kind, more = (VirtualBatchNormReLU, {"rows": reference_rows}) if reference_rows else (BatchNormReLU, {})
        return kind(
            leak, synchronized=self.sync_batch_norm, dtype=self.dtype, name=name, momentum=0.9, epsilon=1e-5, **more
        )

    def images(self, small: tuple[int, int], image_shape: tuple[int, int, int]) -> list[layers.Layer]:
        """What ends a generator: the sigmoid, in float32, of what lies in the middle of its output of that size."""
        over = [have - want for have, want in zip(small, image_shape, strict=False)]
        crop = [(each // 2, each - each // 2) for each in over]
        cropping = [layers.Cropping2D(crop, dtype=self.dtype, name="crop")] if any(over) else []
        return [*cropping, layers.Activation("sigmoid", dtype="float32", name="images")]

    def d_head(self, features: tuple[int], before: Sequence[layers.Layer] = ()) -> keras.Sequential:
        """One layer, after others if there are any."""
        logit = self.dense(1, "logit", of_d=True, dtype="float32")
        return keras.Sequential([keras.Input(features, name="features"), *before, logit], name="d_head")

    def q_head(self, features: tuple[int], num_parameters: int, units: int = 128) -> keras.Sequential:
        """The paper's: a hidden layer with batch norm, and one for the parameters of Q(c|x).

        With no hidden units Q is one layer, which has spectral norm where D has it, as in InfoGAN-CR.
        """
        hidden = [self.dense(units, "fc", use_bias=False), self.batch_norm("fc_bn", LEAK)] if units else []
        parameters = self.dense(num_parameters, "parameters", of_d=not units, dtype="float32")
        return keras.Sequential([keras.Input(features, name="features"), *hidden, parameters], name="q_head")

    def label_embedding(self, num_labels: int, features: tuple[int]) -> keras.Sequential:
        """A vector of the features' size for each label: one layer of its one-hot columns, without a bias."""
        vector = self.dense(features[0], "vector", of_d=True, use_bias=False, dtype="float32")
        return keras.Sequential([keras.Input((num_labels,), name="labels"), vector], name="label_embedding")

    def _convolution(self, kind, filters, name, size=4, strides=2, **kwargs):
        initializer = keras.initializers.TruncatedNormal
        return self._made(kind, filters, size, strides, "same", name=name, initializer=initializer, **kwargs)

    def _made(self, kind, *args, initializer, **kwargs):
        if "kernel_initializer" not in kwargs:
            kwargs["kernel_initializer"] = initializer(stddev=0.02)
        return kind(*args, **{"dtype": self.dtype, **kwargs})


def check_sides(image_shape: tuple[int, int, int]) -> None:
    """Raises a UserError where height or width is not a positive multiple of 4, or channels are missing."""
    if len(image_shape) != 3:
        raise UserError(f"image_shape: expected height, width and channels. Received: {image_shape}")
    if any(side % 4 or side < 4 for side in image_shape[:2]):
        raise UserError(f"image height and width are multiples of 4. Received: {image_shape}")


def halvings(image_shape: tuple[int, int, int]) -> int:
    """How often an image is halved, at least once, until its shorter side is 4 to 7 pixels, or 8 by rounding up."""
    return max(1, min(image_shape[:2]).bit_length() - 3)


def small_sides(image_shape: tuple[int, int, int], times: int) -> tuple[int, int]:
    """Height and width halved so many times, rounded up: doubled as often they are no smaller than the image."""
    height, width, _ = image_shape
    return -(-height // 2**times), -(-width // 2**times)


def filters_by_stage(width: int, stages: int) -> list[int]:
    """Filters of the stages from the image inwards: `width`, doubled with each halving, at the most eight times it."""
    return [width * min(2**stage, 8) for stage in range(stages)]
