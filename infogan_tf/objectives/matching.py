"""A generator that is asked for the data's mean features."""

import keras
import tensorflow as tf

from infogan_tf.objectives.term import Term
from infogan_tf.random import fold_in
from infogan_tf.replicas import num_replicas, over_replicas


@keras.saving.register_keras_serializable(package="infogan_tf")
class FeatureMatching(Term):
    """||E f(x) - E f(G(z, c))||^2 for the trunk's features f: Salimans et al. 2016 (arXiv:1606.03498), section 3.1.

    There it takes the place of the generator's adversarial loss; here it is added to it. Where the trunk's last layer
    has batch norm, as in the paper's networks, real and generated images are normalised apart, each by their own
    statistics, so that f differs between them in the shape of its distribution, and little in its mean and spread.

    Args:
        weight: What the distance is multiplied by.
        start: The first step that it counts in, from 0; before, the term is 0.
    """

    NEEDS = ("trunk",)

    def __init__(self, weight: float, start: int = 0, **kwargs):
        super().__init__(weight, **kwargs)
        self.start = start

    def g_term(self, model, batch):  # noqa: D102
        def distance():
            with keras.StatelessScope():  # as in the generator's own pass, which records no statistics of D
                real_images = model.shown(batch.real.images, fold_in(batch.seed, 12))
                real_features = tf.stop_gradient(model.trunk(real_images, training=True))
            return mean_distance(real_features, batch.fake_features)

        if not self.start:
            return distance()
        counts = model.step >= self.start
        if num_replicas() > 1:  # which cannot talk inside a branch
            return tf.cast(counts, tf.float32) * distance()
        return tf.cond(counts, distance, lambda: 0.0)

    def get_config(self):  # noqa: D102
        return {**super().get_config(), "start": self.start}


def mean_distance(real_features: tf.Tensor, fake_features: tf.Tensor) -> tf.Tensor:
    """The squared Euclidean distance between the means of features [B, F], over all replicas: a scalar."""
    real, fake = over_replicas(
        *(tf.reduce_mean(tf.cast(x, tf.float32), axis=0) for x in (real_features, fake_features))
    )
    return tf.reduce_sum(tf.square(real - fake))
