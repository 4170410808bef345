"""What a model's methods are given: every form that Keras takes works, and what does not fit is said in one line."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import small_model

from infogan_tf.models.gan import parts_of
from infogan_tf.objectives.term import Real

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), dtype=np.uint8)
LABELS = np.arange(12)
SHAPE = r"images: expected shape \[B, 8, 8, 1\]\. Received: "


@pytest.fixture(scope="module")
def model():
    return small_model()


def batches(of, size=4):
    return tf.data.Dataset.from_tensor_slices(of).batch(size)


class Batches(keras.utils.PyDataset):
    """Three batches, or as many as are given."""

    def __init__(self, item=lambda i: IMAGES[4 * i : 4 * i + 4], count=3):
        super().__init__()
        self.item, self.count = item, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.item(index)


def none_of(images):
    """A data set that shows only when it is read that it is empty."""
    return tf.data.Dataset.from_tensor_slices(images).filter(lambda image: tf.size(image) == 0).batch(4)


def of_unknown_length(images, size=4):
    return tf.data.Dataset.from_tensor_slices(images).filter(lambda image: tf.size(image) > 0).batch(size)


# === What works ===

ROWS = {
    "array": lambda: IMAGES,
    "list": lambda: list(IMAGES),
    "nested lists": lambda: IMAGES.tolist(),
    "tensor": lambda: tf.constant(IMAGES),
    "pair": lambda: (IMAGES, LABELS),
    "dict": lambda: {"image": IMAGES, "label": LABELS},
    "dict of lists": lambda: {"images": list(IMAGES)},
}
BATCHES = {
    "data set": lambda: batches(IMAGES),
    "of pairs": lambda: batches((IMAGES, LABELS)),
    "of dicts": lambda: batches({"image": IMAGES, "label": LABELS, "id": LABELS.astype(str)}),
    "of dicts and labels": lambda: batches(({"image": IMAGES}, LABELS)),
    "another size at the end": lambda: batches(IMAGES, 5),
    "length not known": lambda: of_unknown_length(IMAGES),
    "shapes not known": lambda: tf.data.Dataset.from_generator(
        lambda: iter(np.split(IMAGES, 3)), output_types=tf.uint8
    ),
    "PyDataset": Batches,
    "PyDataset of dicts": lambda: Batches(lambda i: {"image": IMAGES[4 * i : 4 * i + 4]}),
    "generator": lambda: (batch for batch in np.split(IMAGES, 3)),
    "generator of pairs": lambda: ([batch, LABELS[:4]] for batch in np.split(IMAGES, 3)),
    "generator of dicts": lambda: ({"image": batch} for batch in np.split(IMAGES, 3)),
}


@pytest.mark.parametrize("name", [*ROWS, *BATCHES])
def test_what_is_read_is_the_same_in_every_form(model, name):
    given = (ROWS | BATCHES)[name]
    np.testing.assert_allclose(model.features(given()), model.features(IMAGES), atol=1e-6)
    expected, found = (model.encode(images) for images in (IMAGES, given()))
    np.testing.assert_allclose(found["c1"]["probabilities"], expected["c1"]["probabilities"], atol=1e-6)
    assert found["c2"]["mean"].shape == (12,)


@pytest.fixture(scope="module")
def eager():
    """Not traced anew for each form of what it is given."""
    return small_model(run_eagerly=True)


@pytest.mark.parametrize("name", [*ROWS, *BATCHES])
def test_training_and_evaluation_take_every_form(eager, name):
    model, given, before = eager, (ROWS | BATCHES)[name], int(eager.step)
    history = model.fit(given(), batch_size=4, verbose=0).history
    assert int(model.step) == before + 3
    assert np.isfinite(history["d_loss"]).all()
    size = 5 if name == "another size at the end" else 4
    expected = model.evaluate(IMAGES, batch_size=size, verbose=0, return_dict=True)
    assert model.evaluate(given(), batch_size=4, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    if name in ROWS:
        assert np.isfinite(model.train_on_batch(given())).all()
        assert np.isfinite(model.test_on_batch(given())).all()


@pytest.mark.parametrize(
    "validation",
    [
        {"validation_split": 0.25},
        {"validation_data": IMAGES},
        {"validation_data": (IMAGES, LABELS)},
        {"validation_data": [IMAGES, LABELS]},
        {"validation_data": {"image": IMAGES}},
        {"validation_data": batches({"image": IMAGES, "label": LABELS})},
        {"validation_data": batches(IMAGES).repeat(), "validation_steps": 2},
    ],
    ids=str,
)
def test_validation_takes_the_same(model, validation):
    history = model.fit(IMAGES, batch_size=4, verbose=0, **validation).history
    assert np.isfinite(history["val_d_loss"]).all()


@pytest.mark.parametrize("arguments", [{}, {"run_eagerly": True}, {"steps_per_execution": 2}], ids=str)
def test_of_batches_without_a_known_number_none_is_counted_too_often(arguments):
    # In a graph Keras asks for one batch more than there are, and all that does not depend on it was counted.
    model = small_model(**arguments)
    model.fit(of_unknown_length(IMAGES), epochs=2, verbose=0)
    assert (int(model.step), int(model.d_optimizer.iterations), int(model.g_optimizer.iterations)) == (6, 6, 6)
    assert model.means.counts[0] == 3
    known = model.evaluate(batches(IMAGES), verbose=0, return_dict=True)
    assert model.evaluate(of_unknown_length(IMAGES), verbose=0, return_dict=True) == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize(
    "form",
    [list, tf.constant, np.float64, lambda latents: tf.cast(latents, tf.bfloat16), lambda latents: batches(latents, 3)],
    ids=["list", "tensor", "array", "bfloat16", "data set"],
)
def test_latents_in_every_form(model, form):
    latents = tf.cast(tf.cast(model.layout.sample(5, 0), tf.bfloat16), tf.float32).numpy()  # which all formats hold
    images = model.generate(latents)
    np.testing.assert_allclose(model.generate(form(latents)), images, atol=1e-6)
    np.testing.assert_allclose(model.read(form(latents))[0], images, atol=1e-6)
    np.testing.assert_allclose(model.predict(form(latents), verbose=0), images, atol=1e-6)


def test_parts_of_a_batch_are_as_equal_as_can_be():
    rows = tf.reshape(tf.range(7), (7, 1, 1, 1))

    def numbers(count, parts):
        return [tf.reshape(part.images, [-1]).numpy().tolist() for part in parts_of(Real(rows[:count]), parts)]

    assert numbers(7, 3) == [[0, 1], [2, 3], [4, 5, 6]]
    assert numbers(6, 3) == [[0, 1], [2, 3], [4, 5]]
    assert numbers(1, 2) == [[0], [0]]


def test_what_is_known_of_a_part_is_of_its_images():
    rows, labels = tf.reshape(tf.range(6), (6, 1, 1, 1)), tf.range(6)
    parts = parts_of(Real(rows, rows[:, :, 0, 0], (rows[:4], labels[:4])), 2)
    assert [part.conditions[:, 0].numpy().tolist() for part in parts] == [[0, 1, 2], [3, 4, 5]]
    assert [part.labelled[1].numpy().tolist() for part in parts] == [[0, 1], [2, 3]]
    assert [part.labelled[0][:, 0, 0, 0].numpy().tolist() for part in parts] == [[0, 1], [2, 3]]
