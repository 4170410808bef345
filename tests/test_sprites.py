"""The sprites made here, and data sets of all combinations of factors."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from infogan_tf.data import load_data, tfds_factors
from infogan_tf.data import tfds as tfds_loader
from infogan_tf.data.images import Factors, ImageData
from infogan_tf.data.sprites import ANGLES, CELLS, PLACES, RADIUS, SCALES
from infogan_tf.errors import UserError

SQUARE, ELLIPSE, HEART = range(3)


@pytest.fixture(scope="module")
def sprites():
    return load_data("sprites")


@pytest.fixture(scope="module")
def moments(sprites):
    """Mass, centre (x, y) and central second moments (xx, xy, yy) in pixels of every sprite, by its factors."""
    grey = sprites.train.images[..., 0] / 255
    middles = np.arange(32) + 0.5
    mass = grey.sum(axis=(1, 2))
    columns, rows = grey.sum(axis=1) / mass[:, None], grey.sum(axis=2) / mass[:, None]
    x, y = columns @ middles, rows @ middles
    xx, yy = columns @ middles**2 - x**2, rows @ middles**2 - y**2
    xy = np.einsum("nrc,r,c->n", grey, middles, middles) / mass - x * y
    return {
        name: value.reshape(sprites.factors.sizes)
        for name, value in {"mass": mass, "x": x, "y": y, "xx": xx, "xy": xy, "yy": yy}.items()
    }


def test_it_is_the_documented_grid(sprites):
    factors = sprites.factors
    assert factors.names == ("shape", "scale", "rotation", "x", "y")
    assert factors.sizes == (3, 5, 12, 14, 14)
    assert factors.ordered == (False, True, True, True, True)
    assert sprites.label_names == ("square", "ellipse", "heart")
    assert sprites.train.images is factors.images
    assert sprites.train.images.shape == (35_280, 32, 32, 1)
    assert sprites.train.images.dtype == np.uint8
    assert (sprites.train.images.min(), sprites.train.images.max()) == (0, 255)
    np.testing.assert_array_equal(sprites.train.labels, np.repeat([0, 1, 2], 11_760))


def test_all_images_differ(sprites):
    assert len({image.tobytes() for image in sprites.train.images}) == 35_280


def test_the_images_are_the_same_everywhere(sprites):
    digest = hashlib.sha256(sprites.train.images.tobytes()).hexdigest()
    assert digest == "489d94c453d425c2db2479143db46b2bc84b885d73df87ccb41410973001182c"


def test_both_sizes_are_one_picture(sprites):
    large = load_data("sprites64")
    assert large.train.images.shape == (35_280, 64, 64, 1)
    assert large.factors.sizes == sprites.factors.sizes
    np.testing.assert_array_equal(large.test.labels, sprites.test.labels)
    few = slice(None, None, 7)
    halved = large.train.images[few].reshape(-1, 32, 2, 32, 2).mean(axis=(2, 4))
    assert np.abs(halved - sprites.train.images[few, ..., 0]).max() <= 1.0  # of 255: both are rounded


def test_the_test_images_are_a_fixed_sample_with_their_labels(sprites):
    assert len(sprites.test.images) == 2_000
    at = {image.tobytes(): i for i, image in enumerate(sprites.train.images)}
    where = np.array([at[image.tobytes()] for image in sprites.test.images])
    assert len(set(where)) == 2_000
    np.testing.assert_array_equal(sprites.train.labels[where], sprites.test.labels)
    assert np.bincount(sprites.test.labels).min() > 600
    assert not np.shares_memory(sprites.test.images, sprites.train.images)
    # What they are compared with is none of them.
    for most in (2_000, 10_000):
        chosen = sprites.training_choice(most)
        assert len(set(chosen)) == most
        assert not set(chosen) & set(where)


def test_every_sprite_lies_wholly_inside_the_frame(moments):
    # Wherever it lies, a sprite has the same mass: nothing is cut off.
    mass = moments["mass"]
    assert np.abs(mass - mass[:, :, :, 6:7, 6:7]).max() < 0.1  # of some 100 pixels; bytes are rounded


def test_x_and_y_move_the_centre_of_mass(moments):
    places = PLACES * 32 / CELLS  # pixels; a pixel's share counts from its middle, which blurs the centre by some 0.02
    for shape in (SQUARE, ELLIPSE):
        np.testing.assert_allclose(moments["x"][shape], np.broadcast_to(places[:, None], (5, 12, 14, 14)), atol=0.03)
        np.testing.assert_allclose(moments["y"][shape], np.broadcast_to(places, (5, 12, 14, 14)), atol=0.03)
    # The heart's centre is off by a little, but by the same everywhere.
    heart = moments["x"][HEART] - places[:, None]
    assert np.abs(heart).max() < 0.1
    assert np.ptp(heart, axis=(2, 3)).max() < 0.05


def test_scale_gives_the_area(moments):
    radii = RADIUS * SCALES * 32 / CELLS
    expected = np.stack([(2 * 0.7 * radii) ** 2, np.pi / 2 * radii**2])
    np.testing.assert_allclose(moments["mass"][:2].mean(axis=(2, 3, 4)), expected, rtol=0.005)
    # Neither place nor angle changes it, and the heart grows alike.
    assert np.abs(moments["mass"] / moments["mass"].mean(axis=(2, 3, 4), keepdims=True) - 1).max() < 0.02
    heart = moments["mass"][HEART].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(heart / heart[-1], SCALES**2, rtol=0.005)


def test_rotation_turns_the_ellipse_clockwise(moments):
    xx, xy, yy = (moments[name][ELLIPSE] for name in ("xx", "xy", "yy"))
    angles = np.degrees(0.5 * np.arctan2(2 * xy, xx - yy))  # rows run down, so clockwise is positive
    # A turn of nearly 180 degrees is one of nearly 0.
    off = (angles - ANGLES[:, None, None] + 90) % 180 - 90
    assert np.abs(off).max() < 1.0


def test_images_of_takes_factors_in_any_order(sprites):
    wanted = np.array([[2, 4, 11, 13, 0], [0, 0, 0, 0, 0], [1, 2, 3, 4, 5]])
    places = [((factors @ [5 * 12, 12, 1, 0, 0]) * 14 + factors[3]) * 14 + factors[4] for factors in wanted]
    np.testing.assert_array_equal(sprites.factors.images_of(wanted), sprites.train.images[places])
    np.testing.assert_array_equal(sprites.factors.index_of(sprites.factors.values()), np.arange(35_280))


@pytest.mark.parametrize("wrong", [[[0, 5, 0, 0, 0]], [[0, 0, 0, 0, -1]], [[0, 0, 0, 0]], [0, 0, 0, 0, 0]])
def test_factors_out_of_range_are_refused(sprites, wrong):
    with pytest.raises(ValueError, match="factors: expected"):
        sprites.factors.images_of(np.array(wrong))


def test_factors_that_do_not_fit_are_refused():
    images = np.zeros((6, 4, 4, 1), np.uint8)
    with pytest.raises(ValueError, match=r"images: expected one for each of the 4 combinations.*Received: 6"):
        Factors(("shape", "x"), (2, 2), (False, True), images)
    with pytest.raises(ValueError, match="names, sizes and ordered"):
        Factors(("shape",), (2, 3), (False, True), images)


def test_a_small_grid_is_its_own_test_split():
    images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1)
    data = ImageData.of_grid("tiny", Factors(("x", "shape"), (3, 2), (True, False), images), ("a", "b"))
    np.testing.assert_array_equal(data.train.labels, [0, 1, 0, 1, 0, 1])
    assert sorted(data.test.images.ravel()) == list(range(6))
    np.testing.assert_array_equal(data.test.labels, data.test.images.ravel() % 2)


def test_a_grid_whose_factors_are_all_ordered_has_no_labels():
    images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1)
    data = ImageData.of_grid("tiny", Factors(("x", "y"), (3, 2), (True, True), images), ())
    assert data.train.labels is data.test.labels is None
    assert data.train.images is images
    assert sorted(data.test.images.ravel()) == list(range(6))


class TinySprites(tfds.core.GeneratorBasedBuilder):
    """Stands for dsprites: its features with fewer values, all combinations but for `missing`, stored shuffled."""

    VERSION = tfds.core.Version("2.0.0")
    sizes = (3, 2, 4, 3, 2)
    missing = 0

    def _info(self):
        labels = zip(tfds_factors.FACTORS["dsprites"], self.sizes, strict=True)
        features = {f"label_{name}": tfds.features.ClassLabel(num_classes=size) for name, size in labels}
        features["image"] = tfds.features.Image(shape=(8, 8, 1))
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i, values in enumerate(list(np.ndindex(self.sizes))[self.missing :], self.missing):
            names = [f"label_{name}" for name in tfds_factors.FACTORS["dsprites"]]
            yield i, {"image": picture(i), **dict(zip(names, values, strict=True))}


def picture(number):
    """The number in binary, as pixels of 0 and 1, [8, 8, 1]."""
    return np.array([number >> bit & 1 for bit in range(64)], np.uint8).reshape(8, 8, 1)


@pytest.fixture
def tiny_builder(monkeypatch):
    monkeypatch.setattr(tfds, "builder", lambda name, data_dir: TinySprites(data_dir=data_dir))
    monkeypatch.setattr(tfds_loader, "reachable", lambda url: True)
    monkeypatch.setattr(tfds_factors, "READ_BATCH", 10)


def test_images_of_tensorflow_datasets_are_put_in_their_places(tmp_path, tiny_builder):
    data = load_data("dsprites", str(tmp_path))
    stored = [int(example["label_scale"]) for example in TinySprites(data_dir=tmp_path).as_dataset(split="train")]
    assert stored != sorted(stored)  # or this test shows nothing
    assert data.factors.sizes == TinySprites.sizes
    assert data.factors.ordered == (False, True, True, True, True)
    np.testing.assert_array_equal(data.train.images, [255 * picture(i) for i in range(144)])
    np.testing.assert_array_equal(data.train.labels, np.repeat([0, 1, 2], 48))
    assert data.label_names == ("square", "ellipse", "heart")


def test_images_of_tensorflow_datasets_are_written_once_and_read_where_they_lie(tmp_path, tiny_builder, monkeypatch):
    written = load_data("dsprites", str(tmp_path))
    monkeypatch.setattr(TinySprites, "as_dataset", lambda *_, **__: pytest.fail("the records were read again"))
    opened = load_data("dsprites", str(tmp_path))
    for data in (written, opened):
        assert isinstance(data.train.images, np.memmap)
        assert Path(data.train.images.filename) == tmp_path / "infogan_tf" / "dsprites-2.0.0.npy"
        assert not data.train.images.flags.writeable
        assert data.train.images is data.factors.images
        assert not np.shares_memory(data.test.images, data.train.images)
    np.testing.assert_array_equal(opened.train.images, written.train.images)
    np.testing.assert_array_equal(opened.test.images, written.test.images)


def test_records_are_not_kept_in_memory_once_read(tmp_path, tiny_builder, monkeypatch):
    monkeypatch.setattr(tf.data.Dataset, "cache", lambda *_, **__: pytest.fail("they are"))
    load_data("dsprites", str(tmp_path))


def test_an_incomplete_grid_is_refused(tmp_path, tiny_builder, monkeypatch):
    monkeypatch.setattr(TinySprites, "missing", 5)
    for _ in range(2):  # what could be written the first time does not pass for whole the second
        with pytest.raises(UserError, match=r"--dataset=dsprites: .* of 144 combinations .*Received: 139"):
            load_data("dsprites", str(tmp_path))


@pytest.mark.parametrize("name", sorted(tfds_factors.FACTORS))
def test_the_names_of_factors_and_shapes_are_those_of_tensorflow_datasets(tmp_path, name):
    features = tfds.builder(name, data_dir=tmp_path).info.features
    labels = {feature.removeprefix("label_") for feature in features if feature.startswith("label_")}
    assert labels == set(tfds_factors.FACTORS[name])
    assert features["label_shape"].num_classes == len(tfds_factors.SHAPES[name])
