"""Squared Euclidean distances of rows, of which comparisons are exact: a copy is as far as what it is a copy of.

A matrix product gives all of them fast, as |x|^2 - 2 x.y + |y|^2, each with a rounding error that depends on where the
pair lies: copies come out at distances that differ, and a set lies outside itself. So it serves to sort out what is
near; where its error could decide, the sum of squared differences is taken, which is the same for the same pair in
whatever block it is met.

Rows are float64 [N, D]; `mib` is about the memory, in MiB, for the distances held at a time.
"""

from collections.abc import Iterator

import numpy as np

from infogan_tf.evaluation.metrics.checks import require_finite


def distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns each row once, [U, D], and how many times it is there, int64 [U]."""
    rows = np.ascontiguousarray(rows + 0.0)  # -0.0 has other bytes
    as_bytes = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, counts = np.unique(as_bytes, return_index=True, return_counts=True)
    return rows[first], counts


def nearest(rows: np.ndarray, others: np.ndarray, count: int, mib: float) -> tuple[np.ndarray, np.ndarray]:
    """Finds the nearest of `others` [M, D] to each row; of those as near, the first.

    Args:
        rows: Rows [N, D].
        others: Other rows [M, D].
        count: How many neighbours, M at most.
        mib: As above.

    Returns:
        indices: Positions in `others`, int64 [N, count], the nearest first.
        squares: Squared distances, float64 [N, count].
    """
    indices, squares = np.empty((len(rows), count), np.int64), np.empty((len(rows), count))
    for start, least, own, theirs in _bounds(rows, others, mib):
        # Of any `count` of them, the farthest is no nearer than the last that is sought.
        some = np.argpartition(least, count - 1, axis=1)[:, :count]
        limits = (np.take_along_axis(least, some, axis=1) + theirs[some]).max(axis=1, keepdims=True) + own
        at, columns = (least - own <= limits).nonzero()
        exact = _squares(rows[start : start + len(least)], at, others, columns, mib)
        order = np.lexsort((columns, exact, at))
        first = order[np.searchsorted(at, np.arange(len(least)))[:, np.newaxis] + np.arange(count)]
        indices[start : start + len(least)], squares[start : start + len(least)] = columns[first], exact[first]
    return indices, squares


def neighbour_squares(rows: np.ndarray, counts: np.ndarray, k: int, mib: float) -> np.ndarray:
    """Returns the squared distance of each row to its k-th nearest neighbour, float64 [U].

    Args:
        rows: Distinct rows [U, D].
        counts: How many times each is there, [U]: copies of a row are its nearest neighbours.
        k: Which neighbour, from 1; there are more than k rows, copies counted.
        mib: As above.
    """
    indices, squares = nearest(rows, rows, min(k + 1, len(rows)), mib)
    neighbours = counts[indices] - (indices == np.arange(len(rows))[:, np.newaxis])  # a row is none of its own
    kth = (neighbours.cumsum(axis=1) >= k).argmax(axis=1)
    return squares[np.arange(len(rows)), kth]


def in_balls(
    centres: np.ndarray, squares: np.ndarray, rows: np.ndarray, counts: np.ndarray, mib: float
) -> tuple[np.ndarray, np.ndarray]:
    """Tells which rows lie in balls, their edges included.

    Args:
        centres: The balls' centres, [C, D].
        squares: The balls' squared radii, [C].
        rows: Rows [U, D].
        counts: How many times each of these is there, [U].
        mib: As above.

    Returns:
        held: How many rows lie in each ball, copies counted, int64 [C].
        inside: Whether each row lies in any ball, bool [U].
    """
    held, inside = np.zeros(len(centres), np.int64), np.zeros(len(rows), bool)
    for start, least, own, theirs in _bounds(centres, rows, mib):
        part = slice(start, start + len(least))
        at, columns = (least - own <= squares[part, np.newaxis]).nonzero()
        radii = squares[part][at]
        within = least[at, columns] + own[at, 0] + theirs[columns] <= radii
        unsure = np.flatnonzero(~within)
        within[unsure] = _squares(centres[part], at[unsure], rows, columns[unsure], mib) <= radii[unsure]
        np.add.at(held[part], at[within], counts[columns[within]])
        inside[columns[within]] = True
    return held, inside


def near_squares(
    rows: np.ndarray, others: np.ndarray, reach: float, tolerance: float, mib: float
) -> Iterator[np.ndarray]:
    """Yields the squared distances of all rows [N, D] to all others [M, D], [part, M] at a time.

    Up to `reach` beyond each row's least they are off by `tolerance` at most; farther by their rounding errors.
    """
    for start, least, own, theirs in _bounds(rows, others, mib):
        squares = np.maximum(least + theirs / 2.0, 0.0)
        if own.max() + theirs.max() > tolerance:
            limits = (least + theirs).min(axis=1, keepdims=True) + own + reach
            at, columns = (least - own <= limits).nonzero()
            squares[at, columns] = _squares(rows[start : start + len(least)], at, others, columns, mib)
        yield squares


def _bounds(rows, others, mib):
    """Bounds all squared distances, for a part of `rows` at a time.

    Yields `start`, where the part begins, `least` [part, M], `own` [part, 1] and `theirs` [M]: a squared distance lies
    between least - own and least + own + theirs. `least` is overwritten by the next part's.

    Raises:
        NotMeasuredError: For rows so large that a float cannot hold their squared distances.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # which is told just below
        middle = others.mean(axis=0)  # as the errors grow with the norms
        rows, others = rows - middle, others - middle
        norms, of_others = (np.einsum("nd,nd->n", each, each) for each in (rows, others))
        require_finite("squared distances", np.atleast_1d(2.0 * (norms.max() + of_others.max())))
    # A sum of D + 2 products is off by as many roundings of the sum of their sizes at most, here twice the sum of both
    # squared norms; these are off likewise, and the middle adds a few.
    unit = np.finfo(np.float64).eps * (2 * rows.shape[1] + 16)
    ones = np.ones((len(others), 1))
    right = np.hstack([others, ones, (of_others * (1.0 - unit))[:, np.newaxis]]).T
    size = max(1, int(mib * 2**20 / (16 * len(others))))
    least = np.empty((min(size, len(rows)), len(others)))
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        left = np.hstack([-2.0 * rows[part], norms[part, np.newaxis], np.ones((len(rows[part]), 1))])
        np.matmul(left, right, out=least[: len(left)])
        yield start, least[: len(left)], unit * norms[part, np.newaxis], 2.0 * unit * of_others


def _squares(rows, at, others, columns, mib):
    """The sums of squared differences of rows[at] and others[columns], [pairs]."""
    found = np.empty(len(at))
    size = max(1, int(mib * 2**20 / (16 * rows.shape[1])))
    for start in range(0, len(at), size):
        pairs = slice(start, start + size)
        differences = rows[at[pairs]] - others[columns[pairs]]
        differences *= differences
        found[pairs] = differences.sum(axis=1)
    return found
