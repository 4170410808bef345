"""Class frequencies that are learnt: how they are drawn, who learns them, and that they leave with the model."""

import math

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from conftest import make_model

from infogan_tf.checkpoints import Checkpoints
from infogan_tf.export import float32_twin
from infogan_tf.latents import LatentLayout
from infogan_tf.models.class_prior import ClassPrior

P = np.array([0.6, 0.3, 0.1], np.float32)
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), dtype=np.uint8)


def prior_of(probabilities):
    prior = ClassPrior(len(probabilities), "prior")
    prior.logits.assign(np.log(probabilities) + 5.0)
    return prior


def test_draws_are_one_hot_and_follow_the_frequencies():
    draws = prior_of(P).sample(20_000, tf.constant([1, 2])).numpy()
    np.testing.assert_allclose(np.sort(draws, axis=1), np.tile([0.0, 0.0, 1.0], (20_000, 1)), atol=1e-6)
    assert scipy.stats.chisquare(draws.round().sum(axis=0), 20_000 * P).pvalue > 1e-3
    assert float(prior_of(P).entropy()) == pytest.approx(scipy.stats.entropy(P), rel=1e-5)


def test_gradients_of_draws_move_the_frequencies():
    prior, optimizer = ClassPrior(3, "prior"), keras.optimizers.SGD(0.3)
    for i in range(200):
        with tf.GradientTape() as tape:
            frequencies = tf.reduce_mean(prior.sample(500, tf.constant([i, 0])), axis=0)
            loss = tf.reduce_sum(tf.square(frequencies - P))
        optimizer.apply(tape.gradient(loss, [prior.logits]), [prior.logits])
    np.testing.assert_allclose(prior.probabilities(), P, atol=0.05)


def test_a_layout_with_frequencies_draws_by_them():
    layout = LatentLayout.parse("noise:2,cat:3,uniform:1,cat:4").with_probabilities({"c1": P})
    assert layout["c1"].entropy == pytest.approx(scipy.stats.entropy(P), rel=1e-5)
    assert layout["c3"].entropy == pytest.approx(math.log(4))
    _, values = layout.sample_parts(20_000, tf.constant([0, 1]))
    assert scipy.stats.chisquare(np.bincount(values["c1"], minlength=3), 20_000 * P).pvalue > 1e-3
    assert scipy.stats.chisquare(np.bincount(values["c3"], minlength=4)).pvalue > 1e-3


def test_the_generator_learns_the_frequencies_and_the_bound_has_their_entropy():
    model = make_model(latents="noise:4,cat:3,uniform:1", learn_prior=True)
    prior = model.class_priors["c1"]
    prior.logits.assign(np.log(P))
    logs = model.train_on_batch(IMAGES, return_dict=True)
    np.testing.assert_array_less(1e-5, np.abs(prior.logits - np.log(P)))
    assert any(variable is prior.logits for variable in model.g_variables)
    assert not any(variable is prior.logits for variable in model.d_variables)
    parts = logs["mutual_info/c1"] + logs["mutual_info/c2"]
    assert logs["q_loss"] == pytest.approx(scipy.stats.entropy(P) + math.log(2) - parts, rel=1e-4)
    # Without it nothing is learnt or stored.
    assert make_model(latents="noise:4,cat:3,uniform:1").class_priors == {}


def test_frequencies_leave_training_with_the_model(tmp_path):
    model = make_model(latents="noise:4,cat:3,uniform:1", learn_prior=True)
    model.class_priors["c1"].logits.assign(np.log(P))
    twin = float32_twin(model)
    np.testing.assert_allclose(twin.layout["c1"].probabilities, P, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.learnt_layout()["c1"].probabilities, P, rtol=1e-5)
    Checkpoints(tmp_path).save(model)
    other = make_model(latents="noise:4,cat:3,uniform:1", learn_prior=True)
    assert Checkpoints(tmp_path).restore(other)
    np.testing.assert_allclose(float32_twin(other).layout["c1"].probabilities, P, rtol=1e-5)
