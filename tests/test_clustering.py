"""Classes against labels: the perfect, the useless and the merged code."""

import itertools

import numpy as np
import pytest

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.clustering import (
    clustering_scores,
    confusion,
    joint_classes,
    match,
    matched_error,
    silhouette,
)


def _draw(count=500, classes=5, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=count)
    return np.where(rng.random(count) < noise, rng.integers(classes, size=count), labels), labels


def test_a_renumbered_code_is_perfect():
    labels = np.arange(1_000) % 10
    renumbered = np.random.default_rng(0).permutation(10)[labels]
    assert clustering_scores(renumbered, labels) == dict.fromkeys(
        ("accuracy", "purity", "nmi", "ari"), pytest.approx(1)
    )
    assert matched_error(renumbered, labels) == 0.0


def test_a_constant_code_gets_one_label_right():
    scores = clustering_scores(np.zeros(1_000, int), np.arange(1_000) % 10)
    assert scores == {"accuracy": 0.1, "purity": 0.1, "nmi": 0.0, "ari": 0.0}


def test_an_independent_code_is_at_chance():
    rng = np.random.default_rng(0)
    scores = clustering_scores(rng.integers(10, size=20_000), rng.integers(10, size=20_000))
    assert scores["nmi"] < 0.002
    assert abs(scores["ari"]) < 0.002
    assert scores["accuracy"] < 0.12


def test_a_class_that_mixes_two_labels_and_one_split_in_two():
    # Labels 0 and 1 share class 0, label 2 is split between classes 1 and 2; 100 images of each label.
    labels = np.repeat([0, 1, 2], 100)
    classes = np.concatenate([np.zeros(200, int), np.ones(60, int), np.full(40, 2)])
    scores = clustering_scores(classes, labels)
    assert scores["accuracy"] == pytest.approx(160 / 300)
    assert scores["purity"] == pytest.approx(200 / 300)


def test_more_classes_than_labels_raise_purity_but_not_accuracy():
    labels = np.arange(100) % 2
    scores = clustering_scores(np.arange(100), labels)
    assert scores["purity"] == 1.0
    assert scores["accuracy"] == 0.02


def test_the_accuracy_is_that_of_the_best_of_all_pairings():
    classes, labels = _draw(noise=0.6)
    best = max(np.mean(np.array(pairing)[classes] == labels) for pairing in itertools.permutations(range(5)))
    assert clustering_scores(classes, labels)["accuracy"] == pytest.approx(best)


def test_numbering_the_classes_anew_changes_nothing():
    classes, labels = _draw()
    renumbered = np.random.default_rng(3).permutation(5)[classes]
    assert clustering_scores(renumbered, labels) == pytest.approx(clustering_scores(classes, labels), abs=1e-12)


def test_the_confusion_counts_every_pair():
    counts = confusion(np.array([0, 0, 2]), np.array([1, 1, 0]), num_classes=4)
    np.testing.assert_array_equal(counts, [[0, 0, 1, 0], [2, 0, 0, 0]])
    np.testing.assert_array_equal(match(counts), [1, -1, 0, -1])


def test_codes_are_joined_over_the_combinations_that_occur():
    joint = joint_classes([np.array([0, 0, 1, 0]), np.array([2, 1, 2, 2])])
    assert joint[0] == joint[3]
    assert len(set(joint)) == 3


def test_unequal_numbers_are_refused():
    with pytest.raises(ValueError, match="Received: 2 and 3"):
        confusion(np.zeros(2, int), np.zeros(3, int))


def test_a_silhouette_is_rousseeuws():
    features = np.random.default_rng(0).normal(size=(60, 3)) + 2.0 * np.repeat(np.arange(3), 20)[:, np.newaxis]
    classes = np.repeat([0, 1, 4], 20)
    distances = np.linalg.norm(features[:, np.newaxis] - features, axis=-1)
    found = []
    for i, own in enumerate(classes):
        mean = {k: distances[i, classes == k].sum() / ((classes == k).sum() - (k == own)) for k in (0, 1, 4)}
        b = min(value for k, value in mean.items() if k != own)
        found.append((b - mean[own]) / max(b, mean[own]))
    assert silhouette(features, classes) == pytest.approx(np.mean(found))
    for alone in (np.zeros(60, int), np.arange(60)):
        with pytest.raises(NotMeasuredError, match="two or more, and fewer than images"):
            silhouette(features, alone)
