"""How well numbers tell images that have an attribute from those that have not: areas under the ROC curve (AUC).

The area is the probability that an image with the attribute has the greater number than one without, ties counted half
(Mann and Whitney 1947): 1 or 0 where the number tells all, 0.5 where it tells nothing.
"""

from collections.abc import Sequence

import numpy as np

from infogan_tf.evaluation.metrics.checks import known_truths, real_numbers


def roc_areas(scores: np.ndarray, truths: np.ndarray, least: int = 1) -> np.ndarray:
    """Computes the area of every column of numbers for every attribute.

    Args:
        scores: The numbers of each image, [N, M].
        truths: Attributes of each image, integers [N, A]: 1 yes, 0 no, -1 unknown. An image counts for an
            attribute where this is known.
        least: How many images have to have the attribute, and how many not, from 1.

    Returns:
        Float64 [A, M] in [0, 1]; NaN for attributes that fewer images have, or have not.

    Raises:
        NotMeasuredError: For scores that are not finite.
        ValueError: Where scores and truths are not of as many images, one or more, truths are no such integers, or
            `least` is below 1.
    """
    scores, truths = np.asarray(scores), np.asarray(truths)
    if scores.ndim != 2 or truths.ndim != 2 or not 0 < len(scores) == len(truths) or not least >= 1:
        raise ValueError(
            "scores, truths, least: expected [N, M], [N, A] and at least 1. "
            f"Received: shapes {scores.shape} and {truths.shape}, least={least}"
        )
    truths = known_truths("truths", truths)
    scores = real_numbers("scores", scores, 2)
    having, lacking = (np.asarray(truths == value, np.int32) for value in (1, 0))
    wins = np.empty((truths.shape[1], scores.shape[1]))
    for column, numbers in enumerate(scores.T):
        order = numbers.argsort(kind="stable")
        ties = np.flatnonzero(np.diff(numbers[order], prepend=np.nan) != 0)  # where each group of equal numbers begins
        with_it, without = (np.add.reduceat(each[order], ties, axis=0) for each in (having, lacking))  # [groups, A]
        lower = without.cumsum(axis=0) - without
        wins[:, column] = (with_it * (lower + without / 2)).sum(axis=0)
    counts = np.stack([having.sum(axis=0), lacking.sum(axis=0)])
    areas = wins / np.maximum(counts.prod(axis=0), 1)[:, np.newaxis]
    areas[counts.min(axis=0) < least] = np.nan
    return areas


def best_attributes(names: Sequence[str], train: np.ndarray, test: np.ndarray) -> list[dict[str, object] | None]:
    """Chooses, for each column, the attribute whose area on training images is farthest from 0.5.

    Of two as far away, the one above 0.5 is taken, then the first. Where the chosen area is below 0.5, the column goes
    with the attribute's absence.

    Args:
        names: Names of the attributes, A of them.
        train: Areas on the images to choose by, [A, M], as `roc_areas` returns them.
        test: Areas on other images, [A, M]; attributes without one are not chosen.

    Returns:
        For each column, "name", which begins with "not " where the attribute's absence is meant, and the areas
        "train_auc", at least 0.5, and "auc", on the other images; None where no area is known.

    Raises:
        ValueError: Where the shapes do not fit each other, or an area is neither NaN nor in [0, 1].
    """
    train, test = np.asarray(train, np.float64), np.asarray(test, np.float64)
    if train.ndim != 2 or train.shape != test.shape or len(train) != len(names):
        raise ValueError(
            "names, train and test: expected A, [A, M] and [A, M]. "
            f"Received: {len(names)}, shapes {train.shape} and {test.shape}"
        )
    for areas in (train, test):
        beyond = areas[(areas < 0.0) | (areas > 1.0)]
        if beyond.size:
            raise ValueError(f"train and test: expected areas from 0 to 1. Received: {beyond[0]}")
    distances = np.where(np.isfinite(train) & np.isfinite(test), np.abs(train - 0.5) + 1e-9 * (train > 0.5), -1.0)
    found = []
    for column in range(train.shape[1]):
        best = distances[:, column].argmax() if len(names) else 0
        if not len(names) or distances[best, column] < 0.0:
            found.append(None)
            continue
        areas, absent = np.array([train[best, column], test[best, column]]), train[best, column] < 0.5
        areas = 1.0 - areas if absent else areas
        name = f"not {names[best]}" if absent else names[best]
        found.append({"name": name, "train_auc": float(areas[0]), "auc": float(areas[1])})
    return found
