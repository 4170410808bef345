"""How far classes lie among each other, against closed forms and scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.overlap import class_overlaps

RNG = np.random.default_rng(0)


def test_a_crowd_that_chance_parted_overlaps_wholly_and_crowds_apart_not_at_all():
    crowd, other = RNG.normal(size=(3000, 3)), RNG.normal(size=(500, 3)) + 100.0
    classes = np.concatenate([RNG.choice([0, 1], p=[0.8, 0.2], size=3000), np.full(500, 3)])
    found = class_overlaps(np.concatenate([crowd, other]), classes, 4)
    assert found[0, 1] == pytest.approx(1.0, abs=0.05)
    np.testing.assert_array_equal(found, found.T)
    found[0, 1] = found[1, 0] = 0.0
    np.testing.assert_array_equal(found, 0.0)  # class 2 is empty


def test_a_crowd_cut_in_two_overlaps_along_the_cut():
    line = np.arange(100.0)[:, np.newaxis]
    found = class_overlaps(line, (line[:, 0] >= 60).astype(int), 2, k=1)
    # Each one's nearest neighbour, the first of two as near, is the one before it: one of class 1 has one of class 0.
    neighbours = np.concatenate([[1], np.arange(99)])
    crossing = (neighbours[60:] < 60).sum() / 40 / (60 / 99)
    np.testing.assert_allclose(found, [[0.0, crossing / 2], [crossing / 2, 0.0]])


def test_neighbours_are_those_of_scikit_learn():
    features, classes = RNG.normal(size=(200, 5)), RNG.integers(0, 3, 200)
    neighbours = NearestNeighbors(n_neighbors=8).fit(features).kneighbors(return_distance=False)[:, :7]
    found = class_overlaps(features, classes, 3, k=7)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        directions = []
        for a, b in ((one, other), (other, one)):
            theirs = classes[neighbours[classes == a]]
            n, m = (classes == a).sum(), (classes == b).sum()
            directions.append((theirs == b).sum() / np.isin(theirs, [a, b]).sum() / (m / (n - 1 + m)))
        assert found[one, other] == pytest.approx(np.mean(directions))


def test_copies_are_neighbours_of_each_other():
    features = np.repeat(np.eye(4), 50, axis=0)
    found = class_overlaps(features, np.tile([0, 1], 100), 2)
    assert 0.5 < found[0, 1] < 1.5
    np.testing.assert_array_equal(class_overlaps(features, np.repeat([0, 1], 100), 2), 0.0)


@pytest.mark.parametrize(
    ("features", "classes", "error"),
    [
        (np.zeros((5, 2)), np.zeros(5, int), NotMeasuredError),  # as many as neighbours
        (np.full((9, 2), np.nan), np.zeros(9, int), NotMeasuredError),
        (np.zeros((9, 2)), np.zeros(8, int), ValueError),
        (np.zeros((9, 2)), np.full(9, 3), ValueError),
        (np.zeros((9, 2)), np.full(9, -1), ValueError),
        (np.zeros((9, 2)), np.zeros(9), ValueError),
        (np.zeros(9), np.zeros(9, int), ValueError),
    ],
)
def test_what_is_no_such_thing_is_refused(features, classes, error):
    with pytest.raises(error):
        class_overlaps(features, classes, 3)
