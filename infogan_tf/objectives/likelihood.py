"""What a VAE is trained on: the parts of its bound on the log-likelihood of images, as pure functions; in nats."""

import tensorflow as tf

# Probabilities are kept so far from 0 and 1: about as far as the last numbers below 1 that float32 has.
_LEAST = 1e-7


def bernoulli_log_likelihood(images: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    """sum x log p + (1 - x) log(1 - p) over pixels and channels: [B], of images x and p [B, H, W, C] in [0, 1].

    Of a grey x it is the expectation over binary images whose pixels are 1 with probability x.
    """
    p = tf.clip_by_value(probabilities, _LEAST, 1.0 - _LEAST)
    return tf.reduce_sum(images * tf.math.log(p) + (1.0 - images) * tf.math.log1p(-p), axis=[1, 2, 3])


def gaussian_divergence(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL of a normal distribution, independent in each column, from the standard one: [B], of parameters [B, D].

    Kingma & Welling 2014 (arXiv:1312.6114), appendix B.
    """
    return 0.5 * tf.reduce_sum(tf.square(mean) + tf.exp(log_variance) - 1.0 - log_variance, axis=-1)


def gaussian_distance(features: tf.Tensor, means: tf.Tensor) -> tf.Tensor:
    """-log N(features; means, 1) but for its constant, |features - means|^2 / 2: [B] in nats, of both [B, F]."""
    return 0.5 * tf.reduce_sum(tf.square(tf.cast(features, tf.float32) - tf.cast(means, tf.float32)), axis=-1)
