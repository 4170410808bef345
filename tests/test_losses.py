"""The adversarial losses against their definitions."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from infogan_tf.latents.layout import mutual_info_bound
from infogan_tf.objectives.adversarial import (
    ADVERSARIAL_LOSSES,
    nonsaturating_discriminator_loss,
    nonsaturating_generator_loss,
)

REAL = np.array([[2.0], [-1.0], [0.5]], np.float32)
FAKE = np.array([[-3.0], [0.0], [1.0]], np.float32)


def test_discriminator_loss_is_minus_v():
    v = np.log(scipy.special.expit(REAL)).mean() + np.log(1 - scipy.special.expit(FAKE)).mean()
    assert float(nonsaturating_discriminator_loss(REAL, FAKE)) == pytest.approx(-v, rel=1e-6)
    assert float(nonsaturating_discriminator_loss(0 * REAL, 0 * FAKE)) == pytest.approx(2 * np.log(2))


def test_generator_loss_is_non_saturating():
    expected = -np.log(scipy.special.expit(FAKE)).mean()
    assert float(nonsaturating_generator_loss(FAKE)) == pytest.approx(expected, rel=1e-6)


# By loss: what D minimises of real logits, their target and fake logits, and what G minimises of fake logits.
DEFINITIONS = {
    "nonsaturating": (
        lambda r, t, f: -(t * log_sigmoid(r) + (1 - t) * log_sigmoid(-r)).mean() - log_sigmoid(-f).mean(),
        lambda f: -log_sigmoid(f).mean(),
    ),
    "minimax": (
        lambda r, t, f: -(t * log_sigmoid(r) + (1 - t) * log_sigmoid(-r)).mean() - log_sigmoid(-f).mean(),
        lambda f: log_sigmoid(-f).mean(),
    ),
    "hinge": (
        lambda r, _, f: np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean(),
        lambda f: -f.mean(),
    ),
    "least_squares": (
        lambda r, t, f: ((r - t) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda f: ((f - 1) ** 2).mean() / 2,
    ),
    "wasserstein": (lambda r, _, f: f.mean() - r.mean(), lambda f: -f.mean()),
    "relativistic": (lambda r, _, f: -log_sigmoid(r - f).mean(), lambda f, r: -log_sigmoid(f - r).mean()),
}


def log_sigmoid(x):
    return np.log(scipy.special.expit(x.astype(np.float64)))


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_adversarial_losses_are_their_definitions(name):
    loss, (of_d, of_g) = ADVERSARIAL_LOSSES[name], DEFINITIONS[name]
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(of_d(REAL, 1.0, FAKE), rel=1e-6)
    read = (FAKE, REAL) if loss.is_paired else (FAKE,)
    assert float(loss.generator(*read)) == pytest.approx(of_g(*read), rel=1e-6)


@pytest.mark.parametrize("name", ["nonsaturating", "minimax", "least_squares"])
def test_a_target_for_real_images_is_what_d_is_to_say_of_them(name):
    loss, (of_d, _) = ADVERSARIAL_LOSSES[name], DEFINITIONS[name]
    assert float(loss.discriminator(REAL, FAKE, 0.9)) == pytest.approx(of_d(REAL, 0.9, FAKE), rel=1e-6)


def test_the_other_losses_set_d_no_target():
    others = {name for name, loss in ADVERSARIAL_LOSSES.items() if not loss.takes_target}
    assert others == {"hinge", "wasserstein", "relativistic"}


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_ds_output_is_a_probability_where_the_loss_makes_it_one(name):
    loss = ADVERSARIAL_LOSSES[name]
    probability = name in ("nonsaturating", "minimax")
    expected = scipy.special.expit(REAL).mean() if probability else REAL.mean()
    assert float(loss.mean_output(REAL)) == pytest.approx(expected, rel=1e-6)
    assert loss.output_name == ("prob" if probability else "output")


@pytest.mark.parametrize(("name", "of_logit"), [("minimax", lambda d: -d), ("nonsaturating", lambda d: d - 1)])
def test_where_d_is_sure_the_minimax_loss_alone_has_no_gradient(name, of_logit):
    logits = tf.constant([[-30.0], [-2.0], [0.0], [3.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = ADVERSARIAL_LOSSES[name].generator(logits)
    expected = of_logit(scipy.special.expit(logits.numpy().astype(np.float64))) / 4
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, rtol=1e-5, atol=1e-12)


def test_a_smoothed_target_is_least_where_d_says_it():
    logit = np.log(9.0)  # D(x) = 0.9
    real = [REAL * 0 + np.float32(x) for x in (logit - 0.1, logit, logit + 0.1)]
    assert np.argmin([float(nonsaturating_discriminator_loss(each, FAKE, 0.9)) for each in real]) == 1


@pytest.mark.parametrize("logit", [1e4, -1e4])
def test_extreme_logits_stay_finite(logit):
    logits = np.full((2, 1), logit, np.float32)
    assert np.isfinite(float(nonsaturating_discriminator_loss(logits, logits)))
    assert np.isfinite(float(nonsaturating_generator_loss(logits)))


def test_mutual_info_adds_the_entropy():
    assert float(mutual_info_bound(np.array([-1.0, -3.0], np.float32), 2.5)) == pytest.approx(0.5)
