"""BEGAN: its losses and its balance against NumPy, its networks, and what is kept of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.export import export_saved_model
from infogan_tf.models.began import BEGAN
from infogan_tf.models.build import build_model
from infogan_tf.networks import FAMILIES
from infogan_tf.networks.autoencoder import autoencoder_of
from infogan_tf.networks.began import began_networks
from infogan_tf.networks.mlp import mlp_networks

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
REAL = IMAGES / np.float32(255)
RATE = 0.2  # lambda_k


def make(rate=1e-3, kind=keras.optimizers.Adam, latents="noise:3", k=0.0, **arguments):
    """A compiled BEGAN on tiny images, whose D renders different images differently."""
    keras.utils.set_random_seed(0)
    networks, others = (mlp_networks(3, 3, (8, 8, 1), "float32") for _ in range(2))
    model = BEGAN(latents, networks["generator"], **autoencoder_of(others))
    rng = np.random.default_rng(1)
    for network in model.networks.values():
        for weight in network.trainable_variables:
            weight.assign(rng.normal(size=weight.shape) / np.sqrt(weight.shape[0]))
    model.compile(kind(rate), kind(rate), **arguments)
    model.k.assign(k)
    return model


def rendered(model, images):
    """L of images [B, H, W, C]."""
    return tf.reduce_mean(tf.abs(images - model.decoder(model.encoder(images))))


def test_the_losses_and_the_measure_are_those_of_the_paper():
    model = make(gamma=0.7, k=0.25)
    found = model.evaluate(IMAGES, batch_size=6, verbose=0, return_dict=True)
    fake = model.generate(model.layout.sample(6, model.stream_seed("evaluate", 0)))
    of_real, of_fake = (
        np.abs(np.float64(each) - np.float64(model.decoder(model.encoder(each)))).mean() for each in (REAL, fake)
    )
    assert found["real_loss"] == pytest.approx(of_real, rel=1e-5)
    assert found["g_loss"] == pytest.approx(of_fake, rel=1e-5)
    assert found["d_loss"] == pytest.approx(of_real - 0.25 * of_fake, rel=1e-5)
    assert found["convergence"] == pytest.approx(of_real + abs(0.7 * of_real - of_fake), rel=1e-5)
    assert found["k"] == 0.25
    assert abs(of_real - of_fake) > 0.01


def test_each_player_is_moved_by_its_own_loss():
    model = make(rate=1.0, kind=keras.optimizers.SGD, k=0.25)
    with tf.GradientTape(persistent=True) as tape:
        fake = model.generator(model.layout.sample(6, model.stream_seed("train", 0)))
        losses = {
            "d": rendered(model, REAL) - 0.25 * rendered(model, tf.stop_gradient(fake)),
            "g": rendered(model, fake),
        }
    expected = {player: tape.gradient(loss, model.trainable_of(player)) for player, loss in losses.items()}
    before = {player: [variable.numpy() for variable in model.trainable_of(player)] for player in losses}
    model.fit(IMAGES, batch_size=6, shuffle=False, verbose=0)
    for player, gradients in expected.items():
        assert max(float(tf.reduce_max(tf.abs(gradient))) for gradient in gradients) > 1e-3
        for variable, old, gradient in zip(model.trainable_of(player), before[player], gradients, strict=True):
            np.testing.assert_allclose(old - variable.numpy(), gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("k", [0.0, 0.3, 1.0])
def test_k_moves_as_the_formula_says_and_stays_within_0_and_1(gamma, k):
    model = make(gamma=gamma, lambda_k=RATE, k=k)
    found = model.fit(IMAGES, batch_size=6, shuffle=False, verbose=0).history
    moved = k + RATE * (gamma * found["real_loss"][0] - found["g_loss"][0])
    assert found["k"] == [pytest.approx(k)]
    assert float(model.k) == pytest.approx(min(max(moved, 0.0), 1.0), abs=1e-7)
    if k == 0.3:
        assert abs(moved - k) > 1e-3


def test_where_generated_images_are_rendered_better_d_comes_to_mind_them():
    model = make(gamma=1.0, lambda_k=RATE)
    model.generator.layers[-3].kernel.assign(tf.zeros_like(model.generator.layers[-3].kernel))
    for layer in (model.generator.layers[-3], model.decoder.layers[-3]):
        layer.bias.assign(tf.zeros_like(layer.bias))
    model.decoder.layers[-3].kernel.assign(tf.zeros_like(model.decoder.layers[-3].kernel))
    model.fit(IMAGES, batch_size=6, shuffle=False, verbose=0)  # both draw grey: L(G(z)) = 0
    assert float(model.k) == pytest.approx(RATE * np.abs(np.float64(REAL) - 0.5).mean(), rel=1e-4)


def test_what_is_learnt_is_kept_and_exported(tmp_path):
    model = make(gamma=0.4, lambda_k=RATE, k=0.5, average_decay=0.5)
    model.fit(IMAGES, batch_size=6, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.balancing, float(loaded.k)) == ({"gamma": 0.4, "lambda_k": RATE}, float(model.k))
    np.testing.assert_array_equal(loaded.features(IMAGES), model.features(IMAGES))
    assert model.features(IMAGES).shape == (6, 3)
    exported = tf.saved_model.load(str(export_saved_model(model, tmp_path / "served"))).signatures
    assert "encode" not in exported
    noise = np.random.default_rng(0).uniform(-1, 1, (4, 3)).astype(np.float32)
    with model.averaged():
        np.testing.assert_allclose(exported["generate"](noise=noise)["images"], model.generate(noise), atol=1e-5)


@pytest.mark.parametrize("networks", FAMILIES)
def test_every_family_gives_it_an_autoencoder(networks):
    model = build_model(Config(model="began", networks=networks, latents="noise:3", width=4), (16, 12, 1), "float32")
    shapes = [[tuple(weight.shape) for weight in network.weights] for network in (model.generator, model.decoder)]
    assert shapes[0] == shapes[1]
    assert not {id(weight) for weight in model.generator.weights} & {id(weight) for weight in model.decoder.weights}
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 12, 1), dtype=np.uint8)
    assert np.isfinite(list(model.train_on_batch(images, return_dict=True).values())).all()


def test_parameter_counts_of_its_networks():
    """Those of the paper at 64x64 with n = 64: 8x8 at the inner end, four sizes, filters of D from n to 4n."""
    networks = began_networks(64, 64, (64, 64, 3))
    conv = lambda inputs, outputs: 9 * inputs * outputs + outputs  # noqa: E731
    count = {name: network.count_params() for name, network in networks.items()}
    assert count["generator"] == 64 * 8 * 8 * 64 + 8 * 8 * 64 + 8 * conv(64, 64) + conv(64, 3)
    down = conv(64, 64) + conv(128, 128) + conv(192, 192)
    sizes = 2 * conv(64, 64) + conv(64, 128) + conv(128, 128) + conv(128, 192) + conv(192, 192) + conv(192, 256)
    assert count["trunk"] == conv(3, 64) + sizes + conv(256, 256) + down
    assert count["q_head"] == 8 * 8 * 256 * 64 + 64


def test_a_generator_doubles_by_taking_each_pixel_four_times():
    generator = began_networks(5, 0, (16, 24, 1), "float32", width=4)["generator"]
    upward = [layer for layer in generator.layers if isinstance(layer, keras.layers.UpSampling2D)]
    assert [(layer.size, layer.interpolation) for layer in upward] == [((2, 2), "nearest")]
    assert generator.output_shape == (None, 16, 24, 1)


def test_what_does_not_fit_is_refused():
    networks = mlp_networks(3, 3, (8, 8, 1), "float32")
    other = autoencoder_of(mlp_networks(4, 4, (8, 8, 1), "float32"))
    own = autoencoder_of(mlp_networks(3, 3, (8, 8, 1), "float32"))
    with pytest.raises(ValueError, match=r"decoder: expected inputs of shape \[4\]"):
        BEGAN("noise:3", networks["generator"], other["encoder"], own["decoder"])
    with pytest.raises(UserError, match="--latents: expected no codes"):
        BEGAN("noise:1,uniform:2", networks["generator"], **own)
    with pytest.raises(ValueError, match=r"gamma: expected a number from 0 to 1\. Received: 2"):
        make(gamma=2)
    with pytest.raises(ValueError, match=r"lambda_k: expected a number from 0\. Received: -1"):
        make(lambda_k=-1)
