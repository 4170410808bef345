"""Exponential moving averages of a model's variables."""

from collections.abc import Sequence

import keras
import tensorflow as tf

# Averaging touches every weight; once in ten steps, with the decay of ten, gives the same averages for a tenth of it.
AVERAGE_EVERY = 10


class Averages(keras.layers.Layer):
    """Keeps a + (1 - decay) (v - a) for every variable v: Polyak & Juditsky 1992, with exponential weights.

    Batch norm's moving averages are averaged as the weights are. Nothing is before step AVERAGE_EVERY. In the first
    steps the decay is at most (1 + n) / (10 + n) after n averagings, so that the initial weights are soon forgotten.

    Args:
        variables: What is averaged; the methods are given the same variables again, in the same order.
        decay: Decay per step, in [0, 1).
    """

    def __init__(self, variables: Sequence[keras.Variable], decay: float):
        super().__init__(name="averages", dtype="float32")
        self.decay = decay
        self.values = [
            self.add_weight(shape=v.shape, initializer="zeros", trainable=False, name=f"average_{i}")
            for i, v in enumerate(variables)
        ]
        self.restart(variables)

    def restart(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the averages what the variables are now."""
        for value, variable in zip(self.values, variables, strict=True):
            value.assign(variable)

    def update(self, variables: Sequence[keras.Variable], step: tf.Tensor) -> None:
        """Counts the present values in, where `step`, from 0, is due."""

        def average():
            count = tf.cast(step // AVERAGE_EVERY, tf.float32)
            decay = tf.minimum(self.decay**AVERAGE_EVERY, (1.0 + count) / (10.0 + count))
            for value, variable in zip(self.values, variables, strict=True):
                value.assign(value + (1.0 - decay) * (tf.cast(variable, tf.float32) - value))
            return True

        tf.cond(step % AVERAGE_EVERY == AVERAGE_EVERY - 1, average, lambda: False)

    def assign_to(self, variables: Sequence[keras.Variable]) -> None:
        """Gives the variables their averages."""
        for value, variable in zip(self.values, variables, strict=True):
            variable.assign(value)
