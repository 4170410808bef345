"""The variance of an unbiased squared maximum mean discrepancy, MMD^2, whether it is near 0 or far from it.

The kernel is taken apart as in an analysis of variance (Hoeffding 1948, "A class of statistics with asymptotically
normal distribution"): k(a, b) is its mean, a part of a alone, one of b alone, and what is left. MMD^2 of n draws x and
m draws y is then a sum of uncorrelated terms, whose variances are

    4/n Var w(x) + 4/m Var w(y) + 2/(n(n-1)) L_xx + 2/(m(m-1)) L_yy + 4/(nm) L_xy

with the witness w = E_x k(., x) - E_y k(., y) and the mean squares L of what is left. The first two are all that counts
far from 0 (Bounliphone et al. 2016, arXiv:1511.04581), and vanish where both distributions are the same.
"""

import numpy as np

# What is left within a set has an unbiased mean square from so many rows on.
LEAST_ROWS = 4


def variance_parts(within_x: np.ndarray, within_y: np.ndarray, between: np.ndarray) -> np.ndarray:
    """Estimates, without bias, Var w(x), Var w(y), L_xx, L_yy and L_xy; float64 [5].

    Args:
        within_x: Kernel of independent draws x, [n, n], 0 on its diagonal; n is LEAST_ROWS or more.
        within_y: Kernel of independent draws y, [m, m], likewise.
        between: Kernel of x and y, [n, m].
    """
    n, m = between.shape
    left_x, left_y = _left_within(within_x), _left_within(within_y)
    of_x, of_y = between.mean(axis=1), between.mean(axis=0)
    left_between = between - of_x[:, np.newaxis] - of_y + between.mean()
    left_between = np.sum(left_between**2) / ((n - 1) * (m - 1))
    # In a mean over finitely many rows what is left does not vanish, so that it adds to the variance of the means.
    witness_x = np.var(within_x.sum(axis=1) / (n - 2) - of_x, ddof=1) - left_x / (n - 2) - left_between / m
    witness_y = np.var(within_y.sum(axis=1) / (m - 2) - of_y, ddof=1) - left_y / (m - 2) - left_between / n
    return np.array([witness_x, witness_y, left_x, left_y, left_between])


def _left_within(kernel):
    """L of a kernel [n, n] without its diagonal (Szekely and Rizzo 2014, "Partial distance correlation", section 3)."""
    n, sums = len(kernel), kernel.sum(axis=1)
    squares = np.sum(kernel**2) - 2.0 / (n - 2) * np.sum(sums**2) + sums.sum() ** 2 / ((n - 1) * (n - 2))
    return squares / (n * (n - 3))


def variance(parts: np.ndarray, n: int, m: int) -> float:
    """Returns the variance of MMD^2.

    Where both distributions are the same, the witness's estimated variance falls below 0 as often as not, and counts
    for 0 then: the root of the result is right far from 0, and near it up to about a sixth too large.

    Args:
        parts: As `variance_parts` returns them, or a mean of such.
        n: Number of draws x that MMD^2 is of.
        m: Number of draws y.
    """
    witness_x, witness_y, left_x, left_y, left_between = parts
    of_witness = 4.0 * witness_x / n + 4.0 * witness_y / m
    of_rest = 2.0 * left_x / (n * (n - 1)) + 2.0 * left_y / (m * (m - 1)) + 4.0 * left_between / (n * m)
    return max(of_witness, 0.0) + max(of_rest, 0.0)
