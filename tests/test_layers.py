"""The package's layers against Keras's own and against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.networks.layers import (
    AddReference,
    BatchNormReLU,
    DropReference,
    LeakyReLU,
    MinibatchDiscrimination,
    VirtualBatchNormReLU,
    batch_statistics,
    part_by_part,
)

SHAPES = [(12, 5), (6, 4, 4, 3)]


def normal(*shape, seed=0, dtype="float32"):
    return tf.cast(np.random.default_rng(seed).normal(1.0, 2.0, shape), dtype)


def in_numpy(x, gamma, beta, epsilon, slope):
    """Algorithm 1 of Ioffe & Szegedy 2015 in float64, and the rectifier."""
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return np.where(y > 0, y, slope * y), mean, variance


def made(shape, slope, kind=BatchNormReLU, **kwargs):
    layer = kind(slope, momentum=0.9, epsilon=1e-5, **kwargs)
    layer.build(shape)
    layer.gamma.assign(normal(shape[-1], seed=1))
    layer.beta.assign(normal(shape[-1], seed=2))
    return layer


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_training_follows_the_formula_and_records_the_statistics(shape, slope):
    layer, x = made(shape, slope), normal(*shape)
    expected, mean, variance = in_numpy(x.numpy().astype(float), layer.gamma.numpy(), layer.beta.numpy(), 1e-5, slope)
    np.testing.assert_allclose(layer(x, training=True), expected, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_gradients_are_those_of_keras(shape, slope):
    layer, x, upstream = made(shape, slope), normal(*shape), normal(*shape, seed=3)
    twin = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    twin.build(shape)
    twin.set_weights(layer.get_weights())
    found = []
    for function in (layer, lambda x, training: tf.nn.leaky_relu(twin(x, training=training), slope)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x, training=True)
        weights = (layer if function is layer else twin).trainable_variables
        found.append(tape.gradient(y, [x, *weights], output_gradients=upstream))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    for one, other in zip(layer.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_parts_are_normalised_alone_and_recorded_in_order(shape):
    together, apart = made(shape, 0.1), made(shape, 0.1)
    one, other = normal(*shape), 3.0 * normal(*shape, seed=4)
    with batch_statistics(parts=2):
        found = together(tf.concat([one, other], axis=0), training=True)
    expected = tf.concat([apart(one, training=True), apart(other, training=True)], axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    for weight, value in zip(together.get_weights(), apart.get_weights(), strict=True):
        np.testing.assert_allclose(weight, value, rtol=1e-6)


def test_inference_uses_the_moving_averages_and_leaves_them():
    layer = made((12, 5), 0.1)
    layer.moving_mean.assign(normal(5, seed=5))
    layer.moving_variance.assign(tf.square(normal(5, seed=6)))
    x, before = normal(12, 5), layer.get_weights()
    gamma, beta, mean, variance = before
    y = gamma * (x.numpy() - mean) / np.sqrt(variance + 1e-5) + beta
    np.testing.assert_allclose(layer(x, training=False), np.where(y > 0, y, 0.1 * y), atol=1e-4)
    for weight, value in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_statistics_stay_float32_in_mixed_precision(dtype):
    shape = (64, 4, 4, 3)
    layer = made(shape, 0.1, dtype=dtype)
    x = normal(*shape, dtype=layer.compute_dtype)
    expected, mean, _ = in_numpy(x.numpy().astype(float), layer.gamma.numpy(), layer.beta.numpy(), 1e-5, 0.1)
    y = layer(x, training=True)
    assert y.dtype == layer.compute_dtype
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected, atol=0.05)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-4)


ROWS = 4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_virtual_batch_norm_takes_the_reference_batch_and_the_example_itself(shape, slope):
    layer, x = made(shape, slope, VirtualBatchNormReLU, rows=ROWS), normal(*shape)
    found, values = layer(x, training=True).numpy(), x.numpy().astype(float)
    gamma, beta = layer.gamma.numpy(), layer.beta.numpy()
    expected, mean, variance = in_numpy(values[:ROWS], gamma, beta, 1e-5, slope)
    np.testing.assert_allclose(found[:ROWS], expected, atol=1e-4)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-4)
    for row in range(ROWS, shape[0]):
        # A batch of the reference and this example: every example has as many values.
        batch = np.concatenate([values[:ROWS], values[row : row + 1]])
        np.testing.assert_allclose(found[row], in_numpy(batch, gamma, beta, 1e-5, slope)[0][-1], atol=1e-4)


def test_virtual_batch_norm_takes_a_batch_in_parts_as_a_whole():
    layer, x = made((9, 5), 0.1, VirtualBatchNormReLU, rows=ROWS), normal(9, 5)  # a reference, and five others
    whole = layer(x, training=True)
    with batch_statistics(parts=2):
        np.testing.assert_array_equal(layer(x, training=True), whole)


def test_virtual_batch_norm_of_what_hardly_varies_is_finite():
    layer = made((8, 5), 0.1, VirtualBatchNormReLU, rows=ROWS)
    x = tf.constant(100.0 + 0.01 * np.random.default_rng(0).normal(size=(8, 5)), tf.float32)
    assert np.isfinite(layer(x, training=True)).all()


def test_virtual_batch_norm_infers_as_batch_norm_does():
    layer, plain, x = made((12, 5), 0.1, VirtualBatchNormReLU, rows=ROWS), made((12, 5), 0.1), normal(12, 5)
    layer(x, training=True)
    plain.set_weights(layer.get_weights())
    assert np.any(plain.moving_mean != 0)
    np.testing.assert_array_equal(layer(x, training=False), plain(x, training=False))


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_virtual_batch_norm_stays_float32_in_mixed_precision(dtype):
    layer = made((64, 4, 4, 3), 0.1, VirtualBatchNormReLU, rows=ROWS, dtype=dtype)
    x = normal(64, 4, 4, 3, dtype=layer.compute_dtype)
    expected, mean, _ = in_numpy(x.numpy()[:ROWS].astype(float), layer.gamma.numpy(), layer.beta.numpy(), 1e-5, 0.1)
    y = layer(x, training=True)
    assert y.dtype == layer.compute_dtype
    np.testing.assert_allclose(tf.cast(y, tf.float32)[:ROWS], expected, atol=0.05)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-4)


def test_the_reference_batch_comes_and_goes_in_training_alone():
    reference, x = normal(ROWS, 5, seed=1).numpy(), normal(12, 5)
    add, drop = AddReference(reference), DropReference(ROWS)
    together = add(x, training=True)
    np.testing.assert_array_equal(together, np.concatenate([reference, x]))
    np.testing.assert_array_equal(drop(together, training=True), x)
    for layer in (add, drop):
        np.testing.assert_array_equal(layer(x, training=False), x)
        np.testing.assert_array_equal(layer(x), x)


def likeness(x, kernel, kernels):
    """Section 3.2 of Salimans et al. 2016, one pair at a time."""
    matrices = (x.astype(float) @ kernel).reshape(len(x), kernels, -1)
    found = np.zeros((len(x), kernels))
    for i in range(len(x)):
        for j in range(len(x)):
            if i != j:
                found[i] += np.exp(-np.abs(matrices[i] - matrices[j]).sum(axis=-1))
    return np.concatenate([x, found], axis=1)


@pytest.mark.parametrize("training", [True, False])
def test_minibatch_discrimination_follows_the_formula(training):
    layer, x = MinibatchDiscrimination(3, dimensions=2), normal(6, 5)
    layer.build(x.shape)
    layer.kernel.assign(normal(5, 6, seed=1) / 5)
    expected = likeness(x.numpy(), layer.kernel.numpy(), 3)
    assert np.ptp(expected[:, 5:]) > 0.1
    np.testing.assert_allclose(layer(x, training=training), expected, rtol=1e-4)
    assert layer.compute_output_shape(x.shape) == (6, 8)


def test_minibatch_discrimination_does_not_compare_real_with_fake():
    layer, real, fake = MinibatchDiscrimination(3), normal(6, 5), normal(6, 5, seed=1)
    expected = tf.concat([layer(real), layer(fake)], axis=0)
    both = tf.concat([real, fake], axis=0)
    with batch_statistics(parts=2):
        np.testing.assert_allclose(layer(both, training=True), expected, rtol=1e-5)
    assert np.all(layer(both, training=True)[:, 5:] > expected[:, 5:])


def test_parts_are_given_one_after_another():
    seen = []
    with batch_statistics(parts=3):
        found = part_by_part(lambda part: seen.append(part.numpy().tolist()) or part + 1, tf.range(6))
    assert seen == [[0, 1], [2, 3], [4, 5]]
    np.testing.assert_array_equal(found, range(1, 7))


def test_the_rectifiers_gradient_is_that_of_its_definition():
    x, upstream = normal(200) - 1.0, normal(200, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = LeakyReLU(negative_slope=0.1)(x)
    np.testing.assert_array_equal(y, np.maximum(x, np.float32(0.1) * x))
    gradient = tape.gradient(y, x, output_gradients=upstream)
    np.testing.assert_allclose(gradient, upstream * np.where(x > 0, 1.0, np.float32(0.1)), rtol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        BatchNormReLU(0.1, momentum=0.9),
        LeakyReLU(negative_slope=0.1),
        VirtualBatchNormReLU(0.1, rows=7),
        AddReference(np.eye(3)),
        DropReference(7),
        MinibatchDiscrimination(7, dimensions=3),
    ],
)
def test_layers_survive_saving(layer):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert copy.get_config() == layer.get_config()
