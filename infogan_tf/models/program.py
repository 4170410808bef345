"""Many train steps as one program, which XLA compiles whole: the host starts it once, where it would start each step.

Keras's own `steps_per_execution` saves Python's time alone: its loop calls a compiled step, and XLA sees one at a time.
"""

import itertools
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf


class Program:
    """A train function as Keras calls it: takes the next batches of a data set, and makes a step of each.

    The batches that follow are read while a GPU computes: the call returns what the program will have found.

    Args:
        model: The compiled model, whose `steps_per_execution` says how many steps are made at once; of fewer batches
            that are left, as many as there are.
        one_by_one: The train function for batches that are not all of one size, which no program can take together.
    """

    def __init__(self, model: keras.Model, one_by_one: Callable[[Iterator], dict[str, tf.Tensor]]):
        self.model = model
        self.one_by_one = one_by_one
        self.read = None, None

        def program(batches):
            # Known when it is compiled, so that no step waits for the host to say whether another follows.
            count = tf.nest.flatten(batches)[0].shape[0]

            def body(i):
                model.train_step(tf.nest.map_structure(lambda each: each[i], batches))
                return (i + 1,)

            tf.while_loop(lambda i: i < count, body, (tf.constant(0),))
            return model.means.result()

        self.program = tf.function(program, jit_compile=True, autograph=False)

    def __call__(self, iterator: Iterator) -> dict[str, tf.Tensor]:
        """What is logged after the steps on the next batches.

        Raises:
            StopIteration: Where there is no batch left.
        """
        specs = tf.nest.flatten(getattr(iterator, "element_spec", None))
        if not all(spec is not None and spec.shape.is_fully_defined() for spec in specs):
            return self.one_by_one(iterator)
        known, batches = self.read
        if known is not iterator:
            batches = self._next(iterator)
        if batches is None:
            raise StopIteration
        logs = self.program(batches)
        self.read = iterator, self._next(iterator)
        return logs

    def _next(self, iterator):
        """The next batches, one after another along a first axis; None where there is none left."""
        batches = list(itertools.islice(iterator, self.model.steps_per_execution))
        if not batches:
            return None
        with tf.device("CPU"):  # and from there to the GPU at once
            return tf.nest.map_structure(lambda *each: tf.stack(each), *batches)
