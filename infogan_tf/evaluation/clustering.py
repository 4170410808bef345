"""A categorical code read as a classifier."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix


def matched_error(classes: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose class is not the one matched to their label, in 0..1.

    Classes are matched one-to-one to labels so that the most images agree (Kuhn 1955, "The Hungarian method"; the
    "unsupervised clustering accuracy" of Xie et al. 2016, arXiv:1511.06335, subtracted from 1). A class or a label
    left without a partner counts as wrong.

    Args:
        classes: the code's most probable class of each image, integers [N].
        labels: the true labels, integers [N].
    """
    counts = contingency_matrix(labels, classes)
    matched = counts[linear_sum_assignment(counts, maximize=True)].sum()
    return float(1.0 - matched / len(labels))
