"""Measures of samples: closed forms, plain loops, and the perfect, the useless and the duplicated sample."""

import numpy as np
import pytest

from infogan_tf.evaluation.metrics import sample_quality as samples
from infogan_tf.evaluation.metrics.kernel_variance import variance, variance_parts
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
    # Subsets of more than half the smaller set are not taken.
    assert kernel_distance(real, fake, seed=3, subset_size=1000) == kernel_distance(real, fake, seed=3, subset_size=20)


@pytest.mark.parametrize(
    ("counts", "shift", "off"),
    [((200, 200), 0.0, 0.25), ((400, 150), 0.0, 0.25), ((200, 200), 0.15, 0.25), ((200, 200), 1.5, 0.25)],
)
def test_its_error_is_the_spread_over_independent_draws_near_0_and_far_from_it(counts, shift, off):
    found = []
    for i in range(100):
        rng = np.random.default_rng(i)
        real, fake = (rng.normal(size=(count, 8)) for count in counts)
        fake[:, 0] += shift
        found.append(kernel_distance(real, fake, seed=i, subsets=20, subset_size=75))
    kids, errors = (np.array([each[name] for each in found]) for name in ("kid", "kid_stderr"))
    # The spread of 100 is itself known to 7%.
    assert errors.mean() == pytest.approx(kids.std(ddof=1), rel=off)
    if shift == 0.0:
        assert abs(kids.mean()) < 3.0 * kids.std() / np.sqrt(100)
        assert kids.min() < 0.0


def test_the_variance_of_a_discrepancy_is_that_of_all_samples_that_there_are():
    # Two points; every sample of four from P and of five from Q, with its probability.
    points, p, q, n, m = np.array([0.0, 1.3]), np.array([0.3, 0.7]), np.array([0.45, 0.55]), 4, 5
    samples = [
        (points[list(x)], points[list(y)], p[list(x)].prod() * q[list(y)].prod())
        for x in np.ndindex(*[2] * n)
        for y in np.ndindex(*[2] * m)
    ]
    weights = np.array([weight for *_, weight in samples])
    assert weights.sum() == pytest.approx(1.0)
    discrepancies, parts = [], []
    for x, y, _ in samples:
        within_x, within_y, between = ((np.outer(a, b) + 1.0) ** 3 for a, b in ((x, x), (y, y), (x, y)))
        np.fill_diagonal(within_x, 0.0)
        np.fill_diagonal(within_y, 0.0)
        unbiased = within_x.sum() / (n * (n - 1)) + within_y.sum() / (m * (m - 1)) - 2.0 * between.mean()
        discrepancies.append(unbiased)
        parts.append(variance_parts(within_x, within_y, between))
    mean = weights @ discrepancies
    exact = weights @ (np.array(discrepancies) - mean) ** 2
    of_parts = weights @ np.array(parts)
    assert (of_parts > 0.0).all()
    assert variance(of_parts, n, m) == pytest.approx(exact, rel=1e-9)
    # The witness, in closed form.
    witness = ((np.outer(points, points) + 1.0) ** 3) @ (p - q)
    assert of_parts[0] == pytest.approx(p @ witness**2 - (p @ witness) ** 2, rel=1e-9)


def test_a_few_images_have_an_error_and_equal_ones_none():
    found = kernel_distance(normal(5), normal(4, seed=1), seed=0)
    assert found["kid_stderr"] > 0.0
    assert kernel_distance(np.ones((9, 3)), np.ones((8, 3)), seed=0) == {"kid": 0.0, "kid_stderr": 0.0}


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


def copies(places, count):
    return np.repeat(places, count, axis=0)


# Three images of any kind; three that are as far from each other to the last bit; and six in a row.
THREE, TRIANGLE, LINE = 7.0 + 1e-3 * normal(3, width=100), 7.0 + 0.25 * np.eye(3, 100), np.arange(6.0)[:, np.newaxis]
ALL = {"precision": 1.0, "recall": 1.0, "coverage": 1.0}


@pytest.mark.parametrize(
    ("real", "fake", "k", "expected"),
    [
        # Each image lies in the balls of its 300 copies.
        (copies(THREE, 300), copies(THREE, 300), 5, ALL | {"density": 300 / 5}),
        (copies(THREE, 300), copies(THREE, 7), 5, ALL | {"density": 300 / 5}),
        # Two copies have one neighbour at no distance; the second lies a side away, as do all.
        (copies(TRIANGLE, 2), copies(TRIANGLE, 2), 2, ALL | {"density": 6 / 2}),
        # The k-th neighbour lies a step away: in the balls of two copies each are three places, at the ends two.
        (copies(LINE, 2), copies(LINE, 2), 3, ALL | {"density": (4 * 6 + 2 * 4) * 2 / (3 * 12)}),
        # One image over and over: it is realistic, and the 300 copies of it are all that is covered.
        (
            copies(THREE, 300),
            copies(THREE[:1], 50),
            5,
            {"precision": 1.0, "recall": 1 / 3, "coverage": 1 / 3, "density": 300 / 5},
        ),
        # Half of what is drawn lies elsewhere.
        (
            copies(THREE, 20),
            np.concatenate([copies(THREE, 10), copies(3.0 + THREE, 10)]),
            4,
            {"precision": 0.5, "recall": 1.0, "coverage": 1.0, "density": 20 / 4 / 2},
        ),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mib", [32, 1e-2, 1e-5])  # down to a row at a time
def test_copies_are_as_far_as_what_they_are_copies_of(real, fake, k, expected, dtype, mib, monkeypatch):
    monkeypatch.setattr(samples, "CHUNK_MIB", mib)
    found = precision_recall_density_coverage(real.astype(dtype), fake.astype(dtype), k)
    assert found == pytest.approx(expected, abs=1e-12)


def brute_force(real, fake, k):
    def squares(a, b):
        return ((a[:, np.newaxis] - b) ** 2).sum(axis=2)

    def radii(points):
        return np.array([np.sort(np.delete(row, i))[k - 1] for i, row in enumerate(squares(points, points))])

    between = squares(real, fake)
    in_real, in_fake = between <= radii(real)[:, np.newaxis], between <= radii(fake)
    return {
        "precision": in_real.any(axis=0).mean(),
        "recall": in_fake.any(axis=1).mean(),
        "density": in_real.sum() / (k * len(fake)),
        "coverage": in_real.any(axis=1).mean(),
    }


@pytest.mark.parametrize("seed", range(12))
def test_neighbourhoods_are_those_of_exact_distances(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(samples, "CHUNK_MIB", (32, 1e-3)[seed % 2])
    # Few places, far from the middle and near each other; then whole numbers, of which many are as far; then any.
    places = (rng.normal(size=(8, 5)).astype(np.float32) * 10.0 ** rng.integers(-6, 3) + 100.0).astype(np.float32)
    real, fake = (
        (places[rng.integers(8, size=60)], places[rng.integers(1, 8, size=40)]),
        (rng.integers(0, 4, (60, 3)), rng.integers(0, 4, (40, 3))),
        (np.concatenate([normal(30), normal(30)]), np.concatenate([normal(20), normal(20, seed=1)])),
    )[seed % 3]
    found = precision_recall_density_coverage(real, fake, k=1 + seed % 4)
    assert found == brute_force(real.astype(np.float64), fake.astype(np.float64), 1 + seed % 4)


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


def test_an_exact_copy_is_found_among_near_ones_and_of_equal_ones_the_first():
    training = np.full((9, 100), 0.5) + 1e-9 * np.arange(9)[::-1, np.newaxis] + 0.1 * normal(1, width=100)
    training[[2, 7]] = training[4]
    indices, distances = nearest_neighbours(training[[6, 4]], training, count=2)
    assert indices.tolist() == [[6, 5], [2, 4]]
    assert distances[:, 0].tolist() == [0.0, 0.0]
    assert distances[0, 1] == pytest.approx(1e-9 * 10, rel=1e-6)
    assert distances[1, 1] == 0.0


# === Bad input ===


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: feature_statistics(normal(1)), r"features: .* at least 2 rows .*Received: features=\(1, 8\)"),
        (lambda: feature_statistics(np.full((5, 2), np.nan)), r"features: expected finite numbers\. Received: nan"),
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
