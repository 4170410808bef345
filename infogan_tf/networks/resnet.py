"""Residual networks for images of any size, with the blocks of SNGAN (Miyato et al. 2018, arXiv:1802.05957).

D halves an image, a block each time, until its shorter side is about 4; a last block keeps the size, and the features
are the sums over all places. G is its mirror image, without that last block. G has batch norm; D has spectral norm or
none. SNGAN's filters differ from size to size; here they double with each halving.

    block of G    x -> BN, ReLU, twice the size, 3x3, BN, ReLU, 3x3; + x -> 1x1, twice the size
    block of D    x -> ReLU, 3x3, ReLU, 3x3, half the size; + x -> half the size, 1x1

The paper halves after the 1x1 convolution and doubles before it, which gives the same, for more work.
"""

import math

import keras
from keras import layers

from infogan_tf.networks.blocks import Maker, check_sides, filters_by_stage, halvings, small_sides
from infogan_tf.networks.layers import GlobalSumPooling2D


def resnet_networks(
    num_latents: int,
    num_parameters: int = 0,
    image_shape: tuple[int, int, int] = (32, 32, 3),
    dtype: str | keras.DTypePolicy | None = None,
    width: int = 64,
    sync_batch_norm: bool = True,
    spectral_norm: bool = False,
    num_labels: int = 0,
) -> dict[str, keras.Model]:
    """Builds the networks, as deep as the images are large.

    Args:
        num_latents: Width of the latents [z, c].
        num_parameters: How many numbers describe Q(c|x); 0 for no Q.
        image_shape: Height, width, channels; height and width are positive multiples of 4.
        dtype: A Keras dtype policy; None is the global one.
        width: Filters of D's first block and of G's last; they double with each halving, at the most to eight times as
            many.
        sync_batch_norm: Whether batch norm takes its statistics over all replicas of a `tf.distribute` strategy.
        spectral_norm: Whether trunk and D head compute with their weights divided by the largest singular value, see
            `spectral_norm.SpectralNorm`.
        num_labels: How many columns say which label an image has; 0 for networks that are told none.

    Returns:
        "generator": latents [B, num_latents] to images [B, H, W, C] in [0, 1], float32;
        "trunk": images to features [B, F];
        "d_head": features to the logit of "real" [B, 1], float32;
        "q_head", where there are parameters: features to the parameters of Q(c|x) [B, num_parameters], float32;
        "label_embedding", where there are labels: labels [B, num_labels] to vectors [B, F], float32.

    Raises:
        UserError: Where height or width is not a positive multiple of 4.
    """
    check_sides(image_shape)
    blocks = _Blocks(Maker(dtype, sync_batch_norm, spectral_norm))
    filters = filters_by_stage(width, halvings(image_shape))
    generator = _generator(blocks, num_latents, image_shape, filters)
    trunk = _trunk(blocks, image_shape, filters)
    features = trunk.output_shape[1:]
    networks = {"generator": generator, "trunk": trunk, "d_head": blocks.make.d_head(features)}
    if num_parameters:
        networks["q_head"] = blocks.make.q_head(features, num_parameters)
    if num_labels:
        networks["label_embedding"] = blocks.make.label_embedding(num_labels, features)
    return networks


def _generator(blocks, num_latents, image_shape, filters):
    make, small = blocks.make, small_sides(image_shape, len(filters))
    latents = keras.Input((num_latents,), name="latents")
    x = make.dense(math.prod(small) * filters[-1], "fc", kernel_initializer="glorot_uniform")(latents)
    x = layers.Reshape((*small, filters[-1]), dtype=make.dtype, name="to_image")(x)
    for i, count in enumerate(reversed(filters), 1):
        x = blocks.up(x, count, f"block{i}")
    x = make.batch_norm("last_bn")(x)
    x = blocks.convolution(image_shape[-1], "last", kernel_initializer="glorot_uniform")(x)
    for layer in make.images([side * 2 ** len(filters) for side in small], image_shape):
        x = layer(x)
    return keras.Model(latents, x, name="generator")


def _trunk(blocks, image_shape, filters):
    images = keras.Input(image_shape, name="images")
    x = images
    for i, count in enumerate(filters, 1):
        x = blocks.down(x, count, f"block{i}", first=i == 1)
    x = blocks.down(x, filters[-1], f"block{len(filters) + 1}", halved=False)
    x = layers.ReLU(dtype=blocks.make.dtype, name="last_relu")(x)
    return keras.Model(images, GlobalSumPooling2D(dtype=blocks.make.dtype, name="sum")(x), name="trunk")


class _Blocks:
    """Applies residual blocks to symbolic tensors."""

    def __init__(self, make: Maker):
        self.make = make

    def convolution(self, filters, name, size=3, **kwargs):
        # Uniform as in SNGAN; of the residual part with twice the variance, which its rectifiers halve.
        spread = keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform")
        return self.make.convolution(filters, name, size=size, strides=1, **{"kernel_initializer": spread, **kwargs})

    def up(self, x, filters, name):
        """A block of G."""
        make = self.make
        residual = make.batch_norm(f"{name}_bn1")(x)
        residual = layers.UpSampling2D(dtype=make.dtype, name=f"{name}_up")(residual)
        residual = self.convolution(filters, f"{name}_conv1", use_bias=False)(residual)
        residual = make.batch_norm(f"{name}_bn2")(residual)
        residual = self.convolution(filters, f"{name}_conv2")(residual)
        shortcut = self.convolution(filters, f"{name}_shortcut", size=1, kernel_initializer="glorot_uniform")(x)
        shortcut = layers.UpSampling2D(dtype=make.dtype, name=f"{name}_shortcut_up")(shortcut)
        return layers.Add(dtype=make.dtype, name=name)([residual, shortcut])

    def down(self, x, filters, name, first=False, halved=True):
        """A block of D; the first sees images, which no rectifier cuts. One that keeps the shape has no 1x1."""
        make, residual, shortcut = self.make, x, x
        if not first:
            residual = layers.ReLU(dtype=make.dtype, name=f"{name}_relu1")(residual)
        residual = self.convolution(filters, f"{name}_conv1", of_d=True)(residual)
        residual = layers.ReLU(dtype=make.dtype, name=f"{name}_relu2")(residual)
        residual = self.convolution(filters, f"{name}_conv2", of_d=True)(residual)
        if halved:
            residual, shortcut = (
                layers.AveragePooling2D(2, padding="same", dtype=make.dtype, name=f"{name}_{part}")(each)
                for part, each in (("down", residual), ("shortcut_down", shortcut))
            )
            shortcut = self.convolution(
                filters, f"{name}_shortcut", size=1, of_d=True, kernel_initializer="glorot_uniform"
            )(shortcut)
        return layers.Add(dtype=make.dtype, name=name)([residual, shortcut])
