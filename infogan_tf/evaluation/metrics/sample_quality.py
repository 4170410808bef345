"""How close generated images are to the data: measures on features, on class probabilities, and on pixels.

The figures depend on the network that the features come from: those of two networks do not compare.
"""

import dataclasses

import numpy as np
from scipy.special import rel_entr
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from infogan_tf.errors import NotMeasuredError

CHUNK_MIB = 128  # memory for the float64 distances held at a time


# === Fréchet distance ===


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """The Gaussian fitted to a set of features.

    Attributes:
        mean: Mean of the features, float64 [D].
        covariance: Unbiased covariance of the features, float64 [D, D].
        count: Number of images that the features are of.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int


def feature_statistics(features: np.ndarray) -> FeatureStatistics:
    """Computes the mean and covariance of features in float64.

    Args:
        features: Features [N, D], one row per image; N is 2 or more.

    Raises:
        NotMeasuredError: For fewer than two rows, another number of axes, or features that are not finite.
    """
    features = _checked("features", features, least=2)
    covariance = np.cov(features, rowvar=False).reshape(features.shape[1], -1)  # np.cov gives D = 1 no axes
    return FeatureStatistics(features.mean(axis=0), covariance, len(features))


def frechet_distance(a: FeatureStatistics, b: FeatureStatistics) -> float:
    """Returns the squared Fréchet distance of two Gaussians: 0 where they are the same, lower is better.

        |m_a - m_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2))

    It is the FID of Heusel et al. 2017 (arXiv:1706.08500, equation 6) where the features are those of the Inception
    network. Small samples bias it upwards: compare figures of equal counts only.

    Args:
        a: Statistics of one set of features.
        b: Statistics of the other set, of as many features D.

    Raises:
        ValueError: Where the numbers of features differ.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"b: expected as many features as a, {len(a.mean)}. Received: b={len(b.mean)} features")
    # With C = F F^T, the trace of (C_a C_b)^(1/2) is the sum of the singular values of F_a^T F_b. Unlike a matrix
    # square root this needs no full rank, and unlike eigenvalues of the product it loses no digits to a root.
    root_trace = np.linalg.svd(_factor(a.covariance).T @ _factor(b.covariance), compute_uv=False).sum()
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    return float(max(np.sum((a.mean - b.mean) ** 2) + traces - 2.0 * root_trace, 0.0))


def _factor(covariance):
    """Returns F [D, rank] with covariance = F F^T; eigenvalues as small as rounding errors count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[-1] * len(values) * np.finfo(values.dtype).eps
    return vectors[:, kept] * np.sqrt(values[kept])


# === Kernel distance ===


def kernel_distance(
    real: np.ndarray, fake: np.ndarray, seed: int, subsets: int = 100, subset_size: int = 1000
) -> dict[str, float]:
    """Estimates the squared maximum mean discrepancy with the kernel (x.y / D + 1)^3: about 0 at best, lower is better.

    It is the KID of Binkowski et al. 2018 (arXiv:1801.01401, section 4) where the features are those of the Inception
    network. It is unbiased, whatever the counts, and so may fall below 0.

    Args:
        real: Features of the data, [N, D]; N is 4 or more.
        fake: Features of the generated images, [M, D]; M is 4 or more.
        seed: Seed of the choice of subsets, an integer from 0.
        subsets: Number of random subsets of both sets that the estimate is averaged over, 2 or more.
        subset_size: Rows in each subset, drawn without replacement; at most half of the smaller set.

    Returns:
        "kid": The mean over the subsets.
        "kid_stderr": Its standard error, by the delete-d jackknife (Shao and Wu 1989, "A general theory for jackknife
            variance estimation") with all but `subset_size` rows of the smaller set deleted. The subsets overlap, so
            that their standard deviation over the root of their number would be far too small.

    Raises:
        NotMeasuredError: For fewer than four rows of either, or features that are not finite.
        ValueError: Where the numbers of features differ.
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
    """Returns the unbiased MMD^2 (Gretton et al. 2012, "A kernel two-sample test", lemma 6) of x and y, [n, D] each."""

    def kernel(a, b):
        base = a @ b.T / a.shape[1] + 1.0
        return base * base * base  # `** 3` is ten times slower

    count = len(x)
    within_x, within_y, between = kernel(x, x), kernel(y, y), kernel(x, y)
    within = within_x.sum() - np.trace(within_x) + within_y.sum() - np.trace(within_y)
    return within / (count * (count - 1)) - 2.0 * between.mean()


# === Inception score ===


def inception_score(probabilities: np.ndarray, splits: int = 10) -> dict[str, float]:
    """Returns the score exp(E_x KL(p(y|x) || p(y))): from 1 to the number of classes, higher is better.

    It is that of Salimans et al. 2016 (arXiv:1606.03498, section 4) where the classifier is the Inception network. It
    does not look at the data: it is high for confident predictions that are spread evenly over the classes.

    Args:
        probabilities: Class probabilities p(y|x) of the generated images, [N, K], in random order.
        splits: Number of parts, equal but for one row, that are scored separately; 2 or more, N at most.

    Returns:
        "inception_score": The mean over the parts.
        "inception_score_stderr": Standard deviation of the parts over the root of `splits`; papers print the deviation.

    Raises:
        NotMeasuredError: For fewer rows than `splits`, or probabilities that are not finite.
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
    """Measures how much of the generated images lies where the data is, and the other way round.

    The ball of an image is that around its features which reaches to the k-th nearest neighbour in its own set. Higher
    is better in all four. Precision and recall are those of Kynkaanniemi et al. 2019 (arXiv:1904.06991, equation 2),
    density and coverage those of Naeem et al. 2020 (arXiv:2002.09797, section 3), which an outlier moves less.

    Args:
        real: Features of the data, [N, D]; N is k + 1 or more.
        fake: Features of the generated images, [M, D]; M is k + 1 or more.
        k: Which neighbour a ball reaches to, counted from 1.

    Returns:
        "precision": Share of generated images inside the ball of some real image, 0..1: how realistic they are.
        "recall": Share of real images inside the ball of some generated image, 0..1: how much of the data they cover.
        "density": Mean number of real balls that a generated image lies in, over k; about 1 for real images, and more
            is possible.
        "coverage": Share of real images with a generated image inside their ball, 0..1.

    Raises:
        NotMeasuredError: For fewer than k + 1 rows of either, or features that are not finite.
        ValueError: Where the numbers of features differ.
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
    """Finds the training images nearest to each generated one in pixels: a distance near 0 means a copy.

    Args:
        samples: Generated images [N, ...], uint8 or float in [0, 1].
        training: Training images [M, ...] of the same shape, uint8 or float in [0, 1]. They are turned into float64
            piece by piece, so that uint8 keeps memory small.
        count: Number of neighbours of each sample, M at most.

    Returns:
        indices: Positions in `training`, int64 [N, count], the nearest first.
        distances: Euclidean distances of pixels in [0, 1], float64 [N, count].

    Raises:
        NotMeasuredError: Where there are fewer than `count` training images.
        ValueError: Where images are neither uint8 nor float in [0, 1].
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
    """Flattens images to rows of float64 in [0, 1], [N, values].

    Args:
        name: Name of the caller's argument, for the error's message.
        images: Images [N, ...], uint8 or float in [0, 1].

    Raises:
        ValueError: For another dtype or range.
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
    """Returns `array` as float64; raises a NotMeasuredError unless it is finite, with `least` rows and two axes."""
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
