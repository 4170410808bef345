"""Categorical codes read as classifiers, against labels that no training saw.

Classes are integers 0..K-1 (what the code says), labels integers 0..L-1 (what is true). All figures here are the same
for every numbering of the classes.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn import metrics


def matched_error(classes: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose class is not the one matched to their label, in 0..1; see `match`."""
    return 1.0 - clustering_scores(classes, labels)["accuracy"]


def clustering_scores(classes: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """How well classes found without labels agree with labels; higher is better, 1 is perfect.

    Args:
        classes: the most probable class of each image, integers [N].
        labels: the true labels, integers [N].

    Returns:
        "accuracy": the share of images in the class matched one-to-one to their label (the "unsupervised clustering
        accuracy" of Xie et al. 2016, arXiv:1511.06335, equation 10); without a partner, a class or label is wrong.
        "purity": the share with the commonest label of their class (Manning et al. 2008, section 16.3); classes may
        share a label, so that many classes alone make it high.
        "nmi": mutual information over the mean of both entropies (Vinh et al. 2010); 0 where independent.
        "ari": the Rand index adjusted for chance (Hubert and Arabie 1985); about 0 where independent.
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
    """How many images of each label fell into each class: integers [labels, classes], or larger as asked for."""
    classes, labels = np.asarray(classes), np.asarray(labels)
    if classes.shape != labels.shape or not len(labels):
        raise ValueError(
            f"classes and labels: expected as many of one as of the other. Received: {len(classes)} and {len(labels)}"
        )
    counts = np.zeros((max(num_labels, labels.max() + 1), max(num_classes, classes.max() + 1)), np.int64)
    np.add.at(counts, (labels, classes), 1)
    return counts


def match(counts: np.ndarray) -> np.ndarray:
    """The label matched to each class, [classes], so that the most images agree; -1 where there are too few labels.

    One-to-one, by the Hungarian method (Kuhn 1955).

    Args:
        counts: as `confusion` gives them, [labels, classes].
    """
    rows, columns = linear_sum_assignment(counts, maximize=True)
    matched = np.full(counts.shape[1], -1)
    matched[columns] = rows
    return matched


def joint_classes(classes: list[np.ndarray]) -> np.ndarray:
    """Several codes' classes [N] each as one: integers [N], numbered over the combinations that occur."""
    return np.unique(np.stack(classes, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
