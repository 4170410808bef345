"""The log-likelihood of held-out images under Gaussian Parzen windows around generated ones."""

from collections.abc import Sequence

import numpy as np

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.checks import require_finite
from infogan_tf.evaluation.metrics.distances import near_squares
from infogan_tf.evaluation.metrics.sample_quality import CHUNK_MIB, same_shape, unit_rows

# No wider window can be best: the best variance is a mean squared difference of two pixels in [0, 1], 1 at most.
BANDWIDTHS = np.geomspace(0.02, 1.0, 41)
# Under the narrowest window, by how many nats a sample may be less likely than the nearest and still count, and how
# many nats a rounding error may weigh.
_REACH, _TOLERANCE = 40.0, 1e-6


def parzen_log_likelihood(
    samples: np.ndarray, validation: np.ndarray, test: np.ndarray, bandwidths: Sequence[float] | None = None
) -> dict[str, float]:
    """Returns the mean log density of `test` under equal Gaussians around all `samples`, in nats; higher is better.

        log p(x) = log 1/N sum_i Normal(x; sample_i, sigma^2 I)

    Goodfellow et al. 2014 (arXiv:1406.2661, section 5), after Breuleux et al. 2011 ("Quickly generating representative
    samples from an RBM-derived process"). The figure depends on how many samples there are, and says little of how
    images look (Theis et al. 2016, arXiv:1511.01844): compare figures of equal counts only.

    Args:
        samples: Generated images [N, ...], uint8 or float in [0, 1]; N is 1 or more.
        validation: Real images [V, ...], V 1 or more; of the bandwidths, the one that makes them most likely is used.
        test: Other real images [T, ...]; T is 2 or more.
        bandwidths: Values of sigma to try, positive, for pixels in [0, 1]; BANDWIDTHS by default.

    Returns:
        "log_likelihood": The mean over the test images, in nats.
        "log_likelihood_stderr": Its standard error over the test images, in nats.
        "bandwidth": The sigma used, for pixels in [0, 1]; if it is the least or greatest tried, a better one may lie
            beyond.

    Raises:
        ValueError: Where a bandwidth is not positive and finite, or images are neither uint8 nor float in [0, 1], or
            of several shapes.
        NotMeasuredError: Where there are too few images, or a bandwidth is so small that no density can be held.
    """
    grid = np.asarray(BANDWIDTHS if bandwidths is None else bandwidths, np.float64)
    if grid.ndim != 1 or not len(grid) or not ((grid > 0.0) & np.isfinite(grid)).all():
        raise ValueError(f"bandwidths: expected positive numbers. Received: bandwidths={bandwidths}")
    if len(samples) < 1 or len(validation) < 1 or len(test) < 2:
        raise NotMeasuredError(
            "samples, validation, test: expected at least 1, 1 and 2 images. "
            f"Received: samples={len(samples)}, validation={len(validation)}, test={len(test)} images"
        )
    same_shape(samples=samples, validation=validation, test=test)
    samples = unit_rows("samples", samples)
    by_bandwidth = _log_densities(unit_rows("validation", validation), samples, grid).mean(axis=0)
    best = float(grid[by_bandwidth.argmax()])
    densities = _log_densities(unit_rows("test", test), samples, np.array([best]))
    require_finite("test", densities)
    return {
        "log_likelihood": float(densities.mean()),
        "log_likelihood_stderr": float(densities.std(ddof=1) / np.sqrt(len(densities))),
        "bandwidth": best,
    }


def _log_densities(images, samples, bandwidths):
    """Returns log p of images [M, P] under windows around samples [N, P] for each bandwidth, [M, bandwidths]."""
    # In float64: the exponent divides by about 0.05, which would lift float32's errors to hundredths of a nat.
    narrowest = 2.0 * bandwidths.min() ** 2
    chunks = near_squares(images, samples, _REACH * narrowest, _TOLERANCE * narrowest, CHUNK_MIB)
    sums = np.concatenate([_log_sums(squares, bandwidths) for squares in chunks])
    return sums - np.log(len(samples)) - samples.shape[1] * np.log(bandwidths * np.sqrt(2.0 * np.pi))


def _log_sums(squares, bandwidths):
    """Returns log sum_i exp(-squares_i / (2 s^2)) of rows of squares [M, N] for each bandwidth s, [M, bandwidths]."""
    # Measured from the nearest sample, the greatest term is 1 for every s; scipy's logsumexp looks for it anew each
    # time, and takes over twice as long.
    nearest = squares.min(axis=1, keepdims=True)
    gaps = squares - nearest
    precisions = 0.5 / bandwidths**2
    return np.stack([np.log(np.exp(gaps * -p).sum(axis=1)) for p in precisions], axis=1) - nearest * precisions
