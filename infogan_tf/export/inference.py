"""Rewrites a network for inference: the same function in fewer operations."""

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.networks.layers import BatchNormReLU

# The axis of a kernel that holds the output channels.
_CHANNELS = {keras.layers.Dense: -1, keras.layers.Conv2D: -1, keras.layers.Conv2DTranspose: 2}
# The most output channels for which a transposed convolution is faster as one matrix product.
_FEW_CHANNELS = 4


def for_inference(network: keras.Model) -> keras.Model:
    """Returns a faster network that computes what `network` does in inference, but for rounding.

    Batch norm, linear in inference, becomes part of the weights of the dense or convolution layer before it, and a
    transposed convolution to few channels becomes one matrix product. These layers have weights of their own; all
    others are shared with `network`.

    Args:
        network: The network; one that is not a `keras.Sequential` is returned as it is.
    """
    if not isinstance(network, keras.Sequential):
        return network
    layers = []
    for layer in network.layers:
        before = layers[-1] if layers else None
        if isinstance(layer, BatchNormReLU) and type(before) in _CHANNELS and not before.use_bias:
            layers[-1] = _with_batch_norm(before, layer)
            layers.append(keras.layers.ReLU(negative_slope=layer.negative_slope, name=layer.name))
        else:
            layers.append(layer)
    layers = [_as_product(layer) if _is_doubling_to_few_channels(layer) else layer for layer in layers]
    return keras.Sequential([keras.Input(network.input_shape[1:]), *layers], name=network.name)


def _with_batch_norm(layer, norm):
    """Returns a copy of the layer that includes the batch norm after it: y = (W x - mean) gamma / stddev + beta."""
    gamma, beta, mean, variance = (
        np.float64(variable) for variable in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    axes = [1] * len(layer.kernel.shape)
    axes[_CHANNELS[type(layer)]] = len(scale)
    kernel = np.float64(layer.kernel) * scale.reshape(axes)
    return _copy(layer, type(layer), [kernel, beta - mean * scale], use_bias=True)


def _copy(layer, kind, weights, **changes):
    copied = kind.from_config({**layer.get_config(), **changes})
    copied.build(layer.get_build_config()["input_shape"])
    copied.set_weights([weight.astype(np.float32) for weight in weights])
    return copied


def _is_doubling_to_few_channels(layer):
    if type(layer) is not keras.layers.Conv2DTranspose or layer.filters > _FEW_CHANNELS:
        return False
    return (layer.kernel_size, layer.strides, layer.padding) == ((4, 4), (2, 2), "same")


def _as_product(layer):
    return _copy(layer, DoublingConvolution, layer.get_weights())


class DoublingConvolution(keras.layers.Conv2DTranspose):
    """A transposed convolution of kernel size 4 and stride 2 that doubles height and width, as one matrix product.

    TensorFlow's own kernel takes several times as long where the output has one or few channels.
    """

    def call(self, inputs):
        """Returns outputs [B, 2 H, 2 W, C] of inputs [B, H, W, F]."""
        height, width, features = inputs.shape[1:]
        kernel = tf.convert_to_tensor(self.kernel)  # [4, 4, C, F]
        products = tf.matmul(tf.reshape(inputs, [-1, features]), tf.reshape(kernel, [-1, features]), transpose_b=True)
        # No tensor has more than five axes, which is what TFLite can slice.
        rows = _overlapped(tf.reshape(products, [-1, height, width, 4, 4 * self.filters]), 1)  # [B, 2 H, W, 4 C]
        outputs = _overlapped(tf.reshape(rows, [-1, 2 * height, width, 4, self.filters]), 2)  # [B, 2 H, 2 W, C]
        return self.activation(outputs + self.bias if self.use_bias else outputs)


def _overlapped(products: tf.Tensor, axis: int) -> tf.Tensor:
    """Sums the contributions of the n places along `axis` to its 2 n outputs.

    Args:
        products: Contributions of each place; axis 3, of size 4, is for the outputs 2 i - 1 to 2 i + 2 of place i.
        axis: Axis of the places, 1 or 2.

    Returns:
        The sums: `axis` has 2 n places, and axis 3 is gone.
    """
    all_but_last, all_but_first = ((slice(None),) * axis + (part,) for part in (slice(0, -1), slice(1, None)))
    # Zeros stand in for missing neighbours at the border.
    down = [[1, 0] if i == axis else [0, 0] for i in range(products.shape.rank - 1)]
    up = [pair[::-1] for pair in down]
    even = products[:, :, :, 1] + tf.pad(products[:, :, :, 3][all_but_last], down)
    odd = products[:, :, :, 2] + tf.pad(products[:, :, :, 0][all_but_first], up)
    sizes = [-1, *even.shape[1:]]
    sizes[axis] *= 2
    return tf.reshape(tf.stack([even, odd], axis=axis + 1), sizes)
