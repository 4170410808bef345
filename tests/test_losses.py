"""The adversarial losses against their definitions."""

import numpy as np
import pytest
import scipy.special

from infogan_tf.losses import discriminator_loss, generator_loss, mutual_info_bound

REAL = np.array([[2.0], [-1.0], [0.5]], np.float32)
FAKE = np.array([[-3.0], [0.0], [1.0]], np.float32)


def test_discriminator_loss_is_minus_v():
    v = np.log(scipy.special.expit(REAL)).mean() + np.log(1 - scipy.special.expit(FAKE)).mean()
    assert float(discriminator_loss(REAL, FAKE)) == pytest.approx(-v, rel=1e-6)
    assert float(discriminator_loss(0 * REAL, 0 * FAKE)) == pytest.approx(2 * np.log(2))


def test_generator_loss_is_non_saturating():
    assert float(generator_loss(FAKE)) == pytest.approx(-np.log(scipy.special.expit(FAKE)).mean(), rel=1e-6)


@pytest.mark.parametrize("logit", [1e4, -1e4])
def test_extreme_logits_stay_finite(logit):
    logits = np.full((2, 1), logit, np.float32)
    assert np.isfinite(float(discriminator_loss(logits, logits)))
    assert np.isfinite(float(generator_loss(logits)))


def test_mutual_info_adds_the_entropy():
    assert float(mutual_info_bound(np.array([-1.0, -3.0], np.float32), 2.5)) == pytest.approx(0.5)
