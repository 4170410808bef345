"""Generator, discriminator trunk, D head and Q head of the InfoGAN paper, appendix C.1 (MNIST).

The paper gives the layers; the initialisation and the batch-norm constants are those of the authors' own code:
normal weights of standard deviation 0.02 (truncated in convolutions), epsilon 1e-5, decay 0.9. A layer that batch norm
follows has no bias, which would only duplicate beta. All convolutions are 4x4 with stride 2.

Layers compute in the dtype policy they are given; the generator's sigmoid and the last layer of each head stay float32.
"""

import keras
from keras import layers

from infogan_tf.errors import UserError
from infogan_tf.layers import BatchNormReLU, LeakyReLU

LEAK = 0.1


def paper_networks(
    num_latents: int,
    num_parameters: int,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    dtype: str | keras.DTypePolicy | None = None,
    sync_batch_norm: bool = True,
) -> dict[str, keras.Sequential]:
    """Builds the paper's four networks.

    Args:
        num_latents: width of the latents [z, c].
        num_parameters: how many numbers describe Q(c|x).
        image_shape: height, width, channels; height and width are multiples of 4.
        dtype: a Keras dtype policy; the global one by default.
        sync_batch_norm: under a `tf.distribute` strategy, whether batch norm takes its statistics over all replicas.

    Returns:
        "generator": latents [B, num_latents] to images [B, H, W, C] in [0, 1], float32;
        "trunk": images to features [B, 1024], shared by D and Q;
        "d_head": features to the logit of "real" [B, 1], float32;
        "q_head": features to the parameters of Q(c|x) [B, num_parameters], float32.

    Raises:
        UserError: where height or width is not a multiple of 4.
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

    def batch_norm(name, leak):
        constants = {"momentum": 0.9, "epsilon": 1e-5}
        return BatchNormReLU(leak, synchronized=sync_batch_norm, dtype=dtype, name=name, **constants)

    small = (height // 4, width // 4, 128)
    generator = keras.Sequential(
        [
            keras.Input((num_latents,), name="latents"),
            dense(1024, "fc1", use_bias=False),
            batch_norm("fc1_bn", 0.0),
            dense(small[0] * small[1] * small[2], "fc2", use_bias=False),
            batch_norm("fc2_bn", 0.0),
            layers.Reshape(small, dtype=dtype, name="to_image"),
            convolution(layers.Conv2DTranspose, 64, "upconv1", use_bias=False),
            batch_norm("upconv1_bn", 0.0),
            convolution(layers.Conv2DTranspose, channels, "upconv2"),
            layers.Activation("sigmoid", dtype="float32", name="images"),
        ],
        name="generator",
    )
    trunk = keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            convolution(layers.Conv2D, 64, "conv1"),
            LeakyReLU(negative_slope=LEAK, dtype=dtype, name="conv1_lrelu"),
            convolution(layers.Conv2D, 128, "conv2", use_bias=False),
            batch_norm("conv2_bn", LEAK),
            layers.Flatten(dtype=dtype, name="flatten"),
            dense(1024, "fc", use_bias=False),
            batch_norm("fc_bn", LEAK),
        ],
        name="trunk",
    )
    features = trunk.output_shape[1:]
    d_head = keras.Sequential(
        [keras.Input(features, name="features"), dense(1, "logit", dtype="float32")], name="d_head"
    )
    q_head = keras.Sequential(
        [
            keras.Input(features, name="features"),
            dense(128, "fc", use_bias=False),
            batch_norm("fc_bn", LEAK),
            dense(num_parameters, "parameters", dtype="float32"),
        ],
        name="q_head",
    )
    return {"generator": generator, "trunk": trunk, "d_head": d_head, "q_head": q_head}
