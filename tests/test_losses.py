"""The adversarial losses against their definitions."""

import numpy as np
import pytest
import scipy.special

from infogan_tf.latents.layout import mutual_info_bound
from infogan_tf.objectives.adversarial import ADVERSARIAL_LOSSES, discriminator_loss, generator_loss

REAL = np.array([[2.0], [-1.0], [0.5]], np.float32)
FAKE = np.array([[-3.0], [0.0], [1.0]], np.float32)


def test_discriminator_loss_is_minus_v():
    v = np.log(scipy.special.expit(REAL)).mean() + np.log(1 - scipy.special.expit(FAKE)).mean()
    assert float(discriminator_loss(REAL, FAKE)) == pytest.approx(-v, rel=1e-6)
    assert float(discriminator_loss(0 * REAL, 0 * FAKE)) == pytest.approx(2 * np.log(2))


def test_generator_loss_is_non_saturating():
    assert float(generator_loss(FAKE)) == pytest.approx(-np.log(scipy.special.expit(FAKE)).mean(), rel=1e-6)


# By loss: what D minimises of real logits, their target and fake logits, and what G minimises of fake logits.
DEFINITIONS = {
    "nonsaturating": (
        lambda r, t, f: -(t * log_sigmoid(r) + (1 - t) * log_sigmoid(-r)).mean() - log_sigmoid(-f).mean(),
        lambda f: -log_sigmoid(f).mean(),
    ),
    "hinge": (
        lambda r, t, f: np.maximum(0, t - r).mean() + np.maximum(0, 1 + f).mean(),
        lambda f: -f.mean(),
    ),
    "least_squares": (
        lambda r, t, f: ((r - t) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda f: ((f - 1) ** 2).mean() / 2,
    ),
    "wasserstein": (lambda r, t, f: f.mean() - t * r.mean(), lambda f: -f.mean()),
}


def log_sigmoid(x):
    return np.log(scipy.special.expit(x.astype(np.float64)))


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
@pytest.mark.parametrize("target", [1.0, 0.9])
def test_adversarial_losses_are_their_definitions(name, target):
    loss, (of_d, of_g) = ADVERSARIAL_LOSSES[name], DEFINITIONS[name]
    assert float(loss.discriminator(REAL, FAKE, target)) == pytest.approx(of_d(REAL, target, FAKE), rel=1e-6)
    assert float(loss.generator(FAKE)) == pytest.approx(of_g(FAKE), rel=1e-6)


def test_a_smoothed_target_is_least_where_d_says_it():
    logit = np.log(9.0)  # D(x) = 0.9
    losses = [float(discriminator_loss(REAL * 0 + np.float32(x), FAKE, 0.9)) for x in (logit - 0.1, logit, logit + 0.1)]
    assert np.argmin(losses) == 1


@pytest.mark.parametrize("logit", [1e4, -1e4])
def test_extreme_logits_stay_finite(logit):
    logits = np.full((2, 1), logit, np.float32)
    assert np.isfinite(float(discriminator_loss(logits, logits)))
    assert np.isfinite(float(generator_loss(logits)))


def test_mutual_info_adds_the_entropy():
    assert float(mutual_info_bound(np.array([-1.0, -3.0], np.float32), 2.5)) == pytest.approx(0.5)
