"""c1 read as a classifier: perfect, useless and permuted."""

import itertools

import numpy as np
import pytest

from infogan_tf.evaluation.clustering import matched_error


def test_a_permutation_of_the_labels_is_perfect():
    labels = np.repeat(np.arange(10), 7)
    assert matched_error(np.random.default_rng(0).permutation(10)[labels], labels) == 0.0


def test_one_class_for_all_is_chance():
    labels = np.repeat(np.arange(10), 7)
    assert matched_error(np.zeros_like(labels), labels) == pytest.approx(0.9)


def test_it_is_the_best_of_all_matchings():
    rng = np.random.default_rng(1)
    labels, classes = rng.integers(0, 5, 200), rng.integers(0, 5, 200)
    best = min(np.mean(np.array(match)[classes] != labels) for match in itertools.permutations(range(5)))
    assert matched_error(classes, labels) == pytest.approx(best)


def test_it_is_not_purity():
    # Two classes share the label 0 purely: purity calls that perfect, a one-to-one matching does not.
    labels = np.array([0, 0, 0, 0, 1, 1])
    assert matched_error(np.array([0, 0, 1, 1, 2, 2]), labels) == pytest.approx(2 / 6)


def test_more_labels_than_classes():
    assert matched_error(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2])) == pytest.approx(1 / 4)
