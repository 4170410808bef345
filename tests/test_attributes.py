"""Attributes of drawn shapes against what was drawn, and what a code changes."""

import numpy as np
import pytest
from scipy import ndimage, stats

from infogan_tf.data import load_data
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.attributes import (
    ATTRIBUTES,
    PHOTO_ATTRIBUTES,
    attributes,
    ground_of,
    likeness,
    rank_correlations,
    strongest,
)


def _bars(width=6, height=20, slant=0.0, angle=0.0, x=0.0, y=0.0, size=64):
    """A bright bar, sampled four times finer than its pixels: [1, size, size, 1]."""
    fine = 4
    grid = (np.arange(size * fine) + 0.5) / fine - size / 2
    right, down = np.meshgrid(grid - x, grid - y)
    turn = np.radians(angle)
    along, across = -down * np.cos(turn) + right * np.sin(turn), right * np.cos(turn) + down * np.sin(turn)
    inside = (np.abs(across - slant * along) <= width / 2) & (np.abs(along) <= height / 2)
    return inside.reshape(size, fine, size, fine).mean(axis=(1, 3))[np.newaxis, :, :, np.newaxis]


def test_a_bar_has_its_own_measures():
    found = attributes(0.5 * _bars(width=6, height=20, x=3.25, y=-4.5))
    assert found["width"] == pytest.approx(6, rel=0.02)
    assert found["height"] == pytest.approx(20, rel=0.01)
    assert found["x position"] == pytest.approx(3.25, abs=0.01)
    assert found["y position"] == pytest.approx(-4.5, abs=0.01)
    assert found["intensity"] == pytest.approx(0.5 * 6 * 20 / 64**2, rel=1e-6)
    assert found["slant"] == pytest.approx(0.0, abs=1e-6)
    assert found["rotation"] == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("slant", [-0.5, 0.25])
def test_slant_is_the_shift_per_height_and_leaves_the_width(slant):
    found = attributes(_bars(width=6, height=20, slant=slant))
    assert found["slant"] == pytest.approx(slant, abs=0.005)
    assert found["width"] == pytest.approx(6, rel=0.03)


@pytest.mark.parametrize("angle", [-60.0, 10.0, 45.0])
def test_rotation_is_the_angle_of_the_axis(angle):
    assert attributes(_bars(width=4, height=30, angle=angle))["rotation"] == pytest.approx(angle, abs=0.3)


@pytest.mark.parametrize("angle", [0.0, 30.0])
def test_thickness_of_a_long_stroke_is_its_width(angle):
    # Twice the area over the perimeter: 2 w h / (2 w + 2 h).
    found = attributes(0.7 * _bars(width=4, height=50, angle=angle))
    assert found["thickness"] == pytest.approx(4 * 50 / 54, rel=0.07)


def test_moments_agree_with_scipy():
    images = np.random.default_rng(0).random((3, 9, 12, 1))
    found = attributes(images)
    for i, image in enumerate(images[..., 0]):
        y, x = ndimage.center_of_mass(image)
        assert found["x position"][i] == pytest.approx(x - 5.5)
        assert found["y position"][i] == pytest.approx(y - 4)


def test_a_blank_image_is_no_error():
    found = attributes(np.zeros((2, 8, 8, 3)))
    assert set(found) == set(ATTRIBUTES)
    assert all(np.array_equal(values, [0, 0]) for values in found.values())


def test_colours_have_their_hue_saturation_and_brightness():
    pixels = np.array([[1, 0, 0], [0, 0.5, 0], [0, 0, 1], [0.4, 0.2, 0.2]])
    found = attributes(np.broadcast_to(pixels[:, np.newaxis, np.newaxis], (4, 8, 8, 3)))
    np.testing.assert_allclose(found["hue"], [0, 120, 240, 0], atol=1e-9)
    np.testing.assert_allclose(found["saturation"], [1, 1, 1, 0.5])
    np.testing.assert_allclose(found["brightness"], [1, 0.5, 1, 0.4])


def test_what_a_code_changes_is_found_within_each_class():
    rng, classes = np.random.default_rng(0), np.repeat(np.arange(3), 60)
    values = rng.uniform(-1, 1, 180)
    # Each class has a height of its own, which says nothing about the code; the slant follows the code, class 2's less.
    measured = {"slant": values + np.where(classes == 2, 2.0, 0.1) * rng.normal(size=180), "height": 5.0 * classes}
    found = rank_correlations(values, measured, classes)
    expected = [stats.spearmanr(values[classes == k], measured["slant"][classes == k])[0] for k in range(3)]
    assert found["slant"]["rho"] == pytest.approx(np.mean(expected), abs=1e-12)
    assert found["slant"]["lowest"] == pytest.approx(min(expected), abs=1e-12)
    assert found["height"]["rho"] == 0.0
    assert strongest(found) == ("slant", found["slant"]["rho"])


def test_a_useless_code_goes_with_nothing():
    rng = np.random.default_rng(0)
    found = rank_correlations(rng.normal(size=5_000), {"slant": rng.normal(size=5_000)}, np.arange(5_000) % 5)
    assert abs(found["slant"]["rho"]) < 0.05


def test_hue_is_not_torn_where_the_circle_closes():
    values = np.linspace(-1, 1, 50)
    found = rank_correlations(values, {"hue": (20 * values) % 360}, np.zeros(50, int))
    assert found["hue"]["rho"] == pytest.approx(1.0)


def test_too_few_images_are_refused():
    with pytest.raises(NotMeasuredError, match="ten images of a class or more"):
        rank_correlations(np.zeros(9), {"slant": np.zeros(9)}, np.zeros(9, int))


def test_a_dark_figure_has_the_measures_of_a_bright_one():
    bars = _bars(width=6, height=20, slant=0.25, x=3.25)
    dark, bright = attributes(1.0 - bars, "bright"), attributes(bars)
    for name in set(bright) - {"intensity"}:
        np.testing.assert_allclose(dark[name], bright[name], atol=1e-9, err_msg=name)
    np.testing.assert_allclose(dark["intensity"], 1.0 - bright["intensity"])


def test_the_ground_is_told_by_the_border():
    rng = np.random.default_rng(0)
    bars = np.concatenate([_bars(x=x) for x in (-5, 0, 5)])
    assert ground_of(bars) == "dark"
    assert ground_of(1.0 - bars) == "bright"
    assert ground_of(rng.random((5, 8, 8, 3))) == "varied"
    # A saturated ground is neither dark nor bright.
    assert ground_of(np.broadcast_to([1.0, 0.0, 0.0], (5, 8, 8, 3))) == "varied"
    assert ground_of(load_data("digits").train.images / 255.0) == "dark"


def test_likeness_is_the_correlation_with_what_all_have_in_common():
    rng = np.random.default_rng(0)
    common, own = rng.uniform(-1, 1, (1, 16, 16, 1)), rng.uniform(-1, 1, (300, 16, 16, 1))
    for share in (0.0, 0.3, 0.7, 1.0):
        images = 0.5 + 0.5 * (share * common + (1.0 - share) * own)
        colours = np.repeat(images, 3, axis=-1)
        expected = share / np.hypot(share, 1.0 - share)
        assert likeness(images) == pytest.approx(expected, abs=0.03)
        assert likeness(colours) == pytest.approx(likeness(images))
        assert likeness(images * rng.uniform(0.2, 1.0, (300, 1, 1, 1))) == pytest.approx(expected, abs=0.03)
    # Nothing is in common where there is one image alone, or nothing in it.
    assert likeness(own[:1] / 2 + 0.5) == 0.0
    assert likeness(np.full((5, 8, 8, 1), 0.4)) == 0.0


def _photo(**parts):
    """Grey photos [1, 8, 8, 3] of brightness 0.5 but for parts, slices by name with the brightness there."""
    image = np.full((1, 8, 8, 3), 0.5)
    for (rows, columns), value in parts.values():
        image[:, rows, columns] = value
    return image


ALL, LEFT, TOP = slice(None), slice(4), slice(4)


def test_photos_have_light_and_contrast():
    found = attributes(_photo(left=((ALL, LEFT), 0.1)), "varied")
    assert set(found) == set(PHOTO_ATTRIBUTES)
    assert found["light from the right"] == pytest.approx(0.4)
    assert found["light from above"] == pytest.approx(0.0, abs=1e-12)
    assert found["brightness"] == pytest.approx(0.3)
    assert found["contrast"] == pytest.approx(0.2)
    # One step of 0.4 in each row of 7, none in a column: 0.4 / 7 / 2, over the contrast.
    assert found["sharpness"] == pytest.approx(0.4 / 14 / 0.2)
    found = attributes(_photo(top=((TOP, ALL), 0.9)), "varied")
    assert found["light from above"] == pytest.approx(0.4)
    found = attributes(_photo(middle=((slice(2, 6), slice(2, 6)), 1.0)), "varied")
    assert found["light in the middle"] == pytest.approx(0.5)


@pytest.mark.parametrize("ground", [0.0, 0.5, 1.0])
def test_the_place_of_what_differs_depends_on_no_ground(ground):
    image = np.full((1, 32, 32, 3), ground)
    image[:, 4:8, 20:24] = 0.75
    found = attributes(image, "varied")
    assert found["x position"] == pytest.approx(21.5 - 15.5)
    assert found["y position"] == pytest.approx(5.5 - 15.5)
    offsets = np.arange(4) - 1.5
    assert found["spread"] == pytest.approx(np.hypot(offsets, offsets[:, np.newaxis]).mean())


def test_photos_have_warmth_and_grey_ones_no_colour():
    found = attributes(np.broadcast_to([0.6, 0.5, 0.2], (2, 8, 8, 3)), "varied")
    np.testing.assert_allclose(found["warmth"], 0.4)
    np.testing.assert_allclose(found["contrast"], 0, atol=1e-12)
    assert np.array_equal(found["sharpness"], [0, 0])
    assert set(PHOTO_ATTRIBUTES) - set(attributes(np.zeros((1, 8, 8, 1)), "varied")) == {"hue", "saturation", "warmth"}


def test_photos_without_a_middle_are_refused():
    assert np.isfinite(list(attributes(np.random.default_rng(0).random((1, 4, 4, 3)), "varied").values())).all()
    with pytest.raises(NotMeasuredError, match=r"at least 4 x 4 pixels.* Received: 8 x 3"):
        attributes(np.zeros((2, 8, 3, 3)), "varied")


def test_many_images_have_what_each_has_by_itself(monkeypatch):
    images = np.random.default_rng(0).random((7, 8, 8, 3))
    whole = attributes(images, "varied")
    monkeypatch.setattr("infogan_tf.evaluation.metrics.attributes._AT_ONCE", 3)
    for name, values in attributes(images, "varied").items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-12, err_msg=name)
