"""Directions of attributes in what an encoder says of images, and which of them to show."""

import numpy as np

from infogan_tf.evaluation.metrics.checks import known_truths, real_numbers, same_length, whole

# Two directions are alike where the cosine of the angle between them is above this, or below its negative.
ALIKE = 0.5


def mean_directions(codes: np.ndarray, truths: np.ndarray, least: int = 1) -> np.ndarray:
    """The mean code of images that have an attribute, less that of those that have not, for each attribute.

    Larsen et al. 2016 (arXiv:1512.09300), section 4.1, call it a visual attribute vector.

    Args:
        codes: What an encoder says of images, [N, D].
        truths: Attributes of each image, integers [N, A]: 1 yes, 0 no, -1 unknown.
        least: How many images have to have the attribute, and how many not, from 1.

    Returns:
        Float64 [A, D]; NaN for attributes that fewer images have, or have not.

    Raises:
        NotMeasuredError: For codes that are not finite, or of no image.
        ValueError: For other shapes or types, or `least` below 1.
    """
    whole("least", least, 1)
    codes, truths = real_numbers("codes", codes, 2), known_truths("truths", truths)
    same_length(codes=codes, truths=truths)
    having, lacking = (np.float64(truths == value) for value in (1, 0))
    counts = np.stack([having.sum(axis=0), lacking.sum(axis=0)])
    found = [
        part.T @ codes / np.maximum(count, 1)[:, np.newaxis]
        for part, count in zip((having, lacking), counts, strict=True)
    ]
    directions = found[0] - found[1]
    directions[counts.min(axis=0) < least] = np.nan
    return directions


def correlations(codes: np.ndarray, truths: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """The correlation of each attribute with the codes along its direction, over the images where it is known.

    Unlike the area under the ROC curve, it is small for what few images have.

    Args:
        codes: What an encoder says of images, [N, D].
        truths: Attributes of each image, integers [N, A]: 1 yes, 0 no, -1 unknown; some have each, and some have not.
        directions: Of the attributes, [A, D].

    Returns:
        Float64 [A] in [-1, 1]; 0 where the codes do not differ along the direction.

    Raises:
        NotMeasuredError: For numbers that are not finite, or none.
        ValueError: For other shapes or types, or an attribute that all images have, or none.
    """
    codes, truths = real_numbers("codes", codes, 2), known_truths("truths", truths)
    directions = real_numbers("directions", directions, 2)
    same_length(codes=codes, truths=truths)
    if directions.shape != (truths.shape[1], codes.shape[1]):
        raise ValueError(f"directions: expected {(truths.shape[1], codes.shape[1])}. Received: {directions.shape}")
    found = np.zeros(len(directions))
    for a, along in enumerate(directions @ codes.T):
        has, numbers = truths[truths[:, a] >= 0, a], along[truths[:, a] >= 0]
        if not has.size or has.min() == has.max():
            raise ValueError(f"truths: expected attributes that some images have and some have not. Received: {a}")
        if np.ptp(numbers) > 0:
            found[a] = np.corrcoef(numbers, has)[0, 1]
    return found


def unlike(directions: np.ndarray, strengths: np.ndarray, most: int) -> list[int]:
    """The places of the strongest directions, each unlike those before it: their cosines lie between -ALIKE and ALIKE.

    Args:
        directions: [A, D]; one that is 0 is not chosen.
        strengths: Of each, [A].
        most: How many to choose at most, from 1.

    Raises:
        NotMeasuredError: For numbers that are not finite, or none.
        ValueError: For other shapes or types, or `most` below 1.
    """
    whole("most", most, 1)
    directions, strengths = real_numbers("directions", directions, 2), real_numbers("strengths", strengths, 1)
    same_length(directions=directions, strengths=strengths)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    units = directions / np.where(lengths > 0, lengths, 1.0)
    chosen = []
    for place in np.argsort(-strengths, kind="stable"):
        if lengths[place] > 0 and (np.abs(units[chosen] @ units[place]) <= ALIKE).all() and len(chosen) < most:
            chosen.append(int(place))
    return chosen
