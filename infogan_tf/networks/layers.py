"""The networks' own layers: batch norm with a rectifier, its virtual variant, minibatch discrimination, sum pooling."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.replicas import num_replicas, over_replicas


@dataclasses.dataclass(frozen=True)
class _Statistics:
    """The images over which batch norm takes its statistics in training, see `batch_statistics`."""

    parts: int = 1
    across_replicas: bool = True


# A context variable, as every replica of a strategy runs in a thread of its own.
_ONE_BATCH = _Statistics()
_statistics = contextvars.ContextVar("statistics", default=_ONE_BATCH)


@contextlib.contextmanager
def batch_statistics(parts: int = 1, across_replicas: bool = True) -> Iterator[None]:
    """Sets the images over which batch norm takes its statistics in training, for calls inside this context.

    Args:
        parts: Number of equal parts of a batch, one after another, that are normalised separately: each by its own mean
            and variance, which are recorded in the moving averages in order. So real and fake images pass through D
            together without being mixed in its statistics.
        across_replicas: Whether the replicas of a `tf.distribute` strategy may exchange statistics. False keeps each
            to its own, whatever the layer's `synchronized` says.
    """
    token = _statistics.set(_Statistics(parts, across_replicas))
    try:
        yield
    finally:
        _statistics.reset(token)


@keras.saving.register_keras_serializable(package="infogan_tf")
class BatchNorm(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over all axes but the last, by parts and replicas as `batch_statistics` says.

    Formula and variables are Keras's (Ioffe & Szegedy 2015, arXiv:1502.03167), but training uses one kernel where Keras
    has a dozen operations, each of which passes over all activations (`benchmarks/kernels.py` measures both).

    Args:
        **kwargs: Arguments of `keras.layers.BatchNormalization`; `synchronized=True` takes statistics over all replicas
            of a `tf.distribute` strategy.
    """

    def call(self, inputs, training=None, mask=None):
        """Returns activations of the shape and dtype of `inputs`, [B, ..., C]."""
        if training and self.trainable:
            return part_by_part(self._normalize, inputs)
        return super().call(inputs, training=training, mask=mask)

    def _normalize(self, inputs):
        """Normalises by the batch's statistics and records them: Ioffe & Szegedy 2015, algorithm 1."""
        several = exchanges_statistics()
        if several and self.synchronized:
            outputs, mean, variance = self._normalize_over_replicas(inputs)
        else:
            outputs, mean, variance = self._normalize_here(inputs)
            if several:
                # Replicas share one set of moving averages, of their mean statistics.
                mean, variance = over_replicas(mean, variance)
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return outputs

    def _normalize_here(self, inputs):
        images = inputs if len(inputs.shape) == 4 else inputs[:, tf.newaxis, tf.newaxis]  # what the kernel takes
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=images, scale=self.gamma, offset=self.beta, mean=[], variance=[], epsilon=self.epsilon, is_training=True
        )
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1.0) / count  # the kernel's is the unbiased estimate, Keras records the batch's own
        return tf.reshape(outputs, tf.shape(inputs)), mean, variance

    def _normalize_over_replicas(self, inputs):
        x = tf.cast(inputs, tf.float32)
        axes = list(range(len(x.shape) - 1))
        # Gradients flow through the exchange to the images of every replica.
        mean, square = over_replicas(tf.reduce_mean(x, axes), tf.reduce_mean(x * x, axes))
        variance = tf.maximum(square - mean * mean, 0.0)  # which rounding may make less
        outputs = tf.nn.batch_normalization(x, mean, variance, self.beta, self.gamma, self.epsilon)
        return tf.cast(outputs, inputs.dtype), mean, variance


@keras.saving.register_keras_serializable(package="infogan_tf")
class BatchNormReLU(BatchNorm):
    """`BatchNorm` followed by a leaky rectifier.

    Args:
        negative_slope: Slope of the rectifier for negative inputs, in [0, 1); 0 is a plain ReLU.
        **kwargs: Arguments of `BatchNorm`.
    """

    def __init__(self, negative_slope: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = negative_slope

    def get_config(self):
        """Returns every argument of the constructor, for `keras.saving`."""
        return {**super().get_config(), "negative_slope": self.negative_slope}

    def call(self, inputs, training=None, mask=None):
        """Returns activations of the shape and dtype of `inputs`, [B, ..., C]."""
        outputs = super().call(inputs, training=training, mask=mask)
        return leaky_relu(outputs, self.negative_slope) if self.negative_slope else tf.nn.relu(outputs)


@keras.saving.register_keras_serializable(package="infogan_tf")
class VirtualBatchNormReLU(BatchNormReLU):
    """Virtual batch normalisation and a leaky rectifier: Salimans et al. 2016 (arXiv:1606.03498), section 3.5.

    In training, the first rows of a batch are the reference batch that `AddReference` put there. It is normalised by
    its own statistics, each other row by those of the reference batch and this row together. The reference batch's
    statistics are recorded for inference. As no row depends on another of its batch, a batch in parts
    (`batch_statistics`) is taken whole.

    Args:
        negative_slope: Slope of the rectifier for negative inputs, in [0, 1); 0 is a plain ReLU.
        rows: Number of rows of the reference batch.
        **kwargs: Arguments of `keras.layers.BatchNormalization`.
    """

    def __init__(self, negative_slope: float = 0.0, rows: int = 64, **kwargs):
        super().__init__(negative_slope, **kwargs)
        self.rows = rows

    def get_config(self):
        """Returns every argument of the constructor, for `keras.saving`."""
        return {**super().get_config(), "rows": self.rows}

    def call(self, inputs, training=None, mask=None):
        """Returns activations of the shape and dtype of `inputs`, [B, ..., C]."""
        with batch_statistics():
            return super().call(inputs, training=training, mask=mask)

    def _normalize(self, inputs):
        inputs32 = tf.cast(inputs, tf.float32)
        reference, examples = inputs32[: self.rows], inputs32[self.rows :]
        axes = list(range(1, len(inputs.shape) - 1))
        share = 1.0 / (self.rows + 1.0)

        def moments(x):
            """Returns each example's own mean and mean square per channel, [B, ..., C] each."""
            if not axes:
                return x, tf.square(x)
            return tf.reduce_mean(x, axes, keepdims=True), tf.reduce_mean(tf.square(x), axes, keepdims=True)

        mean, square = (tf.reduce_mean(value, 0, keepdims=True) for value in moments(reference))
        own_mean, own_square = moments(examples)
        both_mean, both_square = share * own_mean + (1 - share) * mean, share * own_square + (1 - share) * square
        outputs = [
            tf.nn.batch_normalization(x, m, tf.maximum(s - m * m, 0.0), self.beta, self.gamma, self.epsilon)
            for x, m, s in ((reference, mean, square), (examples, both_mean, both_square))
        ]
        values = tf.reshape(mean, [-1]), tf.reshape(tf.maximum(square - mean * mean, 0.0), [-1])
        for moving, value in zip((self.moving_mean, self.moving_variance), values, strict=True):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return tf.cast(tf.concat(outputs, axis=0), inputs.dtype)


@keras.saving.register_keras_serializable(package="infogan_tf")
class AddReference(keras.layers.Layer):
    """Prepends a fixed batch to each training batch, for `VirtualBatchNormReLU`; `DropReference` removes it.

    Args:
        reference: The reference batch, float32 [R, F].
        **kwargs: Arguments of `keras.layers.Layer`; the dtype is always float32.
    """

    def __init__(self, reference: np.ndarray, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.reference = np.asarray(reference, np.float32)

    def call(self, inputs, training=None):
        """Returns the reference batch and the inputs, [R + B, F], in training, else the inputs [B, F]."""
        return tf.concat([self.reference, inputs], axis=0) if training else inputs

    def get_config(self):  # noqa: D102
        return {**super().get_config(), "reference": self.reference.tolist()}


@keras.saving.register_keras_serializable(package="infogan_tf")
class DropReference(keras.layers.Layer):
    """Removes the reference batch that `AddReference` prepended.

    Args:
        rows: Number of rows of the reference batch.
        **kwargs: Arguments of `keras.layers.Layer`; the dtype is always float32.
    """

    def __init__(self, rows: int, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.rows = rows

    def call(self, inputs, training=None):
        """Returns the rows after the reference batch in training, else all rows."""
        return inputs[self.rows :] if training else inputs

    def get_config(self):  # noqa: D102
        return {**super().get_config(), "rows": self.rows}


@keras.saving.register_keras_serializable(package="infogan_tf")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each example's features its similarity to the rest of its batch: Salimans et al. 2016, section 3.2.

    Features f [B, F] times a learnt tensor give M [B, kernels, dimensions]. For example i and each kernel, the sum over
    the other examples j of exp(-||M_i - M_j||_1) is appended.

    Args:
        kernels: Number of similarities appended, B in the paper.
        dimensions: Number of dimensions in which each similarity compares, C in the paper.
        **kwargs: Arguments of `keras.layers.Layer`; the dtype is always float32.
    """

    def __init__(self, kernels: int, dimensions: int = 5, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.kernels = kernels
        self.dimensions = dimensions

    def build(self, input_shape):  # noqa: D102
        shape = (input_shape[-1], self.kernels * self.dimensions)
        # Named: Keras's own names count variables, and would differ between a run and its resumption.
        self.kernel = self.add_weight(
            name="kernel", shape=shape, initializer=keras.initializers.RandomNormal(stddev=0.02)
        )

    def call(self, inputs, training=None):
        """Returns features with similarities, float32 [B, F + kernels], of `inputs` [B, F]."""
        return part_by_part(self._append, tf.cast(inputs, tf.float32)) if training else self._append(inputs)

    def compute_output_shape(self, input_shape):  # noqa: D102
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self):  # noqa: D102
        return {**super().get_config(), "kernels": self.kernels, "dimensions": self.dimensions}

    def _append(self, inputs):
        matrices = tf.reshape(inputs @ self.kernel, (-1, self.kernels, self.dimensions))
        distances = tf.reduce_sum(tf.abs(matrices[:, tf.newaxis] - matrices[tf.newaxis]), axis=-1)  # [B, B, kernels]
        return tf.concat([inputs, tf.reduce_sum(tf.exp(-distances), axis=1) - 1.0], axis=-1)


def exchanges_statistics() -> bool:
    """Whether there are several replicas, which may exchange statistics, see `batch_statistics`."""
    return num_replicas() > 1 and _statistics.get().across_replicas


def num_parts() -> int:
    """How many parts of a batch are apart, see `batch_statistics`."""
    return _statistics.get().parts


def part_by_part(function: Callable[[tf.Tensor], tf.Tensor], inputs: tf.Tensor) -> tf.Tensor:
    """Applies `function` separately to each of the parts of `inputs` that `batch_statistics` sets, and joins them."""
    parts = [function(part) for part in tf.split(inputs, _statistics.get().parts)]
    return tf.concat(parts, axis=0) if len(parts) > 1 else parts[0]


@keras.saving.register_keras_serializable(package="infogan_tf")
class GlobalSumPooling2D(keras.layers.GlobalAveragePooling2D):
    """The sums over all places of an image, [B, H, W, C] -> [B, C]."""

    def call(self, inputs):
        """Sums of the dtype of `inputs`."""
        return tf.reduce_sum(inputs, axis=[1, 2])


@keras.saving.register_keras_serializable(package="infogan_tf")
class LeakyReLU(keras.layers.LeakyReLU):
    """`keras.layers.LeakyReLU` with a gradient that needs only the layer's output; see `leaky_relu`."""

    def call(self, inputs):
        """Returns activations of the shape and dtype of `inputs`."""
        return leaky_relu(inputs, self.negative_slope)


def leaky_relu(x: tf.Tensor, slope: float) -> tf.Tensor:
    """Returns max(x, slope x), with a gradient computed from the output.

    The output has the sign of the input, so that either gives the gradient. TensorFlow's own takes the input, and has
    to keep it; with the output, the rectifier can be fused into the convolution before it.

    Args:
        x: Activations of any shape.
        slope: Slope for negative inputs, in (0, 1).
    """

    @tf.custom_gradient
    def rectify(x):
        outputs = tf.nn.leaky_relu(x, slope)
        return outputs, lambda upstream: tf.raw_ops.LeakyReluGrad(gradients=upstream, features=outputs, alpha=slope)

    return rectify(x)
