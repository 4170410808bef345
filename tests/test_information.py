"""L_I and its standard error against closed forms and scipy."""

import math

import numpy as np
import pytest
from scipy import special, stats

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.information import mutual_info, standardised_mutual_info

LN2 = math.log(2.0)


def test_a_perfect_and_a_useless_categorical_code():
    entropy = math.log(10)
    assert mutual_info(np.zeros(100), entropy) == {"mutual_info": pytest.approx(entropy), "mutual_info_stderr": 0.0}
    assert mutual_info(np.full(100, -entropy), entropy)["mutual_info"] == pytest.approx(0.0)


def test_the_standard_error_is_that_of_a_mean():
    log_prob = np.random.default_rng(0).normal(-1.0, 0.5, 5_000)
    assert mutual_info(log_prob, 1.0)["mutual_info_stderr"] == pytest.approx(stats.sem(log_prob), rel=1e-12)


def test_a_bound_is_covered_by_its_standard_error():
    rng, true = np.random.default_rng(1), 0.3
    found = [mutual_info(rng.normal(true - LN2, 1.0, 400), LN2) for _ in range(400)]
    inside = [abs(figure["mutual_info"] - true) < 1.96 * figure["mutual_info_stderr"] for figure in found]
    assert 0.92 < np.mean(inside) < 0.98


def test_the_standardised_bound_of_a_gaussian_channel_is_its_capacity():
    # c ~ N(0, 1), mean = 5 (c + noise) + 2 : I = ln(1 + 1 / variance) / 2, which a Gaussian posterior attains.
    rng, noise = np.random.default_rng(0), 0.5
    values = rng.normal(size=40_000)
    means = 5.0 * (values + noise * rng.normal(size=len(values))) + 2.0
    figure = standardised_mutual_info(values, means, entropy=0.5 * math.log(2 * math.pi * math.e))
    assert figure["mutual_info"] == pytest.approx(
        0.5 * math.log(1 + 1 / noise**2), abs=4 * figure["mutual_info_stderr"]
    )


def test_a_posterior_that_knows_nothing_has_a_vacuous_bound():
    rng = np.random.default_rng(0)
    values, means = rng.uniform(-1, 1, 10_000), rng.normal(size=10_000)
    assert standardised_mutual_info(values, means, LN2, (-1, 1))["mutual_info"] == pytest.approx(0.0, abs=0.002)
    # A Gaussian that is not cut to the code's range can at best have its variance of 1/3.
    uncut = LN2 - 0.5 * math.log(2 * math.pi * math.e / 3)
    assert standardised_mutual_info(values, means, LN2)["mutual_info"] == pytest.approx(uncut, abs=0.01)


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_the_standardised_bound_nears_the_information_of_a_uniform_channel(noise):
    # c uniform, mean = c + noise: I = h(c + noise) - h(noise), by quadrature. Q(c|mean) is a cut Gaussian exactly.
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, 40_000)
    means = values + noise * rng.normal(size=len(values))
    at = np.linspace(-1 - 8 * noise, 1 + 8 * noise, 20_001)
    density = (stats.norm.cdf((at + 1) / noise) - stats.norm.cdf((at - 1) / noise)) / 2
    exact = np.trapezoid(special.entr(density), at) - stats.norm.entropy(scale=noise)
    figure = standardised_mutual_info(values, means, LN2, (-1, 1))
    assert figure["mutual_info"] == pytest.approx(exact, abs=3 * figure["mutual_info_stderr"] + 0.002)


def test_a_code_read_without_error_gives_a_large_finite_bound():
    values = np.random.default_rng(0).uniform(-1, 1, 100)
    assert 5.0 < standardised_mutual_info(values, 3.0 * values, LN2)["mutual_info"] < 50.0


def test_a_posterior_whose_mean_is_constant_is_no_error():
    values = np.random.default_rng(0).uniform(-1, 1, 1_000)
    assert standardised_mutual_info(values, np.zeros(1_000), LN2, (-1, 1))["mutual_info"] < 0.01


def test_too_few_draws_are_refused():
    with pytest.raises(NotMeasuredError, match=r"at least 2 draws\. Received: 1"):
        mutual_info(np.zeros(1), 1.0)
    with pytest.raises(NotMeasuredError, match=r"at least 8 draws\. Received: 7"):
        standardised_mutual_info(np.zeros(7), np.zeros(7), 1.0)
