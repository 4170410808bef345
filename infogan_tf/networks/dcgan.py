"""Convolutional networks for images of any size, after DCGAN (Radford et al. 2016, arXiv:1511.06434).

D halves an image with 4x4 convolutions of stride 2 until its shorter side is about 4, and doubles the filters each
time; G is its mirror image. G has batch norm. D may have spectral norm, or none, so that an image's logit does not
depend on the rest of its batch; or batch norm in its trunk as the InfoGAN paper has it, by which Q learns more of real
images.
"""

import math

import keras
from keras import layers

from infogan_tf.networks.blocks import LEAK, Maker, check_sides, filters_by_stage, halvings, small_sides
from infogan_tf.networks.layers import LeakyReLU


def dcgan_networks(
    num_latents: int,
    num_parameters: int = 0,
    image_shape: tuple[int, int, int] = (32, 32, 3),
    dtype: str | keras.DTypePolicy | None = None,
    width: int = 64,
    sync_batch_norm: bool = True,
    spectral_norm: bool = False,
    trunk_batch_norm: bool = False,
    num_labels: int = 0,
) -> dict[str, keras.Sequential]:
    """Builds the networks, as deep as the images are large.

    Args:
        num_latents: Width of the latents [z, c].
        num_parameters: How many numbers describe Q(c|x); 0 for no Q.
        image_shape: Height, width, channels; height and width are positive multiples of 4.
        dtype: A Keras dtype policy; None is the global one.
        width: Filters of D's first layer; they double with each halving, at the most to eight times as many.
        sync_batch_norm: Whether batch norm takes its statistics over all replicas of a `tf.distribute` strategy.
        spectral_norm: Whether trunk and D head compute with their weights divided by the largest singular value, see
            `spectral_norm.SpectralNorm`.
        trunk_batch_norm: Whether the trunk has batch norm after each convolution but the first.
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
    make, stages = Maker(dtype, sync_batch_norm, spectral_norm), halvings(image_shape)
    filters, small = filters_by_stage(width, stages), small_sides(image_shape, stages)

    stack = [
        keras.Input((num_latents,), name="latents"),
        make.dense(math.prod(small) * filters[-1], "fc", use_bias=False),
        make.batch_norm("fc_bn"),
        layers.Reshape((*small, filters[-1]), dtype=dtype, name="to_image"),
    ]
    for i, count in enumerate(reversed(filters[:-1]), 1):
        stack += [make.transposed(count, f"upconv{i}", use_bias=False), make.batch_norm(f"upconv{i}_bn")]
    stack.append(make.transposed(image_shape[-1], f"upconv{stages}"))
    stack += make.images([side * 2**stages for side in small], image_shape)
    generator = keras.Sequential(stack, name="generator")

    stack = [keras.Input(image_shape, name="images")]
    for i, count in enumerate(filters, 1):
        # Without batch norm the weights' spread has to keep the activations' size.
        initializer, norm = keras.initializers.HeNormal(), trunk_batch_norm and i > 1
        stack += [
            make.convolution(count, f"conv{i}", of_d=True, kernel_initializer=initializer, use_bias=not norm),
            make.batch_norm(f"conv{i}_bn", LEAK)
            if norm
            else LeakyReLU(negative_slope=LEAK, dtype=dtype, name=f"conv{i}_lrelu"),
        ]
    trunk = keras.Sequential([*stack, layers.Flatten(dtype=dtype, name="flatten")], name="trunk")

    features = trunk.output_shape[1:]
    networks = {"generator": generator, "trunk": trunk, "d_head": make.d_head(features)}
    if num_parameters:
        networks["q_head"] = make.q_head(features, num_parameters)
    if num_labels:
        networks["label_embedding"] = make.label_embedding(num_labels, features)
    return networks
