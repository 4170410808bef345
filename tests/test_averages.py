"""The averages of the weights against NumPy's, and that they are lent and given back."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model

from infogan_tf.models.averages import AVERAGE_EVERY, Averages

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), dtype=np.uint8)


def values(variables):
    return [v.numpy() for v in variables]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def model():
    """After one averaging, which left the averages another than the weights; it is not to be changed."""
    model = make_model(average_decay=0.9, run_eagerly=True)
    model.step.assign(AVERAGE_EVERY - 1)
    model.train_on_batch(IMAGES)
    return model


def test_averages_follow_the_recursion():
    rng, decay = np.random.default_rng(0), 0.9
    variables = [keras.Variable(rng.normal(size=shape)) for shape in ((3, 2), (4,))]
    averages, expected = Averages(variables, decay), values(variables)
    update = tf.function(lambda step: averages.update(variables, step))
    seen = set()
    for step in range(6 * AVERAGE_EVERY):
        for variable in variables:
            variable.assign(rng.normal(size=variable.shape))
        update(tf.constant(step, tf.int64))
        count, rest = divmod(step + 1, AVERAGE_EVERY)
        if rest == 0:
            # The n-th averaging, from 0: of the first ones the decay is limited.
            kept = min(decay**AVERAGE_EVERY, count / (9 + count))
            expected = [kept * a + (1 - kept) * v.numpy() for a, v in zip(expected, variables, strict=True)]
            seen.add(kept < decay**AVERAGE_EVERY)
        for average, value in zip(averages.values, expected, strict=True):
            np.testing.assert_allclose(average, value, rtol=1e-5, atol=1e-6)
    assert seen == {True, False}


def test_a_model_averages_all_variables_of_its_networks_when_a_step_is_due():
    model = make_model(average_decay=0.9, run_eagerly=True)
    first = values(model.network_variables)
    assert_same(values(model.averages.values), first)
    model.step.assign(AVERAGE_EVERY - 2)
    model.train_on_batch(IMAGES)
    assert_same(values(model.averages.values), first)
    model.train_on_batch(IMAGES)
    moved = set()
    for variable, average, before in zip(model.network_variables, model.averages.values, first, strict=True):
        np.testing.assert_allclose(average, 0.1 * before + 0.9 * variable.numpy(), rtol=1e-5, atol=1e-7)
        if np.any(average.numpy() != before):
            moved.add(variable.path)
    assert moved == {v.path for v in model.network_variables}
    assert {"trunk/conv2_bn/moving_mean", "generator/fc1_bn/moving_variance"} <= moved
    assert len({id(v) for v in model.weights}) == len(model.weights) == 2 * len(moved) + 1


@pytest.mark.parametrize("error", [None, KeyError])
def test_the_networks_have_the_averages_within_the_block_alone(model, error):
    own, averages = values(model.weights), values(model.averages.values)
    latents = model.layout.sample(4, tf.constant([1, 2]))
    images = model(latents)
    try:
        with model.averaged():
            assert_same(values(model.network_variables), averages)
            assert np.any(model(latents) != images)
            if error:
                raise error
    except KeyError:
        assert error
    assert_same(values(model.weights), own)
    np.testing.assert_array_equal(model(latents), images)


def test_what_is_exported_has_the_averages(model):
    own, twin = values(model.weights), model.float32_twin()
    assert_same(values(twin.network_variables), values(model.averages.values))
    assert int(twin.step) == AVERAGE_EVERY
    assert_same(values(model.weights), own)


def test_before_the_first_averaging_the_present_weights_serve():
    model = make_model(average_decay=0.9, run_eagerly=True)
    model.step.assign(AVERAGE_EVERY - 2)
    model.train_on_batch(IMAGES)
    own = values(model.network_variables)
    with model.averaged():
        assert_same(values(model.network_variables), own)
    assert_same(values(model.float32_twin().network_variables), own)


def test_without_a_decay_there_are_none(model):
    plain = make_model()
    assert plain.averages is None
    own = values(plain.weights)
    with plain.averaged():
        assert_same(values(plain.weights), own)
    assert len(model.weights) == len(own) + len(plain.network_variables)


def test_averages_survive_saving(tmp_path, model):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.averages.decay == 0.9
    assert_same(values(loaded.averages.values), values(model.averages.values))
