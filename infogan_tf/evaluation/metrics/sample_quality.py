"""How like the data samples are: measures on features of images, on class probabilities, and on pixels.

Which network the features come from decides what the figures mean; those of two networks do not compare.
"""

import dataclasses

import numpy as np
from scipy.special import rel_entr
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from infogan_tf.errors import NotMeasuredError

CHUNK_MIB = 128  # of float64 distances held at a time


# === Fréchet distance ===


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """The Gaussian that stands for a set of features.

    Attributes:
        mean: float64 [D].
        covariance: float64 [D, D], unbiased.
        count: of how many images.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int


def feature_statistics(features: np.ndarray) -> FeatureStatistics:
    """The mean and covariance of features [N, D], computed in float64."""
    features = _checked("features", features, least=2)
    covariance = np.cov(features, rowvar=False).reshape(features.shape[1], -1)  # np.cov gives D = 1 no axes
    return FeatureStatistics(features.mean(axis=0), covariance, len(features))


def frechet_distance(a: FeatureStatistics, b: FeatureStatistics) -> float:
    """The squared Fréchet distance of two Gaussians: 0 where they are the same, lower is better.

        |m_a - m_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2))

    It is the FID of Heusel et al. 2017 (arXiv:1706.08500, equation 6) where the features are those of the Inception
    network. It is biased upwards by small samples: compare figures of equal counts only.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"b: expected as many features as a, {len(a.mean)}. Received: b={len(b.mean)} features")
    # With C = F F^T, the trace of (C_a C_b)^(1/2) is the sum of the singular values of F_a^T F_b. Unlike a matrix
    # square root this needs no full rank, and unlike eigenvalues of the product it loses no digits to a root.
    root_trace = np.linalg.svd(_factor(a.covariance).T @ _factor(b.covariance), compute_uv=False).sum()
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    return float(max(np.sum((a.mean - b.mean) ** 2) + traces - 2.0 * root_trace, 0.0))


def _factor(covariance):
    """F with covariance = F F^T, [D, rank]; an eigenvalue of the size of rounding counts as 0."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[-1] * len(values) * np.finfo(values.dtype).eps
    return vectors[:, kept] * np.sqrt(values[kept])


# === Kernel distance ===


def kernel_distance(
    real: np.ndarray, fake: np.ndarray, seed: int, subsets: int = 100, subset_size: int = 1000
) -> dict[str, float]:
    """The squared maximum mean discrepancy with the kernel (x.y / D + 1)^3: about 0 at best, lower is better.

    It is the KID of Binkowski et al. 2018 (arXiv:1801.01401, section 4) where the features are those of the Inception
    network. It is unbiased, whatever the counts, and so may fall below 0.

    Args:
        real: features of the data [N, D].
        fake: features of the samples [M, D].
        seed: of the choice of subsets.
        subsets: how many random subsets of both the distance is averaged over.
        subset_size: of each, without replacement; half of the smaller set where that is less.

    Returns:
        "kid": the mean over the subsets.
        "kid_stderr": its standard error, by the delete-d jackknife (Shao and Wu 1989, "A general theory for jackknife
            variance estimation") with N - subset_size deleted. The subsets overlap, so that their standard deviation
            over the root of their number would be far too small.
    """
    real, fake = _checked_pair(real, fake, least=4)
    rng = np.random.default_rng(seed)
    count = min(len(real), len(fake))
    size = min(subset_size, count // 2)
    estimates = [
        _squared_discrepancy(
            real[rng.choice(len(real), size, replace=False)], fake[rng.choice(len(fake), size, replace=False)]
        )
        for _ in range(subsets)
    ]
    return {
        "kid": float(np.mean(estimates)),
        "kid_stderr": float(np.std(estimates, ddof=1) * np.sqrt(size / (count - size))),
    }


def _squared_discrepancy(x, y):
    """The unbiased MMD^2 (Gretton et al. 2012, "A kernel two-sample test", lemma 6) of x and y, [n, D] each."""

    def kernel(a, b):
        base = a @ b.T / a.shape[1] + 1.0
        return base * base * base  # `** 3` is ten times slower

    count = len(x)
    within_x, within_y, between = kernel(x, x), kernel(y, y), kernel(x, y)
    within = within_x.sum() - np.trace(within_x) + within_y.sum() - np.trace(within_y)
    return within / (count * (count - 1)) - 2.0 * between.mean()


# === Inception score ===


def inception_score(probabilities: np.ndarray, splits: int = 10) -> dict[str, float]:
    """exp(E_x KL(p(y|x) || p(y))): from 1 to the number of classes, higher is better.

    Salimans et al. 2016 (arXiv:1606.03498, section 4), where the classifier is the Inception network. It looks at no
    data: it rises with confident predictions that are spread evenly over the classes.

    Args:
        probabilities: p(y|x) of the samples [N, K], in random order.
        splits: the score is taken of each of so many equal parts.

    Returns:
        "inception_score": the mean over the parts.
        "inception_score_stderr": their standard deviation over the root of `splits` (papers print the deviation).
    """
    probabilities = _checked("probabilities", probabilities, least=splits)
    scores = [
        np.exp(rel_entr(part, part.mean(axis=0)).sum(axis=1).mean()) for part in np.array_split(probabilities, splits)
    ]
    return {
        "inception_score": float(np.mean(scores)),
        "inception_score_stderr": float(np.std(scores, ddof=1) / np.sqrt(splits)),
    }


# === Neighbourhoods ===


def precision_recall_density_coverage(real: np.ndarray, fake: np.ndarray, k: int = 5) -> dict[str, float]:
    """How much of the samples lies where data is, and the other way round, by balls around the features.

    The ball of a point reaches to its k-th nearest neighbour in its own set. Higher is better in all four.

    Args:
        real: features of the data [N, D].
        fake: features of the samples [M, D].
        k: which neighbour.

    Returns:
        "precision": the share of samples inside the ball of some real image, 0..1: how realistic they are.
        "recall": the share of real images inside the ball of some sample, 0..1: how much of the data they cover.
            Both: Kynkaanniemi et al. 2019 (arXiv:1904.06991, equation 2).
        "density": real balls around a sample, over k; 1 is expected of data itself, and more is possible.
        "coverage": the share of real images with a sample inside their ball, 0..1. Both: Naeem et al. 2020
            (arXiv:2002.09797, section 3); an outlier among the real images or the samples moves them less.
    """
    real, fake = _checked_pair(real, fake, least=k + 1)
    real_radii, fake_radii = (
        NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x).kneighbors()[0][:, -1] for x in (real, fake)
    )
    realistic = np.zeros(len(fake), bool)
    recalled, covered, memberships, start = 0, 0, 0, 0
    for distances in pairwise_distances_chunked(real, fake, working_memory=CHUNK_MIB):  # [chunk, M]
        in_real_ball = distances <= real_radii[start : start + len(distances), np.newaxis]
        realistic |= in_real_ball.any(axis=0)
        covered += in_real_ball.any(axis=1).sum()
        memberships += in_real_ball.sum()
        recalled += (distances <= fake_radii).any(axis=1).sum()
        start += len(distances)
    return {
        "precision": float(realistic.mean()),
        "recall": float(recalled / len(real)),
        "density": float(memberships / (k * len(fake))),
        "coverage": float(covered / len(real)),
    }


def nearest_neighbours(samples: np.ndarray, training: np.ndarray, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The training images nearest to each sample in pixels: a distance near 0 is a copy.

    Args:
        samples: images [N, ...], uint8 or float in [0, 1].
        training: images [M, ...] of the same shape; uint8 is best, as they are turned into floats piece by piece.
        count: how many neighbours.

    Returns:
        indices: into `training`, int64 [N, count], the nearest first.
        distances: Euclidean, of pixels in [0, 1], float64 [N, count].
    """
    if len(training) < count:
        raise NotMeasuredError(f"training: expected at least {count} images. Received: training={len(training)} images")
    samples = unit_rows("samples", samples)
    distances, indices = np.empty((len(samples), 0)), np.empty((len(samples), 0), np.int64)
    piece_size = int(CHUNK_MIB * 2**20 / (8 * samples.shape[1]))
    for start in range(0, len(training), piece_size):
        piece = unit_rows("training", training[start : start + piece_size])
        search = NearestNeighbors(n_neighbors=min(count, len(piece)), algorithm="brute").fit(piece)
        found = search.kneighbors(samples)
        distances, indices = np.hstack([distances, found[0]]), np.hstack([indices, found[1] + start])
        best = np.argsort(distances, axis=1, kind="stable")[:, :count]
        distances, indices = np.take_along_axis(distances, best, 1), np.take_along_axis(indices, best, 1)
    # The search expands (x - y)^2, which leaves about 1e-7 between copies; taken again, their distance is 0.
    exact = [np.linalg.norm(samples - unit_rows("training", training[column]), axis=1) for column in indices.T]
    return indices, np.stack(exact, axis=1)


def unit_rows(name: str, images: np.ndarray) -> np.ndarray:
    """Images [N, ...], uint8 or float in [0, 1], as rows of float64 in [0, 1], [N, pixels].

    Raises:
        ValueError: for another dtype or range, in the name of the argument `name`.
    """
    rows = images.reshape(len(images), -1)
    if rows.dtype == np.uint8:
        return rows / 255.0
    if not np.issubdtype(rows.dtype, np.floating) or not (rows.min() >= 0.0 and rows.max() <= 1.0):
        raise ValueError(
            f"{name}: expected uint8 images, or floats in [0, 1]. "
            f"Received: {name}={rows.dtype} in [{rows.min()}, {rows.max()}]"
        )
    return rows.astype(np.float64)


# === Checks ===


def _checked(name, array, least):
    """`array` as float64, or a ValueError that says what is wrong with it."""
    array = np.asarray(array)
    if array.ndim != 2 or len(array) < least or not np.isfinite(array).all():
        finite = "" if np.isfinite(array).all() else ", not all finite"
        raise NotMeasuredError(
            f"{name}: expected finite numbers in at least {least} rows of two axes. "
            f"Received: {name}={array.shape}{finite}"
        )
    return array.astype(np.float64)


def _checked_pair(real, fake, least):
    real, fake = _checked("real", real, least), _checked("fake", fake, least)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"fake: expected {real.shape[1]} features, like real. Received: fake={fake.shape}")
    return real, fake
