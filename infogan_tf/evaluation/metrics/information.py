"""How much a code tells of its image: the variational bound of the mutual information, with its standard error.

L_I = E[log Q(c|x)] + H(c) <= I(c; x)        (Chen et al. 2016, arXiv:1606.03657, equation 5), in nats
"""

import math

import numpy as np
from scipy import optimize, stats

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.checks import finite, real_numbers, same_length


def mutual_info(log_prob: np.ndarray, entropy: float) -> dict[str, float]:
    """Estimates L_I of one code, in nats; higher is better, and of a discrete code it is at most H(c).

    Args:
        log_prob: Log Q(c|x) of independent draws of the code c and the images x generated from them, in nats, [N].
        entropy: Entropy H(c) of the prior, in nats.

    Returns:
        "mutual_info": L_I, in nats.
        "mutual_info_stderr": Its standard error over the N draws, in nats.

    Raises:
        NotMeasuredError: For fewer than two draws, or log-probabilities that are not finite.
        ValueError: For another shape, or an entropy that is not finite.
    """
    log_prob = _draws("log_prob", log_prob, 2)
    finite("entropy", entropy)
    return {
        "mutual_info": float(log_prob.mean() + entropy),
        "mutual_info_stderr": float(log_prob.std(ddof=1) / math.sqrt(len(log_prob))),
    }


def standardised_mutual_info(
    values: np.ndarray, means: np.ndarray, entropy: float, support: tuple[float, float] = (-math.inf, math.inf)
) -> dict[str, float]:
    """Estimates L_I of a continuous code under its standardised posterior, in nats.

    The model's own standard deviation may be fixed, or bounded from below, so high that its L_I says nothing whatever
    the images show. The standardised posterior is the best Gaussian that the posterior's mean allows, truncated to the
    prior's support: N(a mean + b, s^2), with the a, b and s of greatest likelihood on the first half of the draws. It
    is a Q like any other, so that its score on the second half is a lower bound of I(c; x) too. It is about zero where
    the posterior's mean knows nothing of the code; at or below zero the bound is vacuous.

    Args:
        values: Values of the code, as drawn, [N].
        means: Posterior mean of the code, read from the images generated from these draws, [N].
        entropy: Entropy H(c) of the prior, in nats.
        support: Least and greatest value that the prior allows; unbounded by default.

    Returns:
        "mutual_info" and "mutual_info_stderr" as of `mutual_info`, on the second half of the draws.

    Raises:
        NotMeasuredError: For fewer than eight draws, or values or means that are not finite.
        ValueError: For other shapes, lengths that differ, values beyond the support, or an entropy that is not finite.
    """
    values, means = _draws("values", values, 8), _draws("means", means, 8)
    same_length(values=values, means=means)
    least, greatest = support
    if not (least < greatest and least <= values.min() and values.max() <= greatest):
        raise ValueError(
            f"values: expected numbers within the support {support}. "
            f"Received: from {values.min():.6g} to {values.max():.6g}"
        )
    finite("entropy", entropy)
    means = (means - means.mean()) / max(means.std(), 1e-12)
    half = len(values) // 2

    def log_prob(parameters, of):
        slope, offset, log_stddev = parameters
        centre, stddev = slope * means[of] + offset, math.exp(log_stddev)
        low, high = ((bound - centre) / stddev for bound in support)
        return stats.truncnorm.logpdf(values[of], low, high, centre, stddev)

    fitted, scored = slice(half), slice(half, None)
    slope, offset = np.polyfit(means[fitted], values[fitted], 1) if np.ptp(means[fitted]) else (0.0, 0.0)
    stddev = np.std(values[fitted] - slope * means[fitted] - offset)
    # A code read without error has no finite density: the least deviation is that of a float32.
    least = math.log(np.finfo(np.float32).eps)
    best = optimize.minimize(
        lambda parameters: -log_prob(parameters, fitted).mean(),
        (slope, offset, max(math.log(max(stddev, 1e-300)), least)),
        bounds=((None, None), (None, None), (least, 5.0)),
    )
    return mutual_info(log_prob(best.x, scored), entropy)


def _draws(name, values, least):
    if np.ndim(values) == 1 and len(values) < least:
        raise NotMeasuredError(f"{name}: expected at least {least} draws. Received: {len(values)}")
    return real_numbers(name, values, 1)
