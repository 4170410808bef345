"""Whether classes found without labels are too many: which of them lie among each other."""

import numpy as np

from infogan_tf.evaluation.metrics import NEIGHBOUR
from infogan_tf.evaluation.metrics.checks import real_numbers, same_length, whole, whole_numbers
from infogan_tf.evaluation.metrics.distances import nearest

# About the memory for the distances held at a time.
_MIB = 256.0


def class_overlaps(features: np.ndarray, classes: np.ndarray, num_classes: int, k: int = NEIGHBOUR) -> np.ndarray:
    """Returns how far the images of two classes lie among each other: 0 apart, about 1 where chance parted one crowd.

    Of the k nearest neighbours of a class's images, those in another class are counted, and divided by how many they
    would be if these two classes were mixed at random: their number over that of both, times the neighbours that lie in
    either. Of the two directions the mean is taken. It is the count of k-nearest-neighbour two-sample tests (Schilling
    1986), for each pair of classes.

    Args:
        features: Features [N, D].
        classes: Class of each image, integers [N] from 0 to below num_classes.
        num_classes: How many classes there are.
        k: How many neighbours, 1 or more, fewer than N.

    Returns:
        float64 [num_classes, num_classes], symmetric; 0 on the diagonal, and where a class of the pair is empty.

    Raises:
        NotMeasuredError: For k images or fewer, or features that are not finite.
        ValueError: For other shapes, types or classes.
    """
    whole("k", k, 1)
    features = real_numbers("features", features, 2, least=k + 1)
    whole("num_classes", num_classes, 1)
    classes = whole_numbers("classes", classes, 1)
    if classes.max() >= num_classes:
        raise ValueError(f"classes: expected integers below {num_classes}. Received: {classes.max()}")
    same_length(features=features, classes=classes)
    indices, _ = nearest(features, features, k + 1, _MIB)
    # An image is not its own neighbour; among copies it may be missing from the k + 1, and the last goes in its place.
    own = indices == np.arange(len(features))[:, np.newaxis]
    own[~own.any(axis=1), -1] = True
    neighbours = classes[indices[~own].reshape(-1, k)]
    counts = np.zeros((num_classes, num_classes))
    np.add.at(counts, (np.repeat(classes, k), neighbours.ravel()), 1)
    sizes = np.bincount(classes, minlength=num_classes)
    in_either = np.diag(counts)[:, np.newaxis] + counts
    # Of n images in this class and m in the other, one of this class has n - 1 + m others in both.
    by_chance = sizes / np.maximum(1, sizes[:, np.newaxis] - 1 + sizes)
    expected = in_either * by_chance
    found = np.divide(counts, expected, out=np.zeros_like(counts), where=expected > 0)
    np.fill_diagonal(found, 0.0)
    return (found + found.T) / 2
