"""Measures of samples: closed forms, plain loops, and the perfect, the useless and the duplicated sample."""

import numpy as np
import pytest

from infogan_tf.evaluation.metrics import sample_quality as samples
from infogan_tf.evaluation.metrics.sample_quality import (
    FeatureStatistics,
    feature_statistics,
    frechet_distance,
    inception_score,
    kernel_distance,
    nearest_neighbours,
    precision_recall_density_coverage,
)


def normal(count, width=8, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, width)) + shift


# === Fréchet distance ===


def test_statistics_are_those_of_numpy_in_float64():
    features = (1000.0 + normal(50)).astype(np.float32)
    found = feature_statistics(features)
    assert found.count == 50
    assert found.mean.dtype == found.covariance.dtype == np.float64
    np.testing.assert_array_equal(found.mean, features.astype(np.float64).mean(axis=0))
    np.testing.assert_allclose(found.covariance, np.cov(features.astype(np.float64).T), rtol=1e-12)


def test_frechet_of_one_feature_is_the_closed_form():
    a = FeatureStatistics(np.array([1.0]), np.array([[4.0]]), 9)
    b = FeatureStatistics(np.array([-2.0]), np.array([[0.25]]), 9)
    assert frechet_distance(a, b) == pytest.approx(3.0**2 + (2.0 - 0.5) ** 2, abs=1e-12)
    assert feature_statistics(np.array([[1.0], [3.0]])).covariance == np.array([[2.0]])


def test_frechet_of_gaussians_with_common_axes_is_the_closed_form():
    # C_a and C_b commute, so that the trace of their root is the sum of roots of products of eigenvalues.
    rng = np.random.default_rng(0)
    axes, _ = np.linalg.qr(rng.normal(size=(64, 64)))
    values_a, values_b, mean = rng.gamma(1.0, size=64), rng.gamma(1.0, size=64), rng.normal(size=64)
    a = FeatureStatistics(np.zeros(64), axes * values_a @ axes.T, 100)
    b = FeatureStatistics(mean, axes * values_b @ axes.T, 100)
    expected = mean @ mean + np.sum((np.sqrt(values_a) - np.sqrt(values_b)) ** 2)
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, abs=1e-9)


def test_frechet_of_any_gaussians_is_the_matrix_root():
    from scipy.linalg import sqrtm

    a, b = feature_statistics(normal(99)), feature_statistics(normal(99, seed=1, shift=0.3) @ normal(8, seed=2))
    root = sqrtm(a.covariance @ b.covariance).real
    expected = np.sum((a.mean - b.mean) ** 2) + np.trace(a.covariance + b.covariance - 2.0 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("count", [500, 20])  # more images than features, and fewer: a singular covariance
def test_frechet_of_a_set_against_itself_is_0(count):
    features = np.maximum(normal(count, width=100), 0.0)
    features[:, 7] = 0.0  # a dead unit
    statistics = feature_statistics(features)
    assert 0.0 <= frechet_distance(statistics, statistics) < 1e-6


def test_frechet_of_a_constant_is_what_is_left():
    # A collapsed generator: no covariance at all.
    a, b = feature_statistics(normal(200)), feature_statistics(np.ones((10, 8)))
    assert frechet_distance(a, b) == pytest.approx(np.sum((a.mean - 1.0) ** 2) + np.trace(a.covariance), abs=1e-9)


# === Kernel distance ===


def loop_discrepancy(x, y):
    def kernel(a, b):
        return (a @ b / len(a) + 1.0) ** 3

    n = len(x)
    within = [kernel(s[i], s[j]) for s in (x, y) for i in range(n) for j in range(n) if i != j]
    between = [kernel(x[i], y[j]) for i in range(n) for j in range(n)]
    return sum(within) / (n * (n - 1)) - 2.0 * sum(between) / n**2


def test_kernel_distance_is_the_plain_loop():
    real, fake = normal(40), normal(60, seed=1, shift=0.5)
    rng = np.random.default_rng(3)
    estimates = [
        loop_discrepancy(real[rng.choice(40, 10, replace=False)], fake[rng.choice(60, 10, replace=False)])
        for _ in range(5)
    ]
    found = kernel_distance(real, fake, seed=3, subsets=5, subset_size=10)
    assert found["kid"] == pytest.approx(np.mean(estimates), rel=1e-12)
    assert found["kid_stderr"] == pytest.approx(np.std(estimates, ddof=1) * np.sqrt(10 / 30), rel=1e-9)
    # Subsets of more than half the smaller set are not taken.
    assert kernel_distance(real, fake, seed=3, subset_size=1000) == kernel_distance(real, fake, seed=3, subset_size=20)


def test_kernel_distance_is_unbiased_and_its_error_is_honest():
    repeats = [
        kernel_distance(normal(200, seed=2 * i), normal(200, seed=2 * i + 1), seed=i, subset_size=100)
        for i in range(40)
    ]
    kids = np.array([found["kid"] for found in repeats])
    assert abs(kids.mean()) < 3.0 * kids.std() / np.sqrt(40)
    assert kids.min() < 0.0
    shifted = [
        kernel_distance(normal(200, seed=2 * i), normal(200, seed=2 * i + 1, shift=0.5), seed=i, subset_size=50)
        for i in range(40)
    ]
    spread = np.std([found["kid"] for found in shifted])
    assert np.mean([found["kid_stderr"] for found in shifted]) == pytest.approx(spread, rel=0.4)


# === Inception score ===


def test_a_classifier_that_knows_nothing_scores_1():
    found = inception_score(np.full((100, 10), 0.1))
    assert found == {"inception_score": pytest.approx(1.0), "inception_score_stderr": pytest.approx(0.0, abs=1e-12)}


def test_certain_and_balanced_predictions_score_the_number_of_classes():
    assert inception_score(np.tile(np.eye(10), (30, 1)))["inception_score"] == pytest.approx(10.0)


def test_one_class_for_all_scores_1():
    assert inception_score(np.tile(np.eye(10)[3], (30, 1)))["inception_score"] == pytest.approx(1.0)


def test_inception_score_of_parts():
    # The first part holds one class, the second two.
    found = inception_score(np.eye(2)[[0, 0, 0, 1]], splits=2)
    assert found["inception_score"] == pytest.approx(1.5)
    assert found["inception_score_stderr"] == pytest.approx(0.5)


# === Neighbourhoods ===


def loop_neighbourhoods(real, fake, k):
    def distance(a, b):
        return np.sqrt(np.sum((a - b) ** 2))

    def radius(points, i):
        return sorted(distance(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

    def inside(point, points):
        return [distance(point, points[i]) <= radius(points, i) for i in range(len(points))]

    return {
        "precision": np.mean([any(inside(y, real)) for y in fake]),
        "recall": np.mean([any(inside(x, fake)) for x in real]),
        "density": np.mean([sum(inside(y, real)) for y in fake]) / k,
        "coverage": np.mean([any(distance(x, y) <= radius(real, i) for y in fake) for i, x in enumerate(real)]),
    }


@pytest.mark.parametrize("k", [1, 3])
def test_neighbourhoods_are_the_plain_loops(k):
    real, fake = normal(50, width=3), normal(40, width=3, seed=1, shift=0.7)
    found = precision_recall_density_coverage(real, fake, k)
    assert found == pytest.approx(loop_neighbourhoods(real, fake, k))
    assert 0.0 < found["precision"] < 1.0
    assert 0.0 < found["recall"] < 1.0


def test_chunks_change_nothing(monkeypatch):
    real, fake = normal(900), normal(800, seed=1)
    whole = precision_recall_density_coverage(real, fake)
    monkeypatch.setattr(samples, "CHUNK_MIB", 0.5)
    assert precision_recall_density_coverage(real, fake) == whole


def test_the_same_set_is_perfect():
    found = precision_recall_density_coverage(normal(300), normal(300))
    assert (found["precision"], found["recall"], found["coverage"]) == (1.0, 1.0, 1.0)
    assert 1.0 - 1e-9 <= found["density"] <= 6 / 5 + 1e-9  # each point lies in its own ball besides k others'


def test_other_draws_of_the_same_kind_have_density_1():
    found = precision_recall_density_coverage(normal(2000, width=4), normal(2000, width=4, seed=1))
    assert found["density"] == pytest.approx(1.0, abs=0.03)
    assert found["coverage"] == pytest.approx(
        1.0 - 2.0**-5, abs=0.02
    )  # missed where the 5 nearest of both are all real


def test_samples_far_from_all_data_are_useless():
    found = precision_recall_density_coverage(normal(100), normal(100, seed=1, shift=100.0))
    assert found == {"precision": 0.0, "recall": 0.0, "density": 0.0, "coverage": 0.0}


def test_one_real_image_over_and_over():
    real = normal(500)
    found = precision_recall_density_coverage(real, np.repeat(real[:1], 400, axis=0))
    assert found["precision"] == 1.0
    assert found["recall"] <= 1 / 500
    assert found["coverage"] < 0.05


# === Nearest neighbours ===


def test_nearest_neighbours_are_the_plain_loop(monkeypatch):
    rng = np.random.default_rng(0)
    training = rng.integers(0, 256, (50, 4, 4, 1), dtype=np.uint8)
    made = rng.random((7, 4, 4, 1), dtype=np.float32)
    monkeypatch.setattr(samples, "CHUNK_MIB", 12 * 16 * 8 / 2**20)  # pieces of twelve images
    indices, distances = nearest_neighbours(made, training, count=3)
    everything = np.sqrt([[np.sum((made[i] - training[j] / 255.0) ** 2) for j in range(50)] for i in range(7)])
    np.testing.assert_array_equal(indices, np.argsort(everything, axis=1)[:, :3])
    np.testing.assert_allclose(distances, np.sort(everything, axis=1)[:, :3], rtol=1e-12)


def test_a_copy_is_at_no_distance():
    training = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 1), dtype=np.uint8)
    indices, distances = nearest_neighbours(training[[5, 3]], training)
    assert indices.tolist() == [[5], [3]]
    assert distances.tolist() == [[0.0], [0.0]]


# === Bad input ===


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: feature_statistics(normal(1)), r"features: .* at least 2 rows .*Received: features=\(1, 8\)"),
        (lambda: feature_statistics(np.full((5, 2), np.nan)), r"finite.*Received: features=\(5, 2\), not all finite"),
        (
            lambda: frechet_distance(feature_statistics(normal(9)), feature_statistics(normal(9, width=2))),
            "b: expected as many features as a, 8. Received: b=2 features",
        ),
        (lambda: kernel_distance(normal(9), normal(3), seed=0), r"fake: .* at least 4 rows .*Received: fake=\(3, 8\)"),
        (lambda: kernel_distance(normal(9), normal(9, width=3), seed=0), r"fake: expected 8 features.*\(9, 3\)"),
        (lambda: inception_score(np.eye(9)), r"probabilities: .* at least 10 rows .*Received: .*\(9, 9\)"),
        (lambda: precision_recall_density_coverage(normal(5), normal(9)), r"real: .* at least 6 rows .*\(5, 8\)"),
        (lambda: nearest_neighbours(normal(2), normal(2), 3), r"training: .* at least 3 .*Received: training=2 images"),
        (
            lambda: nearest_neighbours(normal(2), np.ones((2, 8))),
            r"samples: expected uint8 .*Received: samples=f",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message) as info:
        call()
    assert "\n" not in str(info.value)
