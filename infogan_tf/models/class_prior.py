"""Class frequencies that are learnt with the generator."""

import keras
import tensorflow as tf

# Of the relaxation: lower gives gradients of less bias and more variance (Jang et al. 2017, section 2).
TEMPERATURE = 0.5


class ClassPrior(keras.layers.Layer):
    """p(c) of a categorical code whose classes need not be equally frequent, as in Elastic-InfoGAN.

    Draws are one-hot; gradients reach the frequencies through the Gumbel-softmax relaxation (Jang et al. 2017,
    arXiv:1611.01144, the straight-through estimator of section 2.2). Ojha et al. 2020 (arXiv:1910.01112) give
    InfoGAN such a prior for unbalanced data; they draw relaxed vectors.

    Args:
        num_classes: K; all are equally frequent at first.
    """

    def __init__(self, num_classes: int, name: str):
        super().__init__(name=name, dtype="float32")
        self.logits = self.add_weight(shape=(num_classes,), initializer="zeros", name="logits")

    def log_probabilities(self) -> tf.Tensor:
        """log p(c), [K], nats."""
        return tf.nn.log_softmax(self.logits)

    def probabilities(self) -> tf.Tensor:
        """p(c), [K]."""
        return tf.nn.softmax(self.logits)

    def entropy(self) -> tf.Tensor:
        """H(c), a scalar in nats."""
        return -tf.reduce_sum(self.probabilities() * self.log_probabilities())

    def sample(self, count: tf.Tensor | int, seed: tf.Tensor) -> tf.Tensor:
        """Draws classes, one-hot [count, K], with gradients to the frequencies; `seed` is int32 [2]."""
        uniform = tf.random.stateless_uniform((count, self.logits.shape[0]), seed, minval=1e-20)
        perturbed = self.log_probabilities() - tf.math.log(-tf.math.log(uniform))
        relaxed = tf.nn.softmax(perturbed / TEMPERATURE)
        one_hot = tf.one_hot(tf.argmax(perturbed, axis=-1), self.logits.shape[0])
        return one_hot + relaxed - tf.stop_gradient(relaxed)
