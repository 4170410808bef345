"""Convolutional networks for images of any size, of BEGAN (Berthelot et al. 2017, arXiv:1703.10717).

All convolutions are 3x3 with ELU, two at each size; there is no batch norm. G doubles its small image by taking each
pixel four times, at `width` filters throughout; the trunk halves an image by convolutions of stride 2 until its shorter
side is 8 to 15 pixels, and has `width` filters more at each size. Dense layers have no activation.
"""

import math

import keras
from keras import layers

from infogan_tf.networks.blocks import Maker, check_sides, halvings, small_sides


def began_networks(
    num_latents: int,
    num_parameters: int = 0,
    image_shape: tuple[int, int, int] = (64, 64, 3),
    dtype: str | keras.DTypePolicy | None = None,
    width: int = 64,
    num_labels: int = 0,
) -> dict[str, keras.Sequential]:
    """Builds the networks, as deep as the images are large.

    Args:
        num_latents: Width of the latents [z, c].
        num_parameters: How many numbers the Q head says of an image; 0 for no Q.
        image_shape: Height, width, channels; height and width are positive multiples of 4.
        dtype: A Keras dtype policy; None is the global one.
        width: Filters of G, and of the trunk's first layers.
        num_labels: How many columns say which label an image has; 0 for networks that are told none.

    Returns:
        "generator": latents [B, num_latents] to images [B, H, W, C] in [0, 1], float32;
        "trunk": images to features [B, F];
        "d_head": features to the logit of "real" [B, 1], float32;
        "q_head", where there are parameters: features to [B, num_parameters], float32;
        "label_embedding", where there are labels: labels [B, num_labels] to vectors [B, F], float32.

    Raises:
        UserError: Where height or width is not a positive multiple of 4.
    """
    check_sides(image_shape)
    make, halved = Maker(dtype), halvings(image_shape) - 1
    small = small_sides(image_shape, halved)

    def convolutions(filters, name, count=2, **kwargs):
        """Several of them, the first as `kwargs` have it."""
        found = []
        for i in range(1, count + 1):
            own = {"size": 3, "strides": 1, **(kwargs if i == 1 else {})}
            found.append(make.convolution(filters, f"{name}_conv{i}", kernel_initializer="glorot_uniform", **own))
            found.append(layers.Activation("elu", dtype=dtype, name=f"{name}_elu{i}"))
        return found

    stack = [
        keras.Input((num_latents,), name="latents"),
        make.dense(math.prod(small) * width, "fc", kernel_initializer="glorot_uniform"),
        layers.Reshape((*small, width), dtype=dtype, name="to_image"),
    ]
    for i in range(halved + 1):
        if i:
            stack.append(layers.UpSampling2D(dtype=dtype, name=f"up{i}"))
        stack += convolutions(width, f"size{i}")
    stack.append(make.convolution(image_shape[-1], "last", size=3, strides=1, kernel_initializer="glorot_uniform"))
    stack += make.images([side * 2**halved for side in small], image_shape)
    generator = keras.Sequential(stack, name="generator")

    stack = [keras.Input(image_shape, name="images"), *convolutions(width, "first", count=1)]
    for i in range(halved + 1):
        if i:
            stack += convolutions(width * i, f"down{i}", count=1, strides=2)
        stack += convolutions(width * (i + 1), f"size{i}")
    trunk = keras.Sequential([*stack, layers.Flatten(dtype=dtype, name="flatten")], name="trunk")

    features = trunk.output_shape[1:]
    networks = {"generator": generator, "trunk": trunk, "d_head": make.d_head(features)}
    if num_parameters:
        linear = make.dense(num_parameters, "parameters", kernel_initializer="glorot_uniform", dtype="float32")
        networks["q_head"] = keras.Sequential([keras.Input(features, name="features"), linear], name="q_head")
    if num_labels:
        networks["label_embedding"] = make.label_embedding(num_labels, features)
    return networks
