"""Attributes of drawn shapes against what was drawn, and what a code changes."""

import numpy as np
import pytest
from scipy import ndimage, stats

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.attributes import ATTRIBUTES, attributes, rank_correlations, strongest


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
