"""Weights that are held near their own past."""

import keras
import tensorflow as tf

from infogan_tf.regularizers.base import Regularizer


@keras.saving.register_keras_serializable(package="infogan_tf")
class HistoricalAveraging(Regularizer):
    """||theta - mean of all theta so far||^2 for both players: Salimans et al. 2016 (arXiv:1606.03498), section 3.3."""

    def prepare(self, model):  # noqa: D102
        self.means, self.counts = {}, {}
        for player in "dg":
            self.means[player] = [
                self.add_weight(shape=v.shape, initializer="zeros", trainable=False, name=f"{player}_{i}")
                for i, v in enumerate(_weights(model, player))
            ]
            self.counts[player] = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name=f"{player}_count"
            )

    def d_term(self, model, batch):  # noqa: D102
        return self._distance(model, "d")

    def g_term(self, model, batch):  # noqa: D102
        return self._distance(model, "g")

    def _distance(self, model, player):
        """Counts the present weights in, then measures how far they are from the mean."""
        self.counts[player].assign_add(1.0)
        total, share = tf.constant(0.0), 1.0 / self.counts[player]
        for variable, mean in zip(_weights(model, player), self.means[player], strict=True):
            mean.assign(mean + share * (variable - mean))
            total += tf.reduce_sum(tf.square(variable - tf.stop_gradient(tf.convert_to_tensor(mean))))
        return total


def _weights(model, player):
    """A player's weights, less what other regularisers learn: those may not have been prepared yet."""
    networks = (model.trunk, model.d_head, model.q_head) if player == "d" else (model.generator,)
    return [variable for network in networks for variable in network.trainable_variables]
