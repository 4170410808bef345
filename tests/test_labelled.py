"""A few labels that training is told: which images they are of, what Q is told by them, and what is measured then."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from conftest import TINY, make_model, run_here

from infogan_tf.commands.train import check_labels
from infogan_tf.config.options import Config
from infogan_tf.data.images import ImageData, Split
from infogan_tf.data.labelled import labelled_choice
from infogan_tf.errors import UserError
from infogan_tf.objectives.augmentation import Augmentation
from infogan_tf.objectives.supervision import Supervision
from infogan_tf.objectives.term import Batch, Real
from infogan_tf.training.watching import ClassifierError

SEED = tf.constant([3, 5])
LABELS = np.random.default_rng(0).integers(0, 10, 2_000)


def test_as_many_of_each_label_are_drawn_by_the_seed():
    chosen = labelled_choice(LABELS, 100, seed=1)
    assert len(set(chosen)) == 100
    assert np.bincount(LABELS[chosen]).tolist() == [10] * 10
    np.testing.assert_array_equal(chosen, labelled_choice(LABELS, 100, seed=1))
    assert set(chosen) != set(labelled_choice(LABELS, 100, seed=2))


def test_a_larger_choice_has_all_of_a_smaller_one():
    for few, more in ((10, 11), (23, 100), (100, 1_000)):
        assert set(labelled_choice(LABELS, few, seed=1)) < set(labelled_choice(LABELS, more, seed=1))


def test_a_run_that_was_told_other_images_does_not_go_on(tmp_path):
    run_here(*TINY, "--labelled=20", "--run_dir=run", cwd=tmp_path, exporting=False)
    path = tmp_path / "run" / "config.json"
    record = json.loads(path.read_text())
    for changed in ({"labelled": "0" * 64}, {}):  # as of a version that drew others, and of one that did not say
        path.write_text(
            json.dumps({**{name: value for name, value in record.items() if name != "labelled"}, **changed})
        )
        done = run_here("--resume", "--run_dir=run", "--steps=5", "--evaluation=none", cwd=tmp_path, check=False)
        assert done.returncode == 2
        assert "--resume: expected a run whose 20 labelled images this version draws." in done.stderr
    path.write_text(json.dumps(record))
    run_here("--resume", "--run_dir=run", "--steps=5", "--evaluation=none", cwd=tmp_path, exporting=False)


def test_what_is_left_over_falls_to_labels_by_chance():
    counts = np.sum([np.bincount(LABELS[labelled_choice(LABELS, 23, seed)]) for seed in range(50)], axis=0)
    assert np.bincount(LABELS[labelled_choice(LABELS, 23, 0)]).max() == 3
    assert counts.sum() == 23 * 50
    assert counts.min() > 100  # two each time
    assert counts.max() < 135


def test_a_label_of_too_few_images_is_refused():
    with pytest.raises(ValueError, match=r"labels: expected 2 images or more of label 1\. Received: 1"):
        labelled_choice(np.array([0, 0, 1]), 4, 0)


DATA = ImageData("levels", Split(np.zeros((6, 8, 8, 1), np.uint8), np.array([0, 0, 1, 1, 2, 2])), None, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labelled": 3, "latents": "noise:4,cat:10"}, "--latents: expected cat:3 with --labelled=3"),
        ({"labelled": 2, "latents": "noise:4,cat:3"}, "--labelled: expected 3 to 6, as many of each of the 3 labels"),
        ({"labelled": 7, "latents": "noise:4,cat:3"}, "--labelled: expected 3 to 6"),
        ({"model": "cgan", "latents": "noise:4,label:10"}, "--latents: expected label:3 with --model=cgan"),
        ({"model": "semi_supervised", "latents": "noise:4,class:3"}, "--labelled: expected 3 to 6"),
        ({"model": "semi_supervised", "labelled": 3, "latents": "noise:4,class:4"}, "--latents: expected class:3"),
    ],
)
def test_labels_that_the_images_do_not_have_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        check_labels(Config(dataset="digits", **options), DATA)


@pytest.mark.parametrize("options", [{"labelled": 3}, {"model": "cgan", "latents": "noise:4,label:3"}])
def test_a_label_of_no_training_image_is_refused_by_its_name(options):
    labels = np.array([0, 0, 0, 2, 2, 2])
    data = dataclasses.replace(DATA, train=Split(DATA.train.images, labels))
    with pytest.raises(UserError, match=r"training images of every label\. Received: levels, without one of 'b'"):
        check_labels(Config(dataset="digits", **options), data)
    with pytest.raises(UserError, match="without one of 1"):
        check_labels(Config(dataset="digits", **options), dataclasses.replace(data, label_names=()))


def test_images_without_labels_are_refused_where_they_are_told():
    data = dataclasses.replace(DATA, train=Split(DATA.train.images))
    for options in ({"labelled": 3}, {"model": "cgan", "latents": "noise:4,label:3"}):
        with pytest.raises(UserError, match=r"expected images with labels .* Received: levels, which has none"):
            check_labels(Config(dataset="digits", **options), data)
    check_labels(Config(dataset="digits"), data)


def test_supervision_is_the_cross_entropy_of_the_known_classes():
    model = make_model(image_shape=(8, 8, 1), regularizers=[Supervision(10, 2.0, "contrast:0.000001")])
    rng = np.random.default_rng(1)
    images, labels = rng.random((12, 8, 8, 1), np.float32), rng.integers(0, 10, 12)
    real = Real(tf.zeros((4, 8, 8, 1)), labelled=(tf.constant(images), tf.constant(labels)))
    loss, figures = model.regularizers[0].added("d", model, Batch(real, None, None, None, None, SEED, None, None))
    logits = model.q_head(model.trunk(images, training=True), training=True).numpy()[:, :10].astype(np.float64)
    log_q = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    expected = -log_q[np.arange(12), labels].mean()
    assert float(loss) == pytest.approx(2.0 * expected, rel=1e-3)
    assert float(figures["d_supervision"]) == pytest.approx(expected, rel=1e-3)


def test_supervision_shows_its_images_as_d_is_shown_images():
    terms = [Supervision(10, 1.0, "c2~shear:0.2"), Augmentation("contrast:1,brightness:1")]
    model = make_model(image_shape=(8, 8, 1), regularizers=terms)
    images = tf.constant(np.random.default_rng(1).random((12, 8, 8, 1), np.float32))
    real = Real(images, labelled=(images, tf.range(12) % 10))
    given = Batch(real, None, None, None, None, SEED, None, None)
    changed = float(terms[0].d_term(model, given))
    model.terms = terms[:1]
    assert abs(changed - float(terms[0].d_term(model, given))) > 1e-3


@pytest.mark.parametrize("labels", [(), (np.zeros(8, np.int64),)], ids=["none", "of the images themselves"])
def test_supervision_without_labelled_images_is_refused(labels):
    model = make_model(regularizers=[Supervision(10, 1.0, "flip")], run_eagerly=True)
    with pytest.raises(ValueError, match="labels: expected, in their place, a pair of further images and their labels"):
        model.fit(np.zeros((8, 8, 8, 1), np.uint8), *labels, verbose=0)


def test_supervision_changes_nothing_where_nothing_is_declared_for_the_class():
    model = make_model(image_shape=(8, 8, 1), regularizers=[Supervision(10, 1.0, "c2~shear:0.2")])
    term = model.regularizers[0]
    images = tf.constant(np.random.default_rng(1).random((5, 8, 8, 1), np.float32))
    changed = term.transformations(images, term.transformations.amounts(5, SEED), SEED)
    np.testing.assert_allclose(changed, images, atol=1e-6)


def test_training_ties_classes_to_labels():
    # Each label is a place that is bright; L_I alone would number them as it likes.
    labels = np.arange(60) % 10
    images = np.zeros((60, 8, 8, 1), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label % 8, (label // 8) * 4 : (label // 8) * 4 + 4] = 255
    model = make_model(regularizers=[Supervision(60, 5.0, "contrast:0.2")])
    known = tf.data.Dataset.from_tensors((images[:60], labels[:60]))
    batches = tf.data.Dataset.zip((tf.data.Dataset.from_tensors(images), known)).repeat(120)
    model.fit(batches, verbose=0)
    assert (model.most_probable(images)["c1"] == labels).mean() > 0.9


def test_the_error_of_classes_that_are_labels_matches_nothing():
    model, labels = make_model(), np.array([1, 0, 1, 0])
    model.most_probable = lambda images: {"c1": 1 - labels}
    images = np.zeros((4, 8, 8, 1), np.uint8)
    errors = []
    for told in (False, True):
        callback, logs = ClassifierError(Split(images, labels), told=told), {}
        callback.set_model(model)
        callback.on_epoch_end(0, logs)
        errors.append(logs["c1_error"])
    assert errors == [0.0, 1.0]
