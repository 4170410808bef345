"""What a training or evaluation logs: the means of named scalars."""

from collections.abc import Iterable, Mapping

import keras
import tensorflow as tf


class Means(keras.metrics.Metric):
    """The mean of each of several scalars over the times it was given; 0 for one that was not.

    One metric in place of many: its state is two vectors, updated in two operations. Every replica of a `tf.distribute`
    strategy is expected to give the same values, so that reading the state needs no exchange.

    Args:
        names: The names of the scalars, as they are logged.
    """

    def __init__(self, names: Iterable[str], name: str = "means"):
        super().__init__(name=name)
        self.names = tuple(names)
        self.totals, self.counts = (
            self.add_variable((len(self.names),), "zeros", aggregation="only_first_replica", name=which)
            for which in ("totals", "counts")
        )

    def update_state(self, values: Mapping[str, tf.Tensor], counts: Mapping[str, tf.Tensor] | None = None) -> None:
        """Counts each value once, or as often as `counts` says (0: not at all)."""
        given = dict.fromkeys(values, 1.0) | dict(counts or {})
        weights = tf.stack([tf.cast(given.get(name, 0.0), tf.float32) for name in self.names])
        stacked = tf.stack([values.get(name, tf.constant(0.0)) for name in self.names])
        # Where a data set's length is not known, Keras asks for one batch too many, of which nothing is to be counted.
        with tf.control_dependencies([stacked]):
            self.totals.assign_add(weights * stacked)
            self.counts.assign_add(weights)

    def counted(self) -> dict[str, float]:
        """The means, by name, of those that were counted at all."""
        return {
            name: float(total / count)
            for name, total, count in zip(self.names, self.totals.numpy(), self.counts.numpy(), strict=True)
            if count
        }

    def result(self) -> dict[str, tf.Tensor]:
        """The means by name."""
        means = tf.math.divide_no_nan(tf.convert_to_tensor(self.totals), tf.convert_to_tensor(self.counts))
        return dict(zip(self.names, tf.unstack(means), strict=True))
