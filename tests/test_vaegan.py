"""The VAE-GAN: its losses against NumPy, which of them reaches which player, and when a player stands still."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from infogan_tf.config.options import Config
from infogan_tf.export import export_saved_model
from infogan_tf.models.build import build_model
from infogan_tf.models.vaegan import EQUILIBRIUM, MARGIN, VAEGAN, in_balance
from infogan_tf.networks import FAMILIES
from infogan_tf.networks.autoencoder import autoencoder_of
from infogan_tf.networks.mlp import mlp_networks
from infogan_tf.random import fold_in

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
WEIGHT = 0.3


def make(dtype="float32", rate=1e-3, kind=keras.optimizers.Adam, weight=WEIGHT, **arguments):
    """A compiled VAE-GAN on tiny images, whose networks all say something of them."""
    keras.utils.set_random_seed(0)
    networks, others = (mlp_networks(2, 4, (8, 8, 1), dtype) for _ in range(2))
    encoder = autoencoder_of(others)["encoder"]
    model = VAEGAN("normal_noise:2", networks["generator"], encoder, networks["trunk"], networks["d_head"])
    rng = np.random.default_rng(1)
    for network in model.networks.values():
        for variable in network.trainable_variables:
            variable.assign(rng.normal(size=variable.shape) / np.sqrt(variable.shape[0]))
    model.compile(*(kind(rate) for _ in "deg"), reconstruction_weight=weight, **arguments)
    return model


def computed(model, seed):
    """By name, the parts of the losses of IMAGES, as the paper has them; of TensorFlow's operations, on one draw."""
    images = tf.constant(IMAGES / np.float32(255))
    mean, log_variance = tf.split(model.encoder(images), 2, axis=1)
    z = mean + tf.sqrt(tf.exp(log_variance)) * model.layout.noise.sample(6, seed)
    decoded, drawn = (model.generator(each) for each in (z, model.layout.sample(6, fold_in(seed, 1))))
    f = model.trunk
    d_real, d_decoded, d_drawn = (tf.sigmoid(model.d_head(f(each)))[:, 0] for each in (images, decoded, drawn))
    return {
        "kl": tf.reduce_mean(tf.reduce_sum(mean**2 + tf.exp(log_variance) - 1 - log_variance, axis=1)) / 2,
        "feature_loss": tf.reduce_mean(tf.reduce_sum((f(images) - f(decoded)) ** 2, axis=1)) / 2,
        "real": -tf.reduce_mean(tf.math.log(d_real)),
        "fake": -tf.reduce_mean(tf.math.log(1 - d_decoded) + tf.math.log(1 - d_drawn)) / 2,
        "g_loss": -tf.reduce_mean(tf.math.log(d_decoded) + tf.math.log(d_drawn)) / 2,
    }


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight):
    with pytest.raises(ValueError, match="reconstruction_weight: expected a number from 0"):
        make(weight=weight)


def test_the_losses_are_those_of_the_paper():
    model = make()
    found = model.evaluate(IMAGES, batch_size=6, verbose=0, return_dict=True)
    seed = model.stream_seed("evaluate", 0)
    parts = {name: float(value) for name, value in computed(model, seed).items()}
    assert found["d_loss"] == pytest.approx(parts["real"] + parts["fake"], rel=1e-4)
    for name in ("g_loss", "feature_loss", "kl"):
        assert found[name] == pytest.approx(parts[name], rel=1e-4)
        assert parts[name] > 0.01
    assert set(found) == {"d_loss", "g_loss", "feature_loss", "kl", "prob_real", "prob_fake"}
    # Once more, by NumPy alone but for the networks.
    images = IMAGES / np.float32(255)
    read = model.encode(images)["noise"]
    z = read["mean"] + read["stddev"] * model.layout.noise.sample(6, seed).numpy()
    f_real, f_decoded = (np.float64(model.features(each)) for each in (images, model.decode(z)))
    assert found["feature_loss"] == pytest.approx(0.5 * ((f_real - f_decoded) ** 2).sum(axis=1).mean(), rel=1e-4)
    logits = np.float64(model.d_head(f_real.astype(np.float32)))
    assert found["prob_real"] == pytest.approx(expit(logits).mean(), rel=1e-5)
    kl = 0.5 * (read["mean"] ** 2 + read["stddev"] ** 2 - 1 - 2 * np.log(read["stddev"])).sum(axis=1).mean()
    assert found["kl"] == pytest.approx(kl, rel=1e-4)


def test_each_player_is_moved_by_its_own_loss_alone(monkeypatch):
    monkeypatch.setattr("infogan_tf.models.vaegan.MARGIN", 100.0)
    model = make(rate=1.0, kind=keras.optimizers.SGD)
    with tf.GradientTape(persistent=True) as tape:
        parts = computed(model, model.stream_seed("train", 0))
        losses = {
            "e": parts["kl"] + parts["feature_loss"],
            "g": WEIGHT * parts["feature_loss"] + parts["g_loss"],
            "d": parts["real"] + parts["fake"],
        }
    expected = {player: tape.gradient(loss, model.trainable_of(player)) for player, loss in losses.items()}
    # What is not to move them would.
    for player, stray in (("e", "g_loss"), ("e", "fake"), ("d", "feature_loss")):
        gradients = filter(tf.is_tensor, tape.gradient(parts[stray], model.trainable_of(player)))
        assert max(float(tf.reduce_max(tf.abs(gradient))) for gradient in gradients) > 1e-3
    before = {player: [variable.numpy() for variable in model.trainable_of(player)] for player in losses}
    model.fit(IMAGES, batch_size=6, shuffle=False, verbose=0)
    for player, gradients in expected.items():
        for variable, old, gradient in zip(model.trainable_of(player), before[player], gradients, strict=True):
            np.testing.assert_allclose(old - variable.numpy(), gradient, rtol=1e-3, atol=1e-5)


LOW, MIDDLE, HIGH = EQUILIBRIUM - MARGIN - 0.01, EQUILIBRIUM, EQUILIBRIUM + MARGIN + 0.01


@pytest.mark.parametrize("real", [LOW, MIDDLE, HIGH])
@pytest.mark.parametrize("fake", [LOW, MIDDLE, HIGH])
def test_a_player_that_is_ahead_stands_still_unless_both_would(real, fake):
    # As the authors' code has it.
    d_due = g_due = True
    if real < EQUILIBRIUM - MARGIN or fake < EQUILIBRIUM - MARGIN:
        d_due = False
    if real > EQUILIBRIUM + MARGIN or fake > EQUILIBRIUM + MARGIN:
        g_due = False
    if not (d_due or g_due):
        d_due = g_due = True
    assert tuple(map(bool, in_balance(tf.constant(real), tf.constant(fake)))) == (d_due, g_due)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize(("equilibrium", "still"), [(3.0, "d"), (0.0, "g")])
def test_who_stands_still_keeps_weights_and_optimizer(monkeypatch, dtype, equilibrium, still):
    monkeypatch.setattr("infogan_tf.models.vaegan.EQUILIBRIUM", equilibrium)
    model = make(dtype)
    model.d_head.layers[-1].kernel.assign(model.d_head.layers[-1].kernel / 100)  # so that D says about 1/2 of all
    state = {player: [*model.trainable_of(player), *model.optimizers[player].variables] for player in model.PLAYERS}
    before = {player: [variable.numpy() for variable in each] for player, each in state.items()}
    history = model.fit(IMAGES, batch_size=6, shuffle=False, verbose=0).history
    moved = {
        player: any((variable.numpy() != old).any() for variable, old in zip(each, before[player], strict=True))
        for player, each in state.items()
    }
    assert moved == {"d": still != "d", "e": True, "g": still != "g"}
    assert (history["d_updated"][0], history["g_updated"][0]) == (float(still != "d"), float(still != "g"))


def test_what_it_is_asked_is_what_is_exported_and_kept(tmp_path):
    model = make(average_decay=0.5)
    model.fit(IMAGES, batch_size=6, epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.reconstruction_weight == WEIGHT
    np.testing.assert_array_equal(loaded.reconstruct(IMAGES), model.reconstruct(IMAGES))
    exported = tf.saved_model.load(str(export_saved_model(model, tmp_path / "served"))).signatures
    images = tf.constant(IMAGES / 255.0, tf.float32)
    with model.averaged():
        np.testing.assert_allclose(
            exported["reconstruct"](images=images)["images"], model.reconstruct(IMAGES), atol=1e-5
        )
        read, own = exported["encode"](images=images), model.encode(IMAGES)["noise"]
    np.testing.assert_allclose(read["noise_mean"], own["mean"], atol=1e-5)
    np.testing.assert_allclose(read["noise_stddev"], own["stddev"], atol=1e-5)


@pytest.mark.parametrize("networks", FAMILIES)
def test_every_family_gives_it_an_encoder_beside_d(networks):
    model = build_model(
        Config(model="vaegan", networks=networks, latents="normal_noise:3", width=4), (16, 12, 1), "float32"
    )
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 12, 1), dtype=np.uint8)
    read = model.encode(images)["noise"]
    assert read["mean"].shape == read["stddev"].shape == (4, 3)
    of_encoder, of_d = ({id(weight) for weight in network.weights} for network in (model.encoder, model.trunk))
    assert not of_encoder & of_d
    shapes = [[tuple(weight.shape) for weight in network.weights] for network in (model.encoder.layers[0], model.trunk)]
    assert shapes[0] == shapes[1]
    assert np.isfinite(list(model.train_on_batch(images, return_dict=True).values())).all()


def test_an_encoder_of_another_size_is_refused():
    networks = mlp_networks(2, 3, (8, 8, 1), "float32")
    with pytest.raises(ValueError, match=r"encoder: expected one of 4 outputs .* Received: one of 3"):
        VAEGAN("normal_noise:2", networks["generator"], autoencoder_of(networks)["encoder"], networks["trunk"],
               networks["d_head"])  # fmt: skip
