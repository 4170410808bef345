"""Checks of what a measure is given: an error names the argument, what was expected and what was received."""

import math
from collections.abc import Sequence

import numpy as np

from infogan_tf.errors import NotMeasuredError

# So far from 1 may probabilities sum: those of a network in half precision do.
SLIP = 1e-3


def real_numbers(name: str, values: np.ndarray, axes: int, least: int = 1) -> np.ndarray:
    """Returns `values` as float64.

    Args:
        name: Name of the caller's argument.
        values: Real numbers.
        axes: How many axes they have.
        least: How many rows, the first axis, there are at least; 1 or more. The other axes are not empty.

    Raises:
        NotMeasuredError: For fewer rows, or numbers that are not finite.
        ValueError: For other types or shapes.
    """
    array = _array(name, values, axes, "fiub", "numbers")
    _enough(name, array, least)
    array = array.astype(np.float64)
    require_finite(name, array)
    return array


def require_finite(name: str, array: np.ndarray) -> None:
    """Raises a NotMeasuredError where a number is NaN or infinite."""
    finite = np.isfinite(array)
    if not finite.all():
        raise NotMeasuredError(f"{name}: expected finite numbers. Received: {array[~finite][0]}")


def whole_numbers(name: str, values: np.ndarray, axes: int, least: int = 1) -> np.ndarray:
    """Returns `values` as int64: integers or truth values from 0, none of them a float.

    The arguments are those of `real_numbers`.

    Raises:
        NotMeasuredError: For fewer rows.
        ValueError: For other types or shapes, or numbers below 0.
    """
    array = _array(name, values, axes, "iub", "integers from 0")
    _enough(name, array, least)
    if array.size and array.min() < 0:
        raise ValueError(f"{name}: expected integers from 0. Received: {array.min()}")
    return array.astype(np.int64)


def probabilities(name: str, values: np.ndarray, least: int = 1) -> np.ndarray:
    """Returns probabilities [N, classes] as float64; the arguments are those of `real_numbers`.

    Raises:
        NotMeasuredError: For fewer rows, or numbers that are not finite.
        ValueError: For other types or shapes, numbers below 0, or rows that do not sum to 1 within SLIP.
    """
    array = real_numbers(name, values, 2, least)
    if array.min() < 0.0:
        raise ValueError(f"{name}: expected probabilities from 0. Received: {array.min():.6g}")
    sums = array.sum(axis=1)
    worst = sums[np.abs(sums - 1.0).argmax()]
    if abs(worst - 1.0) > SLIP:
        raise ValueError(f"{name}: expected rows that sum to 1. Received: one that sums to {worst:.6g}")
    return array


def known_truths(name: str, values: np.ndarray) -> np.ndarray:
    """Returns integers 1, 0 and -1: yes, no and unknown.

    Raises:
        ValueError: For other values, or another shape than [N, A].
    """
    array = np.asarray(values)
    if array.ndim != 2:
        raise ValueError(f"{name}: expected [N, A]. Received: shape {array.shape}")
    if array.dtype.kind not in "iub" or not np.isin(array, (-1, 0, 1)).all():
        raise ValueError(f"{name}: expected integers 1, 0 and -1. Received: {array.dtype} {np.unique(array)[:5]}")
    return array


def same_length(**arrays: np.ndarray | Sequence) -> None:
    """Raises a ValueError unless all arrays have as many rows."""
    if len({len(array) for array in arrays.values()}) > 1:
        names = " and ".join(arrays)
        received = " and ".join(str(len(array)) for array in arrays.values())
        raise ValueError(f"{names}: expected as many of one as of the other. Received: {received}")


def whole(name: str, value: int, least: int) -> None:
    """Raises a ValueError unless `value` is an integer, `least` or more."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name}: expected an integer from {least}. Received: {name}={value!r}")


def finite(name: str, value: float) -> None:
    """Raises a ValueError unless `value` is a finite number."""
    if not np.isscalar(value) or isinstance(value, (str, bytes, complex)) or not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number. Received: {name}={value!r}")


def _array(name, values, axes, kinds, what):
    array = np.asarray(values)
    if array.dtype.kind not in kinds or array.ndim != axes:
        of_axes = "one axis" if axes == 1 else f"{axes} axes"
        raise ValueError(f"{name}: expected {what} along {of_axes}. Received: {name}={array.dtype}{array.shape}")
    return array


def _enough(name, array, least):
    if len(array) < least:
        raise NotMeasuredError(f"{name}: expected at least {least} rows of numbers. Received: {name}={array.shape}")
    if 0 in array.shape[1:]:
        raise ValueError(f"{name}: expected at least one column. Received: {name}={array.shape}")
