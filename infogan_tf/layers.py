"""Batch normalisation and the rectifier, computed by the fastest kernels that TensorFlow has for them."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

_parts = 1


@contextlib.contextmanager
def batch_of_parts(count: int) -> Iterator[None]:
    """Inside it, batch norm in training takes a batch for `count` equal ones, one after another.

    Each has its own mean and variance, and each is recorded in the moving averages, in order: real and fake images pass
    through D together without being mixed in its statistics.
    """
    global _parts
    before, _parts = _parts, count
    try:
        yield
    finally:
        _parts = before


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
            parts = [self._normalize(part) for part in tf.split(inputs, _parts)]
            outputs = tf.concat(parts, axis=0) if _parts > 1 else parts[0]
        else:
            outputs = super().call(inputs, training=training, mask=mask)
        return leaky_relu(outputs, self.negative_slope) if self.negative_slope else tf.nn.relu(outputs)

    def _normalize(self, inputs):
        """Ioffe & Szegedy 2015, algorithm 1; records the batch's mean and variance."""
        images = inputs if len(inputs.shape) == 4 else inputs[:, tf.newaxis, tf.newaxis]  # what the kernel takes
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=images, scale=self.gamma, offset=self.beta, mean=[], variance=[], epsilon=self.epsilon, is_training=True
        )
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1.0) / count  # the kernel's is the unbiased estimate, Keras records the batch's own
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return tf.reshape(outputs, tf.shape(inputs))


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
