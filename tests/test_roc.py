"""Areas under the ROC curve against closed forms and scikit-learn, and which attribute goes with a code."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from infogan_tf.evaluation.metrics.roc import best_attributes, roc_areas


def column(*values):
    return np.array(values)[:, np.newaxis]


@pytest.mark.parametrize(
    ("scores", "truths", "area"),
    [
        ((1, 2, 3, 4), (0, 0, 1, 1), 1.0),
        ((4, 3, 2, 1), (0, 0, 1, 1), 0.0),
        ((5, 5, 5, 5), (0, 1, 0, 1), 0.5),
        ((1, 3, 2, 4), (0, 0, 1, 1), 0.75),  # three of four pairs are in order
        ((1, 2, 2, 3), (0, 0, 1, 1), 0.875),  # a tie counts half
    ],
)
def test_areas_of_a_few_images(scores, truths, area):
    assert roc_areas(column(*scores), column(*truths))[0, 0] == pytest.approx(area, abs=1e-15)


def test_the_area_of_two_normals_is_known():
    # P(x > y) of x ~ N(1, 1), y ~ N(0, 1) is Phi(1 / sqrt(2)) = 0.7602.
    rng = np.random.default_rng(0)
    truths = np.arange(40_000) % 2
    assert roc_areas(column(*(truths + rng.normal(size=40_000))), column(*truths))[0, 0] == pytest.approx(
        0.7602, abs=0.01
    )


def test_areas_are_those_of_scikit_learn_whatever_is_unknown():
    rng = np.random.default_rng(0)
    scores = np.round(rng.normal(size=(200, 3)), 1)  # with ties
    truths = rng.integers(0, 2, (200, 4)).astype(np.int8)
    truths[:50, 1] = truths[:50, 2] = truths[rng.random(200) < 0.3, 3] = -1
    areas = roc_areas(scores, truths)
    for a in range(4):
        known = truths[:, a] >= 0
        for m in range(3):
            assert areas[a, m] == pytest.approx(roc_auc_score(truths[known, a], scores[known, m]), abs=1e-12)


def test_what_too_few_images_have_is_not_known():
    truths = np.array([[1, 1, 0, -1], [0, 1, 1, -1], [0, 1, 1, -1], [0, 1, 0, -1]])
    areas = roc_areas(column(1, 2, 3, 4), truths)
    assert np.isfinite(areas[:, 0]).tolist() == [True, False, True, False]
    assert np.isfinite(roc_areas(column(1, 2, 3, 4), truths, least=2)[:, 0]).tolist() == [False, False, True, False]
    assert roc_areas(np.zeros((3, 2)), np.zeros((3, 0), int)).shape == (0, 2)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"scores, truths, least: expected \[N, M\]"):
        roc_areas(np.zeros((3, 2)), np.zeros((4, 2)))


def test_the_best_is_the_farthest_from_chance_in_either_direction_and_both_areas_are_known():
    train = np.array([[0.6, 0.5, np.nan, 0.25], [0.125, np.nan, 0.7, 0.75], [0.7, 0.5, np.nan, 0.5]])
    test = np.array([[0.6, 0.5, 0.6, 0.3], [0.25, 0.9, np.nan, 0.625], [0.7, 0.5, np.nan, 0.5]])
    assert best_attributes(["a", "b", "c"], train, test) == [
        {"name": "not b", "train_auc": 0.875, "auc": 0.75},
        {"name": "a", "train_auc": 0.5, "auc": 0.5},
        None,
        {"name": "b", "train_auc": 0.75, "auc": 0.625},
    ]
    assert best_attributes([], np.zeros((0, 2)), np.zeros((0, 2))) == [None, None]
