"""Many train steps as one program: the same weights and figures as one by one, whatever the data's length."""

import itertools
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import small_model

from infogan_tf.data.stream import stream
from infogan_tf.models.program import Program

IMAGES = np.random.default_rng(0).integers(0, 256, (22, 8, 8, 1), dtype=np.uint8)


def trained(steps_per_execution, data, **arguments):
    """A model after `fit`, and its history; networks of a few weights, which make little of what rounding leaves."""
    keras.utils.set_random_seed(0)
    options = {"average_decay": 0.9, "jit_compile": True, "steps_per_execution": steps_per_execution}
    model = small_model("sgd", "sgd", **options)
    history = model.fit(data, verbose=0, **arguments).history
    return model, history


def test_the_same_as_step_by_step():
    data, length = stream(IMAGES, 4), {"steps_per_epoch": 12, "epochs": 2}
    (one, one_history), (many, many_history) = (trained(count, data, **length) for count in (1, 4))
    assert int(many.step.numpy()) == int(one.step.numpy()) == 24
    # XLA may round a step otherwise where it stands in a loop.
    for old, new in zip(one.weights, many.weights, strict=True):
        np.testing.assert_allclose(new.numpy(), old.numpy(), atol=1e-5, err_msg=old.path)
    assert set(many_history) == set(one_history)
    for name, values in one_history.items():
        np.testing.assert_allclose(many_history[name], values, atol=1e-5, err_msg=name)


class Counting:
    """In place of a model: adds up what it is given."""

    steps_per_execution = 4

    def __init__(self):
        self.sum = tf.Variable([0], dtype=tf.int64, shape=(1,))
        self.means = types.SimpleNamespace(result=lambda: {"sum": tf.identity(self.sum)[0]})

    def train_step(self, batch):
        self.sum.assign_add([tf.reduce_sum(tf.cast(batch, tf.int64))])


@pytest.mark.parametrize("batches", [1, 3, 4, 8, 10])
def test_every_batch_is_taken_once_however_many_there_are(batches):
    model = Counting()
    program = Program(model, None)
    iterator = iter(tf.data.Dataset.range(batches).map(lambda i: tf.fill((2,), 10**i)))
    logs = [program(iterator) for _ in range(-(-batches // 4))]
    assert int(model.sum[0]) == 2 * int("1" * batches)
    assert int(logs[-1]["sum"]) == int(model.sum[0])
    with pytest.raises(StopIteration):
        program(iterator)


def test_the_next_batches_are_read_while_the_program_computes_but_no_more():
    read = []

    def note(i):
        read.append(int(i))
        return i

    data = tf.data.Dataset.range(100).map(lambda i: tf.ensure_shape(tf.numpy_function(note, [i], tf.int64), ()))
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    model = Counting()
    Program(model, None)(iter(data.with_options(options)))
    assert int(model.sum[0]) == 0 + 1 + 2 + 3
    assert read == list(range(8))


def test_another_data_set_is_begun_at_its_beginning():
    model = Counting()
    program = Program(model, None)
    for start in (0, 100):
        program(iter(tf.data.Dataset.range(start, start + 50)))
    assert int(model.sum[0]) == sum(range(4)) + sum(range(100, 104))


def test_batches_of_unlike_size_are_taken_one_by_one():
    calls = itertools.count()
    program = Program(None, lambda iterator: next(calls))
    data = tf.data.Dataset.from_tensor_slices(IMAGES).batch(4)
    assert [program(iter(data)), program(iter(data))] == [0, 1]


def test_arrays_train_as_they_do_without():
    model, history = trained(3, IMAGES, batch_size=8, epochs=2)
    assert int(model.step.numpy()) == 2 * 3
    assert all(np.isfinite(values).all() for values in history.values())
