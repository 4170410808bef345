"""Generator, discriminator trunk, D head and Q head of the InfoGAN paper, appendix C.1 (MNIST).

The paper gives the layers; the initialisation and the batch-norm constants are those of the authors' own code:
normal weights of standard deviation 0.02 (truncated in convolutions), epsilon 1e-5, decay 0.9. A layer that batch norm
follows has no bias, which would only duplicate beta. All convolutions are 4x4 with stride 2.

Layers compute in the given dtype policy; the generator's sigmoid and the last layer of each head stay float32.
"""

import keras
import numpy as np
from keras import layers

from infogan_tf.errors import UserError
from infogan_tf.networks.layers import (
    AddReference,
    BatchNormReLU,
    DropReference,
    LeakyReLU,
    MinibatchDiscrimination,
    VirtualBatchNormReLU,
)

LEAK = 0.1


def paper_networks(
    num_latents: int,
    num_parameters: int,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    dtype: str | keras.DTypePolicy | None = None,
    sync_batch_norm: bool = True,
    spectral_norm: bool = False,
    minibatch_kernels: int = 0,
    reference_latents: np.ndarray | None = None,
) -> dict[str, keras.Sequential]:
    """Builds the paper's four networks.

    Args:
        num_latents: Width of the latents: noise and codes side by side.
        num_parameters: Number of parameters that describe Q(c|x); 0 makes no Q head.
        image_shape: Height, width and channels of the images; height and width are positive multiples of 4.
        dtype: A Keras dtype policy; the global one by default.
        sync_batch_norm: Whether batch norm takes its statistics over all replicas of a `tf.distribute` strategy.
        spectral_norm: Whether each forward pass in training first divides the weights of trunk and D head by their
            largest singular values, estimated by one power iteration (Miyato et al. 2018, arXiv:1802.05957;
            `keras.layers.SpectralNormalization`).
        minibatch_kernels: Number of similarities that `layers.MinibatchDiscrimination` appends to the features in the
            D head; 0 leaves it out.
        reference_latents: Latents [R, num_latents] of the reference batch of a generator with virtual batch
            normalisation, see `layers.VirtualBatchNormReLU`; None for one with batch normalisation.

    Returns:
        "generator": Network from latents [B, num_latents] to images [B, H, W, C] in [0, 1], float32.
        "trunk": Network from images to features [B, 1024], shared by D and Q.
        "d_head": Network from features to the logit of "real", float32 [B, 1].
        "q_head": Network from features to the parameters of Q(c|x), float32 [B, num_parameters]; not with 0 parameters.

    Raises:
        UserError: Where height or width is not a positive multiple of 4.
    """
    height, width, channels = image_shape
    if height % 4 or width % 4 or height < 4 or width < 4:
        raise UserError(f"image height and width are multiples of 4. Received: {image_shape}")

    def dense(units, name, **kwargs):
        initializer = keras.initializers.RandomNormal(stddev=0.02)
        kwargs = {"dtype": dtype, **kwargs}
        return layers.Dense(units, kernel_initializer=initializer, name=name, **kwargs)

    def convolution(kind, filters, name, **kwargs):
        initializer = keras.initializers.TruncatedNormal(stddev=0.02)
        kwargs = {"strides": 2, "padding": "same", "dtype": dtype, **kwargs}
        return kind(filters, 4, kernel_initializer=initializer, name=name, **kwargs)

    def batch_norm(name, leak, kind=BatchNormReLU):
        constants = {"momentum": 0.9, "epsilon": 1e-5}
        if kind is VirtualBatchNormReLU:
            constants["rows"] = len(reference_latents)
        return kind(leak, synchronized=sync_batch_norm, dtype=dtype, name=name, **constants)

    virtual = reference_latents is not None

    def of_generator(name):
        return batch_norm(name, 0.0, VirtualBatchNormReLU if virtual else BatchNormReLU)

    def of_discriminator(layer):
        return layers.SpectralNormalization(layer, name=f"{layer.name}_sn") if spectral_norm else layer

    small = (height // 4, width // 4, 128)
    generator = keras.Sequential(
        [
            keras.Input((num_latents,), name="latents"),
            *([AddReference(reference_latents, name="add_reference")] if virtual else []),
            dense(1024, "fc1", use_bias=False),
            of_generator("fc1_bn"),
            dense(small[0] * small[1] * small[2], "fc2", use_bias=False),
            of_generator("fc2_bn"),
            layers.Reshape(small, dtype=dtype, name="to_image"),
            convolution(layers.Conv2DTranspose, 64, "upconv1", use_bias=False),
            of_generator("upconv1_bn"),
            convolution(layers.Conv2DTranspose, channels, "upconv2"),
            layers.Activation("sigmoid", dtype="float32", name="images"),
            *([DropReference(len(reference_latents), name="drop_reference")] if virtual else []),
        ],
        name="generator",
    )
    trunk = keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            of_discriminator(convolution(layers.Conv2D, 64, "conv1")),
            LeakyReLU(negative_slope=LEAK, dtype=dtype, name="conv1_lrelu"),
            of_discriminator(convolution(layers.Conv2D, 128, "conv2", use_bias=False)),
            batch_norm("conv2_bn", LEAK),
            layers.Flatten(dtype=dtype, name="flatten"),
            of_discriminator(dense(1024, "fc", use_bias=False)),
            batch_norm("fc_bn", LEAK),
        ],
        name="trunk",
    )
    features = trunk.output_shape[1:]
    likeness = [MinibatchDiscrimination(minibatch_kernels, name="likeness")] if minibatch_kernels else []
    d_head = keras.Sequential(
        [keras.Input(features, name="features"), *likeness, of_discriminator(dense(1, "logit", dtype="float32"))],
        name="d_head",
    )
    networks = {"generator": generator, "trunk": trunk, "d_head": d_head}
    if not num_parameters:
        return networks
    q_head = keras.Sequential(
        [
            keras.Input(features, name="features"),
            dense(128, "fc", use_bias=False),
            batch_norm("fc_bn", LEAK),
            dense(num_parameters, "parameters", dtype="float32"),
        ],
        name="q_head",
    )
    return networks | {"q_head": q_head}
