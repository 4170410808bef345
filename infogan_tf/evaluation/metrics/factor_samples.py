"""Codes and true factors of the same images, as the disentanglement scores take them."""

from collections.abc import Sequence

import numpy as np

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.checks import probabilities, real_numbers, whole, whole_numbers


def checked(*samples: np.ndarray) -> list[np.ndarray]:
    """Converts and checks codes and factors (of training, then perhaps of test); drops factors constant in training.

    Raises:
        NotMeasuredError: As `shaped` and `varying`.
        ValueError: As `shaped`.
    """
    samples = shaped(*samples)
    samples[1::2] = varying(*samples[1::2])
    return samples


def shaped(*samples: np.ndarray) -> list[np.ndarray]:
    """Converts codes and factors (of training, then perhaps of test) into float64 and int64.

    Raises:
        NotMeasuredError: For codes that are not finite.
        ValueError: For shapes that do not fit each other, or factors that are no integers from 0.
    """
    for codes, factors in zip(samples[::2], samples[1::2], strict=True):
        shapes = np.shape(codes), np.shape(factors)
        if not all(len(shape) == 2 for shape in shapes) or shapes[0][0] != shapes[1][0]:
            raise ValueError(
                f"codes and factors: expected [N, D] and [N, K]. Received: shapes {shapes[0]} and {shapes[1]}"
            )
    columns = [np.shape(array)[1] for array in samples]
    if columns[:2] != columns[-2:]:
        raise ValueError(
            f"codes and factors: expected as many of the test as of the training samples. Received: {columns[:2]} and "
            f"{columns[2:]}"
        )
    checks = (("codes", real_numbers), ("factors", whole_numbers)) * 2
    return [check(name, array, 2) for (name, check), array in zip(checks, samples, strict=False)]


def varying(factors: np.ndarray, *of_test: np.ndarray) -> list[np.ndarray]:
    """Drops the factors that are constant in training.

    Raises:
        NotMeasuredError: Where all are, or where one that is not is constant in the test samples.
    """
    varies = np.ptp(factors, axis=0) > 0
    if not varies.any():
        raise NotMeasuredError("factors: expected one at least that varies. Received: only constants")
    for tested in of_test:
        constant = varies & (np.ptp(tested, axis=0) == 0)
        if constant.any():
            which = constant.argmax()
            raise NotMeasuredError(
                "factors: expected two values or more of each in the test samples. "
                f"Received: only {tested[0, which]} of factor {which}"
            )
    return [array[:, varies] for array in (factors, *of_test)]


def first_columns(codes: np.ndarray, widths: Sequence[int] | None) -> np.ndarray:
    """Returns the first column of each code, [codes].

    Args:
        codes: Codes [N, D].
        widths: Number of columns of each code, in order; None where each column is one.

    Raises:
        ValueError: Where the widths do not sum to D, or columns of a code of several are no probabilities.
    """
    widths = [1] * codes.shape[1] if widths is None else list(widths)
    for width in widths:
        whole("widths", width, 1)
    if sum(widths) != codes.shape[1]:
        raise ValueError(
            f"widths: expected the columns of each code, {codes.shape[1]} in all. Received: widths={widths}"
        )
    starts = np.cumsum([0, *widths[:-1]])
    for start, width in zip(starts, widths, strict=True):
        if width > 1:
            probabilities("codes", codes[:, start : start + width])
    return starts


def by_code(codes: np.ndarray, widths: Sequence[int] | None) -> list[np.ndarray]:
    """Returns each code: its column, float64 [N], or, where it has several, its most probable class, int64 [N].

    The arguments, and what is raised, are those of `first_columns`.
    """
    parts = np.split(codes, first_columns(codes, widths)[1:], axis=1)
    return [part[:, 0] if part.shape[1] == 1 else part.argmax(axis=1) for part in parts]
