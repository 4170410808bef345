"""How close generated images are to the data: measures on features, on class probabilities, and on pixels.

The figures depend on the network that the features come from: those of two networks do not compare.
"""

import dataclasses

import numpy as np
from scipy.special import rel_entr

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics import NEIGHBOUR
from infogan_tf.evaluation.metrics.checks import probabilities as checked_probabilities
from infogan_tf.evaluation.metrics.checks import real_numbers, require_finite, whole
from infogan_tf.evaluation.metrics.distances import distinct, in_balls, nearest, neighbour_squares
from infogan_tf.evaluation.metrics.kernel_variance import LEAST_ROWS, variance, variance_parts

CHUNK_MIB = 32  # memory for the float64 distances held at a time


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
        NotMeasuredError: For fewer than two rows, or features that are not finite.
        ValueError: For another number of axes.
    """
    features = real_numbers("features", features, 2, least=2)
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
        NotMeasuredError: For statistics that are not finite, or a distance that a float cannot hold.
        ValueError: Where the numbers of features differ.
    """
    for name, statistics in (("a", a), ("b", b)):
        mean = real_numbers(f"{name}.mean", statistics.mean, 1)
        covariance = real_numbers(f"{name}.covariance", statistics.covariance, 2)
        if covariance.shape != (len(mean), len(mean)):
            raise ValueError(
                f"{name}: expected a covariance of all {len(mean)} features. Received: shape {covariance.shape}"
            )
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"b: expected as many features as a, {len(a.mean)}. Received: b={len(b.mean)} features")
    # With C = F F^T, the trace of (C_a C_b)^(1/2) is the sum of the singular values of F_a^T F_b. Unlike a matrix
    # square root this needs no full rank, and unlike eigenvalues of the product it loses no digits to a root.
    root_trace = np.linalg.svd(_factor(a.covariance).T @ _factor(b.covariance), compute_uv=False).sum()
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    distance = np.sum((a.mean - b.mean) ** 2) + traces - 2.0 * root_trace
    require_finite("distance", np.atleast_1d(distance))
    return float(max(distance, 0.0))


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
        "kid_stderr": Its standard error over draws of both sets and of the subsets, `kernel_variance.variance`: right
            where the distance is far from 0, and up to about a sixth too large near 0.

    Raises:
        NotMeasuredError: For fewer than four rows of either, features that are not finite, or so large that their
            kernel is not.
        ValueError: Where the numbers of features differ, or for fewer subsets or rows of them.
    """
    real, fake = _checked_pair(real, fake, least=4)
    whole("seed", seed, 0)
    whole("subsets", subsets, 2)
    whole("subset_size", subset_size, 2)
    rng = np.random.default_rng(seed)
    size = min(subset_size, min(len(real), len(fake)) // 2)
    estimates, parts = [], []
    for _ in range(subsets):
        chosen = real[rng.choice(len(real), size, replace=False)], fake[rng.choice(len(fake), size, replace=False)]
        kernels = _kernels(*chosen)
        estimates.append(_squared_discrepancy(*kernels))
        if size >= LEAST_ROWS:
            parts.append(variance_parts(*kernels))
    parts = parts or [variance_parts(*_kernels(real, fake))]  # of so few images that their subsets cannot tell
    of_draws = variance(np.mean(parts, axis=0), len(real), len(fake))
    scores = {
        "kid": float(np.mean(estimates)),
        "kid_stderr": float(np.sqrt(of_draws + np.var(estimates, ddof=1) / subsets)),
    }
    require_finite("kid", np.array(list(scores.values())))
    return scores


def _kernels(x, y):
    """The kernel within x [n, D] and within y [m, D], 0 on their diagonals, and between them, [n, m]."""

    def kernel(a, b):
        base = a @ b.T / a.shape[1] + 1.0
        return base * base * base  # `** 3` is ten times slower

    within = kernel(x, x), kernel(y, y)
    for each in within:
        np.fill_diagonal(each, 0.0)
    return *within, kernel(x, y)


def _squared_discrepancy(within_x, within_y, between):
    """Returns the unbiased MMD^2 (Gretton et al. 2012, "A kernel two-sample test", lemma 6), of `_kernels`."""
    within = (each.sum() / (len(each) * (len(each) - 1)) for each in (within_x, within_y))
    return sum(within) - 2.0 * between.mean()


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
        ValueError: For probabilities below 0, or rows that do not sum to 1; for fewer splits than two.
    """
    whole("splits", splits, 2)
    probabilities = checked_probabilities("probabilities", probabilities, least=splits)
    scores = [
        np.exp(rel_entr(part, part.mean(axis=0)).sum(axis=1).mean()) for part in np.array_split(probabilities, splits)
    ]
    return {
        "inception_score": float(np.mean(scores)),
        "inception_score_stderr": float(np.std(scores, ddof=1) / np.sqrt(splits)),
    }


# === Neighbourhoods ===


def precision_recall_density_coverage(real: np.ndarray, fake: np.ndarray, k: int = NEIGHBOUR) -> dict[str, float]:
    """Measures how much of the generated images lies where the data is, and the other way round.

    The ball of an image is that around its features which reaches to the k-th nearest neighbour in its own set. Higher
    is better in all four. Precision and recall are those of Kynkaanniemi et al. 2019 (arXiv:1904.06991, equation 2),
    density and coverage those of Naeem et al. 2020 (arXiv:2002.09797, section 3), which an outlier moves less.

    Args:
        real: Features of the data, [N, D]; N is k + 1 or more.
        fake: Features of the generated images, [M, D]; M is k + 1 or more.
        k: Which neighbour a ball reaches to, counted from 1. Copies of an image are its nearest neighbours.

    Returns:
        "precision": Share of generated images inside the ball of some real image, 0..1: how realistic they are.
        "recall": Share of real images inside the ball of some generated image, 0..1: how much of the data they cover.
        "density": Mean number of real balls that a generated image lies in, over k; about 1 for real images, and more
            is possible.
        "coverage": Share of real images with a generated image inside their ball, 0..1.

    Raises:
        NotMeasuredError: For fewer than k + 1 rows of either, features that are not finite, or so large that their
            squared distances are not.
        ValueError: Where the numbers of features differ.
    """
    whole("k", k, 1)
    real, fake = _checked_pair(real, fake, least=k + 1)
    (real, of_real), (fake, of_fake) = distinct(real), distinct(fake)
    real_squares = neighbour_squares(real, of_real, k, CHUNK_MIB)
    fake_squares = neighbour_squares(fake, of_fake, k, CHUNK_MIB)
    held, realistic = in_balls(real, real_squares, fake, of_fake, CHUNK_MIB)
    _, recalled = in_balls(fake, fake_squares, real, of_real, CHUNK_MIB)
    return {
        "precision": float(of_fake @ realistic / of_fake.sum()),
        "recall": float(of_real @ recalled / of_real.sum()),
        "density": float(of_real @ held / (k * of_fake.sum())),
        "coverage": float(of_real @ (held > 0) / of_real.sum()),
    }


def nearest_neighbours(samples: np.ndarray, training: np.ndarray, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Finds the training images nearest to each generated one in pixels: a distance near 0 means a copy.

    Args:
        samples: Generated images [N, ...], uint8 or float in [0, 1].
        training: Training images [M, ...] of the same shape, uint8 or float in [0, 1]. They are turned into float64
            piece by piece, so that uint8 keeps memory small.
        count: Number of neighbours of each sample, M at most.

    Returns:
        indices: Positions in `training`, int64 [N, count], the nearest first; of copies, the first.
        distances: Euclidean distances of pixels in [0, 1], float64 [N, count].

    Raises:
        NotMeasuredError: Where there are fewer than `count` training images.
        ValueError: Where images are neither uint8 nor float in [0, 1], or have another shape; or without samples.
    """
    whole("count", count, 1)
    if len(training) < count:
        raise NotMeasuredError(f"training: expected at least {count} images. Received: training={len(training)} images")
    same_shape(samples=samples, training=training)
    samples = unit_rows("samples", samples)
    squares, indices = np.empty((len(samples), 0)), np.empty((len(samples), 0), np.int64)
    piece_size = max(1, int(CHUNK_MIB * 2**20 / (8 * samples.shape[1])))
    for start in range(0, len(training), piece_size):
        piece = unit_rows("training", training[start : start + piece_size])
        found = nearest(samples, piece, min(count, len(piece)), CHUNK_MIB)
        squares, indices = np.hstack([squares, found[1]]), np.hstack([indices, found[0] + start])
        best = np.argsort(squares, axis=1, kind="stable")[:, :count]
        squares, indices = np.take_along_axis(squares, best, 1), np.take_along_axis(indices, best, 1)
    return indices, np.sqrt(squares)


def same_shape(**images: np.ndarray) -> None:
    """Raises a ValueError unless all images [N, ...] have one shape."""
    shapes = {name: np.shape(each)[1:] for name, each in images.items()}
    if len(set(shapes.values())) > 1:
        received = ", ".join(f"{name}={shape}" for name, shape in shapes.items())
        raise ValueError(f"{' and '.join(shapes)}: expected images of one shape. Received: {received}")


def unit_rows(name: str, images: np.ndarray) -> np.ndarray:
    """Flattens images to rows of float64 in [0, 1], [N, values].

    Args:
        name: Name of the caller's argument, for the error's message.
        images: Images [N, ...], uint8 or float in [0, 1].

    Raises:
        ValueError: For another dtype or range, or without images.
    """
    images = np.asarray(images)
    if images.ndim < 2 or not images.size:
        raise ValueError(f"{name}: expected images [N, ...]. Received: {name}={images.shape}")
    rows = images.reshape(len(images), -1)
    if rows.dtype == np.uint8:
        return rows / 255.0
    if rows.dtype.kind != "f" or not (rows.min() >= 0.0 and rows.max() <= 1.0):
        within = f" in [{rows.min()}, {rows.max()}]" if rows.dtype.kind in "fiu" else ""
        raise ValueError(f"{name}: expected uint8 images, or floats in [0, 1]. Received: {name}={rows.dtype}{within}")
    return rows.astype(np.float64)


# === Checks ===


def _checked_pair(real, fake, least):
    real, fake = real_numbers("real", real, 2, least), real_numbers("fake", fake, 2, least)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"fake: expected {real.shape[1]} features, like real. Received: fake={fake.shape}")
    return real, fake
