"""Generator, discriminator trunk, D head and Q head of the InfoGAN paper, appendix C, of each of its data sets.

The paper gives the layers, `presets.py` has them as rows; the initialisation and the batch-norm constants are those of
the authors' own code: normal weights of standard deviation 0.02 (truncated in convolutions), epsilon 1e-5, decay 0.9. A
layer that batch norm follows has no bias, which would only duplicate beta. All convolutions are 4x4. Images are in
[0, 1] here and G ends with a sigmoid, also where the paper has a tanh, which is the same up to scale.

Layers compute in the given dtype policy; the generator's sigmoid and the last layer of each head stay float32.
"""

import math

import keras
import numpy as np
from keras import layers

from infogan_tf.errors import UserError
from infogan_tf.networks.blocks import LEAK, Maker, check_sides, small_sides
from infogan_tf.networks.layers import AddReference, DropReference, LeakyReLU, MinibatchDiscrimination
from infogan_tf.networks.presets import PRESETS


def paper_networks(
    num_latents: int,
    num_parameters: int,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    dtype: str | keras.DTypePolicy | None = None,
    sync_batch_norm: bool = True,
    spectral_norm: bool = False,
    minibatch_kernels: int = 0,
    reference_latents: np.ndarray | None = None,
    preset: str = "mnist",
    num_labels: int = 0,
) -> dict[str, keras.Sequential]:
    """Builds the paper's four networks.

    A preset has its data set's layers and serves other sizes too: G's small image is the size halved as often as its
    layers double it, rounded up, and what is over is cut off at the end.

    Args:
        num_latents: Width of the latents: noise and codes side by side.
        num_parameters: Number of parameters that describe Q(c|x); 0 makes no Q head.
        image_shape: Height, width and channels of the images; height and width are positive multiples of 4.
        dtype: A Keras dtype policy; the global one by default.
        sync_batch_norm: Whether batch norm takes its statistics over all replicas of a `tf.distribute` strategy.
        spectral_norm: Whether trunk and D head compute with their weights divided by the largest singular value, see
            `spectral_norm.SpectralNorm`; so does a Q head of one layer.
        minibatch_kernels: Number of similarities that `layers.MinibatchDiscrimination` appends to the features in the
            D head; 0 leaves it out.
        reference_latents: Latents [R, num_latents] of the reference batch of a generator with virtual batch
            normalisation, see `layers.VirtualBatchNormReLU`; None for one with batch normalisation.
        preset: One of `presets.PRESETS`.
        num_labels: How many columns say which label an image has; 0 for networks that are told none.

    Returns:
        "generator": Network from latents [B, num_latents] to images [B, H, W, C] in [0, 1], float32.
        "trunk": Network from images to features [B, F], shared by D and Q.
        "d_head": Network from features to the logit of "real", float32 [B, 1].
        "q_head": Network from features to the parameters of Q(c|x), float32 [B, num_parameters]; not with 0 parameters.
        "label_embedding": Network from labels [B, num_labels] to vectors, float32 [B, F]; not with 0 labels.

    Raises:
        UserError: Where height or width is not a positive multiple of 4, or there is no such preset.
    """
    check_sides(image_shape)
    if preset not in PRESETS:
        raise UserError(f"preset: expected one of {', '.join(PRESETS)}. Received: {preset!r}")
    row, make = PRESETS[preset], Maker(dtype, sync_batch_norm, spectral_norm)
    virtual = reference_latents is not None
    rows = len(reference_latents) if virtual else 0

    def rectified(layer, norm, leak, rows=0):
        """The layer, then its rectifier, with batch norm or without."""
        if norm:
            return [layer, make.batch_norm(f"{layer.name}_bn", leak, rows)]
        if leak:
            return [layer, LeakyReLU(negative_slope=leak, dtype=dtype, name=f"{layer.name}_lrelu")]
        return [layer, layers.ReLU(dtype=dtype, name=f"{layer.name}_relu")]

    doubled = sum(each.stride == 2 for each in row.up) + (row.last_stride == 2)
    small = small_sides(image_shape, doubled)
    stack = []
    for i, units in enumerate([*([row.dense] if row.dense else []), math.prod(small) * row.start], 1):
        stack += rectified(make.dense(units, f"fc{i}", use_bias=False), True, row.g_leak, rows)
    stack.append(layers.Reshape((*small, row.start), dtype=dtype, name="to_image"))
    for i, each in enumerate(row.up, 1):
        layer = make.transposed(each.filters, f"upconv{i}", strides=each.stride, use_bias=not each.norm)
        stack += rectified(layer, each.norm, row.g_leak, rows)
    stack.append(make.transposed(image_shape[-1], f"upconv{len(row.up) + 1}", strides=row.last_stride))
    stack += make.images([side * 2**doubled for side in small], image_shape)
    if virtual:
        stack = [
            AddReference(reference_latents, name="add_reference"), *stack, DropReference(rows, name="drop_reference")
        ]  # fmt: skip
    generator = keras.Sequential([keras.Input((num_latents,), name="latents"), *stack], name="generator")

    stack = []
    for i, each in enumerate(row.trunk, 1):
        layer = make.convolution(each.filters, f"conv{i}", of_d=True, strides=each.stride, use_bias=not each.norm)
        stack += rectified(layer, each.norm, LEAK)
    stack.append(layers.Flatten(dtype=dtype, name="flatten"))
    if row.dense:
        norm = row.trunk[-1].norm
        stack += rectified(make.dense(row.dense, "fc", of_d=True, use_bias=not norm), norm, LEAK)
    trunk = keras.Sequential([keras.Input(image_shape, name="images"), *stack], name="trunk")

    features = trunk.output_shape[1:]
    likeness = [MinibatchDiscrimination(minibatch_kernels, name="likeness")] if minibatch_kernels else []
    networks = {"generator": generator, "trunk": trunk, "d_head": make.d_head(features, likeness)}
    if num_parameters:
        networks["q_head"] = make.q_head(features, num_parameters, row.q_units)
    if num_labels:
        networks["label_embedding"] = make.label_embedding(num_labels, features)
    return networks
