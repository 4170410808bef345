"""Categorical codes as classifiers, scored against labels that training did not use.

Classes, integers 0..K-1, are what the code says; labels, integers 0..L-1, are the truth. No score here depends on how
the classes are numbered.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn import metrics

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.checks import real_numbers, same_length, whole_numbers


def matched_error(classes: np.ndarray, labels: np.ndarray) -> float:
    """Returns the share of images whose class is not the one matched to their label, in 0..1: 1 - "accuracy"."""
    return 1.0 - clustering_scores(classes, labels)["accuracy"]


def clustering_scores(classes: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Scores how well classes found without labels agree with the labels; higher is better, 1 is perfect.

    Args:
        classes: Most probable class of each image, integers [N] from 0.
        labels: True label of each image, integers [N] from 0.

    Returns:
        "accuracy": Share of images in the class matched one-to-one to their label, see `match` (the "unsupervised
            clustering accuracy" of Xie et al. 2016, arXiv:1511.06335, equation 10). Images of an unmatched class or
            label count as wrong.
        "purity": Share of images with the commonest label of their class (Manning et al. 2008, section 16.3). Classes
            may share a label, so that many classes alone make it high.
        "nmi": Mutual information over the mean of both entropies (Vinh et al. 2010), in 0..1; 0 if independent.
        "ari": Rand index adjusted for chance (Hubert and Arabie 1985); about 0 if independent.

    Raises:
        ValueError: Where `classes` and `labels` differ in length, are empty, or no integers from 0.
    """
    counts = confusion(classes, labels)
    matched = match(counts)
    paired = matched >= 0
    return {
        "accuracy": float(counts[matched[paired], paired.nonzero()[0]].sum() / len(labels)),
        "purity": float(counts.max(axis=0).sum() / len(labels)),
        "nmi": float(metrics.normalized_mutual_info_score(labels, classes)),
        "ari": float(metrics.adjusted_rand_score(labels, classes)),
    }


def confusion(classes: np.ndarray, labels: np.ndarray, num_classes: int = 0, num_labels: int = 0) -> np.ndarray:
    """Counts the images of each label in each class.

    Args:
        classes: Class of each image, integers [N] from 0.
        labels: Label of each image, integers [N] from 0.
        num_classes: Least number of columns; by default the greatest class + 1.
        num_labels: Least number of rows; by default the greatest label + 1.

    Returns:
        Counts, int64 [labels, classes].

    Raises:
        ValueError: Where `classes` and `labels` differ in length, are empty, or no integers from 0.
    """
    classes, labels = whole_numbers("classes", classes, 1), whole_numbers("labels", labels, 1)
    if classes.shape != labels.shape:
        raise ValueError(
            f"classes and labels: expected as many of one as of the other. Received: {len(classes)} and {len(labels)}"
        )
    counts = np.zeros((max(num_labels, labels.max() + 1), max(num_classes, classes.max() + 1)), np.int64)
    np.add.at(counts, (labels, classes), 1)
    return counts


def match(counts: np.ndarray) -> np.ndarray:
    """Matches classes to labels one-to-one so that the most images agree, by the Hungarian method (Kuhn 1955).

    Args:
        counts: Counts [labels, classes], as `confusion` returns them.

    Returns:
        The label of each class, integers [classes]; -1 for the classes left over where there are fewer labels.

    Raises:
        ValueError: For counts that are no integers from 0, or none.
    """
    counts = whole_numbers("counts", counts, 2)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    matched = np.full(counts.shape[1], -1)
    matched[columns] = rows
    return matched


def silhouette(features: np.ndarray, classes: np.ndarray) -> float:
    """Returns how much nearer images are to their own class than to the next, in -1..1 (Rousseeuw 1987); labels aside.

    It is the mean over images of (b - a) / max(a, b), where a is the mean distance to the others of its class, and b
    the least mean distance to another class. With too many classes b comes near a, with too few a grows.

    Args:
        features: Features [N, D].
        classes: Class of each image, integers [N] from 0.

    Raises:
        NotMeasuredError: For features that are not finite, fewer than two classes with images, or as many as images.
        ValueError: For other shapes or types.
    """
    features = real_numbers("features", features, 2, least=3)
    classes = whole_numbers("classes", classes, 1)
    same_length(features=features, classes=classes)
    used = len(np.unique(classes))
    if not 2 <= used < len(classes):
        raise NotMeasuredError(f"classes: expected two or more, and fewer than images. Received: {used}")
    return float(metrics.silhouette_score(features, classes))


def joint_classes(classes: list[np.ndarray]) -> np.ndarray:
    """Combines the classes of several codes, [N] each, into one class per combination that occurs, integers [N].

    Raises:
        ValueError: For no code, classes that are no integers from 0, or codes of different lengths.
    """
    classes = [whole_numbers("classes", each, 1) for each in classes]
    if len({len(each) for each in classes}) != 1:
        raise ValueError(
            f"classes: expected codes of as many images. Received: codes of {[len(each) for each in classes]}"
        )
    return np.unique(np.stack(classes, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
