"""Spectral normalisation: sigma against NumPy's SVD, gradients, one power iteration an update, saving, precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.gan import GAN
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.networks.dcgan import dcgan_networks
from infogan_tf.networks.spectral_norm import FIRST_ITERATIONS, SpectralConv2D, SpectralDense, SpectralNorm

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), dtype=np.uint8)


def made(kind, *args, shape, **kwargs):
    """A layer whose weights are drawn anew, and not iterated on yet."""
    keras.utils.set_random_seed(0)
    layer = kind(*args, **kwargs)
    layer.build(shape)
    layer._kernel.assign(np.random.default_rng(1).normal(size=layer._kernel.shape))
    return layer


def of_numpy(layer):
    """The largest singular value of the weights as a matrix."""
    kernel = np.float64(layer._kernel)
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def spectral_layers(model):
    networks = model.networks.values()
    return [layer for net in networks for layer in net._flatten_layers() if isinstance(layer, SpectralNorm)]


LAYERS = {"dense": (SpectralDense, (5,), (2, 7)), "convolution": (SpectralConv2D, (5, 3), (2, 6, 6, 4))}


@pytest.mark.parametrize("name", LAYERS)
def test_sigma_is_the_largest_singular_value(name):
    kind, args, shape = LAYERS[name]
    layer = made(kind, *args, shape=shape)
    assert abs(layer.sigma() / of_numpy(layer) - 1) > 1e-3
    for _ in range(100):
        layer.iterate()
    assert float(layer.sigma()) == pytest.approx(of_numpy(layer), rel=1e-5)
    np.testing.assert_allclose(np.linalg.norm(layer.u), 1.0, rtol=1e-6)
    # Averages of the vector over training are shorter than 1; sigma is of its direction.
    layer.u.assign(0.3 * layer.u)
    assert float(layer.sigma()) == pytest.approx(of_numpy(layer), rel=1e-5)


def test_an_iteration_is_that_of_the_paper():
    """Algorithm 1 of Miyato et al. 2018, in float64."""
    layer = made(SpectralDense, 5, shape=(2, 7))
    kernel, u = np.float64(layer._kernel), np.float64(layer.u)
    v = kernel @ u / np.linalg.norm(kernel @ u)
    np.testing.assert_allclose(layer.sigma(), v @ kernel @ u, rtol=1e-5)
    layer.iterate()
    np.testing.assert_allclose(layer.u, kernel.T @ v / np.linalg.norm(kernel.T @ v), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_the_layer_is_keras_own_with_weights_over_sigma(name):
    kind, args, shape = LAYERS[name]
    layer = (
        made(kind, *args, shape=shape, padding="same", strides=2) if len(shape) == 4 else made(kind, *args, shape=shape)
    )
    twin = kind.__mro__[2].from_config(layer.get_config())
    twin.build(shape)
    twin.set_weights([layer._kernel / layer.sigma(), np.ones(5)])
    layer.bias.assign(np.ones(5))
    x = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    for training in (False, True):
        np.testing.assert_allclose(layer(x, training=training), twin(x), rtol=1e-4, atol=1e-5)


def test_gradients_flow_through_sigma():
    """Equation 12 of the paper, by differences."""
    layer = made(SpectralDense, 2, shape=(1, 3), use_bias=False)
    x = np.array([[1.0, -2.0, 0.5]], np.float32)
    kernel, u = np.float64(layer._kernel), np.float64(layer.u)

    def loss(kernel):
        return float(np.sum((x @ kernel / np.linalg.norm(kernel @ u) * np.linalg.norm(u)) ** 2))

    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tf.square(layer(x)))
    expected = np.zeros_like(kernel)
    for place in np.ndindex(*kernel.shape):
        step = np.zeros_like(kernel)
        step[place] = 1e-5
        expected[place] = (loss(kernel + step) - loss(kernel - step)) / 2e-5
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(tape.gradient(value, layer._kernel.value), expected, atol=1e-3)


def test_weights_that_are_all_0_stay_numbers():
    layer = made(SpectralDense, 3, shape=(1, 4), use_bias=False)
    before = layer.u.numpy()
    layer._kernel.assign(np.zeros((4, 3)))
    layer.iterate()
    np.testing.assert_array_equal(layer.u, before)
    with tf.GradientTape() as tape:
        outputs = layer(np.ones((1, 4), np.float32))
    np.testing.assert_array_equal(outputs, np.zeros((1, 3)))
    assert np.isfinite(tape.gradient(outputs, layer._kernel.value)).all()


def compiled(family=dcgan_networks, d_updates=1, g_updates=1, kind=InfoGAN, **arguments):
    keras.utils.set_random_seed(0)
    layout = LatentLayout.parse("noise:4,cat:3" if kind is InfoGAN else "noise:7")
    networks = family(7, layout.num_parameters, (8, 8, 1), "float32", spectral_norm=True, **arguments)
    model = kind(layout, **networks)
    # A rate of 0 leaves the weights as they are, and what moves is the iteration's alone.
    optimizers = (keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    model.compile(*optimizers, d_updates=d_updates, g_updates=g_updates, run_eagerly=True)  # saves tracing
    return model


@pytest.mark.parametrize(
    ("d_updates", "g_updates", "kind"), [(1, 1, InfoGAN), (1, 1, GAN), (2, 1, InfoGAN), (1, 3, GAN)]
)
def test_there_is_one_iteration_for_each_update_of_d(d_updates, g_updates, kind):
    model = compiled(d_updates=d_updates, g_updates=g_updates, width=4, kind=kind)
    layers = spectral_layers(model)
    assert len(layers) == 2  # a convolution and D's head
    for layer in layers:
        layer.u.assign(np.random.default_rng(1).normal(size=layer.u.shape))
    expected = []
    for layer in layers:
        twin = type(layer).from_config(layer.get_config())
        twin.build(layer.input.shape)
        twin.set_weights(layer.get_weights())
        for _ in range(d_updates):
            twin.iterate()
        expected.append(twin.u.numpy())
    before = [layer.u.numpy() for layer in layers]
    model.train_on_batch(IMAGES)
    for layer, one, other in zip(layers, before, expected, strict=True):
        if len(one) > 1:  # of one output there is one direction
            assert np.abs(other / np.linalg.norm(other) - one / np.linalg.norm(one)).max() > 1e-3
        np.testing.assert_allclose(layer.u, other, rtol=1e-4, atol=1e-5)


def test_nothing_but_training_iterates():
    model = compiled(width=4)
    before = model.get_weights()
    model.evaluate(IMAGES, batch_size=8, verbose=0)
    model.encode(IMAGES)
    model.trunk(IMAGES / 255.0, training=True)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_iteration_for_each_change_of_the_weights_follows_them():
    layer, draw = made(SpectralDense, 8, shape=(1, 12)), np.random.default_rng(2)
    before = of_numpy(layer)
    for _ in range(60):
        layer._kernel.assign_add(0.1 * draw.normal(size=(12, 8)))
        layer.iterate()
    assert abs(of_numpy(layer) / before - 1) > 0.05
    assert float(layer.sigma()) == pytest.approx(of_numpy(layer), rel=0.03)


def test_layers_begin_with_an_estimate():
    keras.utils.set_random_seed(0)
    layer = SpectralDense(64)
    layer.build((1, 128))
    assert FIRST_ITERATIONS > 0
    assert float(layer.sigma()) == pytest.approx(of_numpy(layer), rel=0.1)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_in_mixed_precision_sigma_stays_float32(dtype):
    for kind, args, shape in LAYERS.values():
        layer = made(kind, *args, shape=shape, dtype=dtype)
        x = np.random.default_rng(2).normal(size=shape).astype(np.float32)
        outputs = layer(x)
        assert outputs.dtype.name == dtype.removeprefix("mixed_")
        assert layer.kernel.dtype.name == dtype.removeprefix("mixed_")
        assert layer.sigma().dtype == layer._kernel.dtype == layer.u.dtype == "float32"
        plain = type(layer).from_config({**layer.get_config(), "dtype": "float32"})
        plain.build(shape)
        plain.set_weights(layer.get_weights())
        np.testing.assert_allclose(tf.cast(outputs, "float32"), plain(x), atol=0.05)


@pytest.mark.parametrize("name", LAYERS)
def test_the_layers_survive_saving(name, tmp_path):
    kind, args, shape = LAYERS[name]
    model = keras.Sequential([keras.Input(shape[1:]), kind(*args)])
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(copy(x), model(x))
    for one, other in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
