"""Batch normalisation and the rectifier, computed by the fastest kernels that TensorFlow has for them."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Iterator

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class _Statistics:
    """Over which images batch norm takes its statistics in training."""

    parts: int = 1
    across_replicas: bool = True


# By thread, as every replica of a strategy has one of its own.
_ONE_BATCH = _Statistics()
_statistics = contextvars.ContextVar("statistics", default=_ONE_BATCH)


@contextlib.contextmanager
def batch_statistics(parts: int = 1, across_replicas: bool = True) -> Iterator[None]:
    """Sets over which images batch norm takes its statistics in training.

    Args:
        parts: how many equal batches a batch stands for, one after another. Each has its own mean and variance, and
            each is recorded in the moving averages, in order: real and fake images pass through D together without
            being mixed in its statistics.
        across_replicas: False keeps the replicas of a `tf.distribute` strategy from talking to each other, whatever
            the layer says.
    """
    token = _statistics.set(_Statistics(parts, across_replicas))
    try:
        yield
    finally:
        _statistics.reset(token)


@keras.saving.register_keras_serializable(package="infogan_tf")
class BatchNormReLU(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over all axes but the last, followed by a leaky rectifier.

    The same formula and the same variables, but one kernel in training where Keras has a dozen operations, each of
    which passes over all activations (`benchmarks/kernels.py` measures both).

    Args:
        negative_slope: of the rectifier; 0 is a plain ReLU.
        **kwargs: as `keras.layers.BatchNormalization` takes them; `synchronized=True` takes statistics over all
            replicas of a `tf.distribute` strategy.
    """

    def __init__(self, negative_slope: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = negative_slope

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        return {**super().get_config(), "negative_slope": self.negative_slope}

    def call(self, inputs, training=None, mask=None):
        """Activations of the shape and dtype of `inputs`, [B, ..., C]."""
        if training and self.trainable:
            parts = [self._normalize(part) for part in tf.split(inputs, _statistics.get().parts)]
            outputs = tf.concat(parts, axis=0) if len(parts) > 1 else parts[0]
        else:
            outputs = super().call(inputs, training=training, mask=mask)
        return leaky_relu(outputs, self.negative_slope) if self.negative_slope else tf.nn.relu(outputs)

    def _normalize(self, inputs):
        """Ioffe & Szegedy 2015, algorithm 1; records the batch's mean and variance."""
        replica = tf.distribute.get_replica_context()
        several = replica is not None and replica.num_replicas_in_sync > 1 and _statistics.get().across_replicas
        if several and self.synchronized:
            outputs, mean, variance = self._normalize_over_replicas(inputs, replica)
        else:
            outputs, mean, variance = self._normalize_here(inputs)
            if several:
                # Replicas keep one set of moving averages: those of the statistics' mean.
                mean, variance = replica.all_reduce("MEAN", [mean, variance])
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

    def _normalize_over_replicas(self, inputs, replica):
        x = tf.cast(inputs, tf.float32)
        axes = list(range(len(x.shape) - 1))
        # Gradients flow through the exchange to the images of every replica.
        mean, square = replica.all_reduce("MEAN", [tf.reduce_mean(x, axes), tf.reduce_mean(x * x, axes)])
        variance = square - mean * mean
        outputs = tf.nn.batch_normalization(x, mean, variance, self.beta, self.gamma, self.epsilon)
        return tf.cast(outputs, inputs.dtype), mean, variance


@keras.saving.register_keras_serializable(package="infogan_tf")
class LeakyReLU(keras.layers.LeakyReLU):
    """`keras.layers.LeakyReLU`, whose gradient needs its output alone; see `leaky_relu`."""

    def call(self, inputs):
        """Activations of the shape and dtype of `inputs`."""
        return leaky_relu(inputs, self.negative_slope)


def leaky_relu(x: tf.Tensor, slope: float) -> tf.Tensor:
    """max(x, slope x), 0 < slope < 1.

    Its output has the sign of its input, so that the gradient can be taken from either. TensorFlow takes the input,
    and has to keep it; taken from the output, the rectifier can be computed by the convolution before it.
    """

    @tf.custom_gradient
    def rectify(x):
        outputs = tf.nn.leaky_relu(x, slope)
        return outputs, lambda upstream: tf.raw_ops.LeakyReluGrad(gradients=upstream, features=outputs, alpha=slope)

    return rectify(x)
