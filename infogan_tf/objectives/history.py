"""Weights that are held near their own past."""

import keras
import tensorflow as tf

from infogan_tf.objectives.term import Term


@keras.saving.register_keras_serializable(package="infogan_tf")
class HistoricalAveraging(Term):
    """||theta - mean of all theta so far||^2 for both players: Salimans et al. 2016 (arXiv:1606.03498), section 3.3.

    Args:
        weight: What the squared distance is multiplied by.
    """

    NEEDS = ("d_head", "generator")

    def prepare(self, model):  # noqa: D102
        self.counts = {player: self._zeros((), f"{player}_count") for player in "dg"}
        self.means = {
            player: [
                self._zeros(variable.shape, f"{player}_{i}") for i, variable in enumerate(model.trainable_of(player))
            ]
            for player in "dg"
        }

    def d_term(self, model, batch):  # noqa: D102
        return self._distance(model, "d")

    def g_term(self, model, batch):  # noqa: D102
        return self._distance(model, "g")

    def _zeros(self, shape, name):
        return self.add_weight(shape=shape, initializer="zeros", trainable=False, name=name)

    def _distance(self, model, player):
        """Counts the present weights in, then measures how far they are from the mean."""
        self.counts[player].assign_add(1.0)
        distances = []
        for variable, mean in zip(model.trainable_of(player), self.means[player], strict=True):
            mean.assign(mean + (variable - mean) / self.counts[player])
            distances.append(tf.reduce_sum(tf.square(variable - tf.stop_gradient(tf.convert_to_tensor(mean)))))
        return tf.add_n(distances)
