"""The Parzen window against closed forms and another implementation."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.neighbors import KernelDensity

from infogan_tf.evaluation.metrics import parzen
from infogan_tf.evaluation.metrics.parzen import BANDWIDTHS, parzen_log_likelihood


def images(count, seed, size=4):
    return np.random.default_rng(seed).random((count, size, size, 1))


def test_it_is_the_log_of_the_mean_density():
    samples, test = images(30, 0), images(20, 1)
    found = parzen_log_likelihood(samples, images(5, 2), test, bandwidths=[0.2])
    density = np.mean(
        [multivariate_normal(sample.ravel(), 0.2**2).pdf(test.reshape(20, -1)) for sample in samples], axis=0
    )
    assert found["log_likelihood"] == pytest.approx(np.log(density).mean(), abs=1e-9)
    assert found["log_likelihood_stderr"] == pytest.approx(np.log(density).std(ddof=1) / np.sqrt(20), abs=1e-9)
    assert found["bandwidth"] == 0.2


@pytest.mark.parametrize("bandwidth", [0.02, 0.15, 1.0])  # the first underflows unless taken in logarithms
def test_it_is_scikit_learns_density_at_the_size_of_mnist(bandwidth):
    samples, test = images(300, 0, size=28), images(50, 1, size=28)
    # In one leaf: the sums of bounds over a tree are wrong at so many pixels (-768.5 for -782.6 at bandwidth 1).
    other = KernelDensity(bandwidth=bandwidth, leaf_size=300).fit(samples.reshape(300, -1))
    expected = other.score_samples(test.reshape(50, -1)).mean()
    found = parzen_log_likelihood(samples, test, test, bandwidths=[bandwidth])
    assert found["log_likelihood"] == pytest.approx(expected, rel=1e-12)


def test_bytes_are_the_same_as_floats_in_0_to_1(monkeypatch):
    rng = np.random.default_rng(0)
    bytes_ = [rng.integers(0, 256, (count, 4, 4, 1), dtype=np.uint8) for count in (200, 150, 100)]
    expected = parzen_log_likelihood(*(part / 255.0 for part in bytes_))
    assert parzen_log_likelihood(*bytes_) == expected
    monkeypatch.setattr(parzen, "CHUNK_MIB", 0.1)  # many chunks
    assert parzen_log_likelihood(*bytes_) == pytest.approx(expected, rel=1e-12)


def test_the_bandwidth_is_the_best_for_validation_images_alone():
    samples, validation, test = images(100, 0), images(80, 1), images(60, 2)
    by_bandwidth = [
        parzen_log_likelihood(samples, test, validation, bandwidths=[bandwidth])["log_likelihood"]
        for bandwidth in BANDWIDTHS
    ]
    found = parzen_log_likelihood(samples, validation, test)
    assert found["bandwidth"] == BANDWIDTHS[np.argmax(by_bandwidth)]


def test_samples_of_the_data_beat_blank_ones():
    data = np.clip(0.5 + 0.05 * np.random.default_rng(0).normal(size=(300, 8, 8, 1)), 0.0, 1.0)
    likely = parzen_log_likelihood(data[:100], data[100:200], data[200:])
    blank = parzen_log_likelihood(np.zeros((100, 8, 8, 1)), data[100:200], data[200:])
    assert likely["log_likelihood"] > blank["log_likelihood"] + 50.0
    # One window of the best width is the Gaussian of variance E[x^2].
    assert blank["bandwidth"] == pytest.approx(np.sqrt(np.mean(data[100:200] ** 2)), rel=0.06)


@pytest.mark.parametrize("bandwidth", [1e-7, 1e-3])
def test_copies_of_samples_lie_at_no_distance_under_a_narrow_window(bandwidth):
    samples = images(8, 0, size=16)
    found = parzen_log_likelihood(samples, samples, samples[:3], bandwidths=[bandwidth])
    # Each is the middle of one window of eight, and far from all others.
    expected = -np.log(8) - 256 * np.log(bandwidth * np.sqrt(2 * np.pi))
    assert found["log_likelihood"] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((images(0, 0), images(5, 1), images(5, 2)), "Received: samples=0, validation=5, test=5 images"),
        ((images(5, 0), images(5, 1), images(1, 2)), "Received: samples=5, validation=5, test=1 images"),
        ((images(5, 0), images(5, 1), 3.0 * images(5, 2)), r"test: expected uint8 images, or floats in \[0, 1\]"),
        ((images(5, 0), images(5, 1), images(5, 2), [0.1, 0.0]), r"bandwidths: expected positive .*\[0\.1, 0\.0\]"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        parzen_log_likelihood(*arguments)
