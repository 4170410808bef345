"""Pixel values: bytes or floats 0..1, whatever they are stored as; anything else is refused before the first step."""

import keras
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model

from infogan_tf.data import pixels
from infogan_tf.data.pixels import check_images
from infogan_tf.data.stream import stream

BYTES = np.random.default_rng(0).integers(0, 128, (16, 8, 8, 1), dtype=np.uint8)  # that int8 can hold too
UNIT = np.float32(BYTES) / 255
INTEGERS = ("int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
FLOATS = (np.float16, np.float32, np.float64, ml_dtypes.bfloat16)

# By what is wrong: the images, and what is said of them.
BAD = {
    "floats to 255": (np.float32(BYTES), "Received: float32 from 0 to 127; divide them by 255"),
    "floats from -1": (UNIT * 2 - 1, r"Received: float32 from -1 to .*; add 1 and divide by 2"),
    "a slip of resizing": (UNIT * 2 + np.float32(0.01), r"; clip them to 0 and 1"),
    "negative bytes": (np.int8(BYTES.astype(int) - 100), "Received: int8 from -100 to 27$"),
    "16 bits": (np.uint16(BYTES) * 257, "Received: uint16 from 0 to 32639; divide 16-bit images by 257"),
    "32 bits": (np.int32(BYTES) * 10**7, "Received: int32 from 0 to 1.27e[+]09$"),
    "not a number": (np.where(BYTES == 5, np.nan, UNIT), "Received: float32 with NaN among them; leave these"),
    "infinite": (np.where(BYTES == 5, np.inf, UNIT), "Received: float32 from 0 to inf$"),
    "truth": (BYTES > 9, "Received: bool; make them floats"),
    "text": (np.array(["a", "b"]), "Received: string"),
    "objects": (np.array([None, {}]), "Received: "),
    "complex": (np.complex64(UNIT), "Received: complex64"),
    "long floats": (np.longdouble(UNIT), "Received: "),
}


@pytest.fixture(scope="module")
def model():
    """Not to be trained further by a test that looks at its weights."""
    return make_model()


def trained(images):
    model = make_model()
    model.fit(images, batch_size=8, verbose=0, shuffle=False)
    return model.get_weights()


@pytest.fixture(scope="module")
def of_bytes():
    return trained(BYTES)


# === What is refused, and how ===


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_in_one_line(name):
    images, words = BAD[name]
    with pytest.raises(ValueError, match=words) as refused:
        check_images(images)
    assert str(refused.value).startswith("images: expected integers from 0 to 255 or floats from 0 to 1. Received: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("dtype", [np.uint8, *INTEGERS, *FLOATS])
def test_what_is_right_passes_as_an_array_a_tensor_or_nothing(dtype):
    images = UNIT.astype(dtype) if dtype in FLOATS else BYTES.astype(dtype)
    for given in (images, tf.constant(images), images[:0], images.tolist(), list(images)):
        check_images(given)


def test_a_part_far_behind_is_seen_and_no_more_than_a_part_is_read_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "CHUNK", 4 * 64)
    file = np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.float32, (1000, 8, 8, 1))
    file[999, 7, 7] = 3.0
    sizes = []
    read = np.asarray
    monkeypatch.setattr(pixels.np, "asarray", lambda part: sizes.append(len(part)) or read(part))
    with pytest.raises(ValueError, match="from 0 to 3"):
        check_images(file)
    assert max(sizes) == 4
    assert sum(sizes) == 1000


def test_of_bytes_nothing_is_read():
    class Untouched:
        shape, dtype = (10**9, 8, 8, 1), np.dtype(np.uint8)

    check_images(Untouched())


# === Everywhere ===


class Batches(keras.utils.PyDataset):
    """The images in two batches."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return (self.images[8 * index : 8 * index + 8],)


def generator(images):
    yield from ((images[:8],), (images[8:],))


GIVEN = {
    "array": lambda images: images,
    "tensor": tf.constant,
    "dataset": lambda images: tf.data.Dataset.from_tensor_slices(images).batch(8),
    "dataset with labels": lambda images: tf.data.Dataset.from_tensor_slices((images, np.arange(16))).batch(8),
    "PyDataset": Batches,
    "generator": generator,
}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("name", ["floats to 255", "floats from -1", "negative bytes", "not a number", "truth"])
def test_training_and_evaluation_refuse_before_they_begin(model, given, name):
    images, words = BAD[name]
    bad, good = (lambda: GIVEN[given](images)), (lambda: GIVEN[given](BYTES))
    before = int(model.step.numpy())
    for work in (
        lambda: model.fit(bad(), verbose=0),
        lambda: model.fit(good(), validation_data=bad(), verbose=0),
        lambda: model.evaluate(bad(), verbose=0),
    ):
        with pytest.raises(ValueError, match=words):
            work()
    assert model.step.numpy() == before


@pytest.mark.parametrize("name", ["floats to 255", "negative bytes", "truth"])
def test_so_do_batches_reading_and_the_stream(model, name):
    images, words = BAD[name]
    for work in (model.train_on_batch, model.test_on_batch, model.encode, model.features):
        with pytest.raises(ValueError, match=words):
            work(images)
    with pytest.raises(ValueError, match=words):
        stream(images, 8)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_of_any_width_are_read_as_bytes_are(model, dtype):
    images = BYTES.astype(dtype)
    np.testing.assert_array_equal(pixels.unit_images(tf.constant(images)), pixels.unit_images(tf.constant(BYTES)))
    np.testing.assert_array_equal(model.features(images), model.features(BYTES))
    first = next(iter(stream(images, 8)))
    assert first.dtype == dtype
    np.testing.assert_array_equal(first, next(iter(stream(BYTES, 8))))


@pytest.mark.parametrize("given", ["array", "dataset with labels"])
def test_training_on_wide_integers_gives_the_same_bits(of_bytes, given):
    for one, other in zip(of_bytes, trained(GIVEN[given](BYTES.astype(np.int64))), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ml_dtypes.bfloat16])
def test_floats_of_any_width_are_read(model, dtype):
    images = UNIT.astype(dtype)
    found = model.encode(images)["c1"]["probabilities"]
    np.testing.assert_allclose(found, model.encode(np.float32(images))["c1"]["probabilities"], atol=1e-6)


def test_validation_data_of_a_generator_lose_no_batch(monkeypatch):
    model, seen = make_model(), []
    step = type(model).test_step
    monkeypatch.setattr(type(model), "test_step", lambda self, data: seen.append(data[0].shape) or step(self, data))
    model.run_eagerly = True
    endless = ((BYTES[:8],) for _ in iter(int, 1))
    model.fit(BYTES, batch_size=8, epochs=2, validation_data=endless, validation_steps=1, verbose=0)
    assert len(seen) == 2


def test_what_is_encoded_is_looked_at_batch_by_batch(model, monkeypatch):
    seen = []
    monkeypatch.setattr("infogan_tf.data.given.check_images", lambda rows: seen.append(len(rows)))
    model.encode(UNIT, batch_size=5)
    assert seen == [5, 5, 5, 1]
    monkeypatch.undo()
    late = UNIT.copy()
    late[-1] = 3
    with pytest.raises(ValueError, match="to 3; divide them by 255"):
        model.features(late, batch_size=5)
