"""Random changes of images against SciPy and their stated sizes, and the language that declares them."""

import re

import matplotlib.colors
import numpy as np
import pytest
import scipy.ndimage
import scipy.spatial
import scipy.stats
import tensorflow as tf

from infogan_tf.commands.train import check_against, fitted_to
from infogan_tf.config.options import Config
from infogan_tf.data import load_data
from infogan_tf.data.facts import ImageFacts
from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import UserError
from infogan_tf.objectives.affine import affine_transform
from infogan_tf.objectives.declarations import (
    AMOUNTS,
    FIGURES,
    FRAMED,
    OF_COLOUR,
    PHOTOS,
    SIZES,
    read_sizes,
    usual_changes,
)
from infogan_tf.objectives.transformations import Transformations

SEED = tf.constant([3, 5])
HEIGHT, WIDTH = 12, 10
IMAGES = np.random.default_rng(0).uniform(size=(16, HEIGHT, WIDTH, 2)).astype(np.float32)
AFFINE = "rotate:40,shift:0.2,scale:0.3,shear:0.5,stretch:0.4,flip"


def changed(text, images=IMAGES, seed=SEED):
    transformations = Transformations.parse(text)
    return transformations(tf.constant(images), transformations.amounts(len(images), seed), seed).numpy()


def maps(text, count=2000):
    """What is drawn: matrices [count, 2, 2] and offsets [count, 2], from places (x, y) of the new image to the old."""
    transformations = Transformations.parse(text)
    rows = transformations.matrices(transformations.amounts(count, SEED), (HEIGHT, WIDTH)).numpy()
    return rows[:, [[0, 1], [3, 4]]], rows[:, [2, 5]]


def test_places_are_mapped_as_by_scipy():
    for image, found, matrix, offset in zip(IMAGES, changed(AFFINE), *maps(AFFINE, len(IMAGES)), strict=True):
        for channel in range(2):
            # SciPy counts (row, column), which is (y, x).
            expected = scipy.ndimage.affine_transform(
                image[..., channel], matrix[::-1, ::-1], offset[::-1], order=1, mode="nearest"
            )
            np.testing.assert_allclose(found[..., channel], expected, atol=1e-4)


def test_the_gradient_by_the_old_image_is_the_adjoint():
    old, weights = tf.constant(IMAGES), tf.constant(np.random.default_rng(1).normal(size=IMAGES.shape), tf.float32)
    transformations = Transformations.parse(AFFINE)
    matrices = transformations.matrices(transformations.amounts(len(IMAGES), SEED), (HEIGHT, WIDTH))
    with tf.GradientTape() as tape:
        tape.watch(old)
        product = tf.reduce_sum(weights * affine_transform(old, matrices))
    # The new image is linear in the old one.
    assert float(tf.reduce_sum(old * tape.gradient(product, old))) == pytest.approx(float(product), rel=1e-4)


# What is drawn by each kind, of the matrices and offsets; and the matrices that belong to it.
DRAWN = {
    "rotate:30": lambda m, o: np.degrees(np.arctan2(m[:, 1, 0], m[:, 0, 0])),
    "scale:0.4": lambda m, o: 1 / m[:, 0, 0] - 1,
    "shear:0.5": lambda m, o: m[:, 0, 1],
    "stretch:0.4": lambda m, o: 1 / m[:, 0, 0] - 1,
    "shift:0.2": lambda m, o: -o[:, 0] / WIDTH,
    "shift:0.3": lambda m, o: -o[:, 1] / HEIGHT,
}
MATRICES = {
    "rotate": lambda v: scipy.spatial.transform.Rotation.from_euler("z", v, degrees=True).as_matrix()[:2, :2],
    "scale": lambda v: np.eye(2) / (1 + v),
    "shear": lambda v: [[1, v], [0, 1]],
    "stretch": lambda v: [[1 / (1 + v), 0], [0, 1]],
    "shift": lambda v: np.eye(2),
}


@pytest.mark.parametrize("text", DRAWN)
def test_each_kind_does_what_it_says_and_no_more(text):
    name, size = text.split(":")
    matrices, offsets = maps(text)
    values = DRAWN[text](matrices, offsets)
    # As large as the amounts say.
    amounts = Transformations.parse(text).amounts(len(values), SEED).numpy()
    column = {"shift:0.2": "shift_x", "shift:0.3": "shift_y"}.get(text, name)
    np.testing.assert_allclose(values / float(size), amounts[:, AMOUNTS.index(column)], atol=1e-4)
    # Evenly from -size to size.
    assert scipy.stats.kstest(values / float(size), scipy.stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert 0.99 < np.abs(values).max() / float(size) < 1 + 1e-5
    np.testing.assert_allclose(matrices, [MATRICES[name](value) for value in values], atol=1e-5)
    middle = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    moved = matrices @ middle + offsets - middle
    np.testing.assert_allclose(moved, offsets if name == "shift" else np.zeros_like(moved), atol=1e-5)


def test_lengths_and_areas():
    rotations, _ = maps("rotate:180,flip")
    squares = rotations @ rotations.transpose(0, 2, 1)
    np.testing.assert_allclose(squares, np.broadcast_to(np.eye(2), squares.shape), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(maps("rotate:180,shear:1,shift:1")[0]), 1.0, atol=1e-4)
    growth = 1 / np.sqrt(np.linalg.det(maps("rotate:90,scale:0.5,shear:0.3")[0]))
    assert 0.5 < growth.min() < 0.51
    assert 1.49 < growth.max() < 1.5


def test_a_shift_moves_a_dot_by_what_was_drawn():
    dots = np.zeros((50, HEIGHT, WIDTH, 1), np.float32)
    dots[:, 6, 4] = 1.0
    images = changed("shift:0.2", dots)[..., 0]
    np.testing.assert_allclose(images.sum(axis=(1, 2)), 1.0, atol=1e-4)
    x, y = images.sum(axis=1) @ np.arange(WIDTH), images.sum(axis=2) @ np.arange(HEIGHT)
    both = np.stack([x, y], axis=1) - [4, 6]
    np.testing.assert_allclose(both, -maps("shift:0.2", 50)[1], atol=1e-4)
    # One direction alone, by the same draws.
    np.testing.assert_allclose(-maps("shift_x:0.2", 50)[1], both * [1, 0], atol=1e-4)
    np.testing.assert_allclose(-maps("shift_y:0.2", 50)[1], both * [0, 1], atol=1e-4)


def test_a_flip_mirrors_half_of_the_images():
    images = np.random.default_rng(1).uniform(size=(400, HEIGHT, WIDTH, 1)).astype(np.float32)
    found = changed("flip", images)
    mirrored = (found == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert np.all(mirrored | (found == images).all(axis=(1, 2, 3)))
    assert scipy.stats.binomtest(int(mirrored.sum()), 400).pvalue > 1e-3


def test_thickening_goes_towards_dilation_and_erosion():
    transformations = Transformations.parse("thicken:0.8")
    shares = 0.8 * transformations.amounts(len(IMAGES), SEED).numpy()[:, AMOUNTS.index("thicken")]
    for image, found, share in zip(IMAGES, changed("thicken:0.8"), shares, strict=True):
        towards = scipy.ndimage.grey_dilation if share > 0 else scipy.ndimage.grey_erosion
        end = towards(image, size=(3, 3, 1), mode="nearest")
        np.testing.assert_allclose(found, image + abs(share) * (end - image), atol=1e-5)
    assert shares.min() < -0.3 < 0.3 < shares.max()


def test_noise_is_normal_and_contrast_even():
    grey = np.full((200, HEIGHT, WIDTH, 1), 0.5, np.float32)
    noise = changed("noise:0.1", grey) - 0.5
    assert scipy.stats.kstest(noise.ravel(), scipy.stats.norm(0, 0.1).cdf).pvalue > 1e-3
    growth = changed("contrast:0.4", grey) / 0.5 - 1.0
    np.testing.assert_array_equal(growth, np.broadcast_to(growth[:, :1, :1], growth.shape))
    assert scipy.stats.kstest(growth[:, 0, 0, 0], scipy.stats.uniform(-0.4, 0.8).cdf).pvalue > 1e-3


COLOURS = np.random.default_rng(2).uniform(0.3, 0.7, size=(200, HEIGHT, WIDTH, 3)).astype(np.float32)


def as_hsv(images):
    """Matplotlib's hue in degrees, and saturation."""
    hsv = matplotlib.colors.rgb_to_hsv(images)
    return 360 * hsv[..., 0], hsv[..., 1]


def test_brightness_is_added_evenly():
    added = changed("brightness:0.2", COLOURS) - COLOURS
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1, :1], added.shape), atol=1e-6)
    assert scipy.stats.kstest(added[:, 0, 0, 0], scipy.stats.uniform(-0.2, 0.4).cdf).pvalue > 1e-3


def test_a_hue_turns_by_what_was_drawn_and_leaves_lightness():
    # A colour of full saturation, turned by a third of the circle, is the next one.
    red = np.broadcast_to(np.float32([0.6, 0.2, 0.2]), (2000, 1, 1, 3))
    found = changed("hue:120", red)
    np.testing.assert_allclose(found.mean(axis=-1), red.mean(axis=-1), atol=1e-6)
    amounts = Transformations.parse("hue:120").amounts(len(red), SEED).numpy()[:, AMOUNTS.index("hue")]
    # About the axis of greys, the angle is that of the colours' plane; at multiples of 60 degrees it is the hue.
    plane = np.array([[1, -0.5, -0.5], [0, np.sqrt(0.75), -np.sqrt(0.75)]])
    x, y = plane @ found[:, 0, 0].T
    np.testing.assert_allclose(np.degrees(np.arctan2(y, x)), 120 * amounts, atol=1e-2)
    assert np.abs(amounts).max() > 0.99
    third = np.array([[[[0.6, 0.2, 0.2]]]], np.float32)
    turned = Transformations(hue=120.0)(tf.constant(third), tf.ones((1, len(AMOUNTS))), SEED).numpy()
    np.testing.assert_allclose(turned, [[[[0.2, 0.6, 0.2]]]], atol=1e-6)
    assert as_hsv(turned)[0] == pytest.approx(120)


def test_a_saturation_of_minus_one_is_grey_and_of_one_twice_as_far_from_it():
    for sign in (-1.0, 1.0):
        found = Transformations(saturation=1.0)(tf.constant(COLOURS), sign * tf.ones((200, len(AMOUNTS))), SEED)
        mean = COLOURS.mean(axis=-1, keepdims=True)
        np.testing.assert_allclose(found, np.clip(mean + (1 + sign) * (COLOURS - mean), 0, 1), atol=1e-6)


def test_a_share_of_the_images_loses_its_colours():
    images = np.repeat(COLOURS, 2, axis=0)
    found = changed("grey:0.3", images)
    grey = np.ptp(found, axis=-1).max(axis=(1, 2)) < 1e-6
    np.testing.assert_allclose(found[~grey], images[~grey], atol=1e-6)
    np.testing.assert_allclose(found[grey], np.repeat(images[grey].mean(axis=-1, keepdims=True), 3, -1), atol=1e-6)
    assert scipy.stats.binomtest(int(grey.sum()), 400, 0.3).pvalue > 1e-3


def test_grey_images_have_no_colours_to_change():
    np.testing.assert_array_equal(changed("hue:90,saturation:1,grey:0.5", IMAGES[..., :1]), IMAGES[..., :1])


KINDS = {
    "dark figures": (
        (FIGURES, "grey"),
        np.pad(np.full((4, 4, 4, 1), 200, np.uint8), ((0, 0), (2, 2), (2, 2), (0, 0))),
    ),
    "bright figures in colour": ((FIGURES, "colour"), np.full((4, 8, 8, 3), 255, np.uint8)),
    "grey photos": ((PHOTOS, "grey"), np.full((4, 8, 8, 1), 128, np.uint8)),
    "photos": ((PHOTOS, "colour"), np.full((4, 8, 8, 3), 128, np.uint8)),
    "portraits": (
        (FRAMED, "colour"),
        np.random.default_rng(0).integers(0, 200, (8, 8, 3)) + np.arange(0, 56, 14)[:, None, None, None],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_auto_goes_by_what_the_images_are(kind, capsys):
    (what, colour), images = KINDS[kind]
    data = ImageData("mine", Split(images), Split(images))
    changes = usual_changes(what, colour == "colour")
    assert ("surroundings" in changes) == (what == FRAMED)
    assert Transformations.parse(changes)
    assert bool(set(read_sizes(changes)) & set(OF_COLOUR)) == (colour == "colour")
    config = fitted_to(data, Config(invariance_weight=1.0, invariances="auto; c2~shear:0.4"))
    assert config.invariances == f"{changes};c2~shear:0.4"
    assert what in (said := capsys.readouterr().out)
    assert changes in said
    for other in (Config(invariance_weight=1.0, invariances="rotate:5"), Config(invariances="auto")):
        assert fitted_to(data, other) == other
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", KINDS)
def test_options_go_by_what_the_images_are(kind, capsys):
    (what, _), images = KINDS[kind]
    data, asked = ImageData("mine", Split(images), Split(images)), []

    def by_facts(facts):
        asked.append(facts)
        return Config(networks="mlp", steps=7, invariance_weight=1.0)

    found = fitted_to(data, Config(), by_facts)
    assert asked == [ImageFacts(len(images), *images.shape[1:3], figures=what == FIGURES, framed=what == FRAMED)]
    assert (found.networks, found.steps) == ("mlp", 7)
    assert "auto" not in found.invariances
    assert "--networks=mlp, --steps=7, --starts=1 suit them" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"augmentation": "shift:0.1,hue:20"}, "--augmentation: expected no hue for digits, whose images are grey. "),
        ({"invariance_weight": 1.0, "invariances": "grey:0.1"}, "--invariances: expected no grey for digits, whose "),
    ],
)
def test_changes_of_colour_are_refused_for_grey_images(options, message):
    data = load_data("digits")
    with pytest.raises(UserError, match=re.escape(message)):
        check_against(Config(**options), data, replicas=1)
    check_against(Config(invariances="grey:0.1"), data, replicas=1)  # which nothing reads


def test_a_crop_shows_a_part_that_lies_in_the_image():
    matrices, offsets = maps("crop:0.6")
    sides = matrices[:, 0, 0]
    np.testing.assert_allclose(matrices, [side * np.eye(2) for side in sides], atol=1e-6)
    assert scipy.stats.kstest(sides, scipy.stats.uniform(0.4, 0.6).cdf).pvalue > 1e-3
    size = np.array([WIDTH, HEIGHT])
    # The new image's edges, half a pixel beyond the middles of its outer pixels.
    first = matrices @ np.array([-0.5, -0.5]) + offsets + 0.5
    last = matrices @ (size - 0.5) + offsets + 0.5
    assert (first > -1e-4).all()
    assert (last < size + 1e-4).all()
    for i in range(2):
        free = size[i] * (1 - sides)
        assert scipy.stats.kstest(first[free > 0.1, i] / free[free > 0.1], scipy.stats.uniform.cdf).pvalue > 1e-3


def test_a_cut_out_square_has_the_mean_colour_and_the_stated_size():
    found = changed("cutout:0.5", COLOURS)
    mean = np.broadcast_to(COLOURS.mean(axis=(1, 2), keepdims=True), COLOURS.shape)
    covered = np.abs(found - COLOURS).max(axis=-1) > 0
    np.testing.assert_allclose(found[covered], mean[covered], atol=1e-5)
    rows, columns = covered.any(axis=2), covered.any(axis=1)
    np.testing.assert_array_equal(covered, rows[:, :, None] & columns[:, None])
    for lines, side in ((rows, HEIGHT), (columns, WIDTH)):
        assert lines.sum(axis=1).max() <= side / 2 + 1
        assert lines.sum(axis=1).min() >= side / 4 - 1  # with its middle on the border
        assert 0.5 < lines[:, 0].mean() / lines[:, side // 2].mean() / 0.5 < 1.5


def test_surroundings_are_painted_over_in_a_share_of_the_images():
    found = changed("surroundings:0.6", np.zeros((400, 64, 96, 3), np.float32))
    painted = found[found.max(axis=(1, 2, 3)) > 0]
    assert 0.5 < len(painted) / len(found) < 0.7
    assert painted[:, 32, 48].max() < 0.02  # the middle is the image's own
    # The colour in the corners is any, and the same in all that is painted.
    colours = painted[:, [0, 0, -1, -1], [0, -1, 0, -1]].max(axis=1)
    for values in colours.T:
        assert scipy.stats.kstest(values, scipy.stats.uniform.cdf).pvalue > 1e-3
    bright = colours.min(axis=1) > 0.05
    shares = painted[bright] / colours[bright][:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(shares, shares[..., :1].repeat(3, axis=-1), atol=1e-3)
    # What is left is an ellipse, half to all of the image wide and high, where it does not reach the sides.
    kept = shares[..., 0] < 0.5
    height, width = kept.any(axis=2).sum(axis=1), kept.any(axis=1).sum(axis=1)
    inside = ~(kept[:, [0, -1]].any(axis=(1, 2)) | kept[:, :, [0, -1]].any(axis=(1, 2)))
    assert 0.2 < inside.mean() < 0.6
    np.testing.assert_allclose(kept.sum(axis=(1, 2))[inside] / (height * width)[inside], np.pi / 4, rtol=0.04)
    assert 0.44 < (height / 64).min() < 0.6  # .55 exp(-.2) at least
    assert 0.44 < (width / 96).min() < 0.6


def test_nothing_and_next_to_nothing_leave_images_as_they_are():
    assert not Transformations.parse("")
    np.testing.assert_array_equal(changed(" "), IMAGES)
    # Grey has no small size: it takes all colour from a share of the images.
    tiny = ",".join(f"{name}:1e-7" for name in SIZES if name != "grey")
    assert Transformations.parse(tiny)
    np.testing.assert_allclose(changed(tiny), IMAGES, atol=1e-5)


@pytest.mark.parametrize("text", [AFFINE, "thicken:0.5", "contrast:0.5", "noise:0.5", "brightness:0.3", "crop:0.5"])
def test_changes_are_a_function_of_the_seed_and_each_image_has_its_own(text):
    images = np.repeat(IMAGES[:1], 8, axis=0)
    found = changed(text, images)
    np.testing.assert_array_equal(found, changed(text, images))
    assert all(np.any(found[0] != other) for other in [*found[1:], changed(text, images, tf.constant([3, 6]))[0]])
    assert found.min() >= 0.0
    assert found.max() <= 1.0


def test_the_language_is_read():
    text = " rotate:15, shift:0.1,scale:.2,shear:0.3,stretch:.1,thicken:1,contrast:1,noise:1e-2,flip,"
    sizes = {"rotate": 15, "shift": 0.1, "scale": 0.2, "shear": 0.3, "stretch": 0.1}
    sizes |= {"thicken": 1, "contrast": 1, "noise": 0.01}
    expected = Transformations(**sizes, flip=True)
    assert Transformations.parse(text) == expected


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("spin:3", "expected some of rotate:SIZE, shift:SIZE, .*, flip"),
        (":3", "expected some of rotate:SIZE, "),
        ("rotate", r"expected rotate:SIZE, above 0 and at most 180 \(degrees to either side\)"),
        ("rotate:181", "expected rotate:SIZE, above 0 and at most 180 "),
        ("scale:0.91", r"expected scale:SIZE, above 0 and at most 0\.9 "),
        ("shift:0", "expected shift:SIZE, above 0 and at most 1 "),
        ("noise:-1", "expected noise:SIZE, above 0 and at most 1 "),
        ("shear:nan", "expected shear:SIZE, above 0 and at most 1 "),
        ("shear:much", "expected shear:SIZE, above 0 and at most 1 "),
        ("flip:1", "expected flip alone"),
    ],
)
def test_another_text_is_refused(item, message):
    with pytest.raises(UserError, match=rf"^--invariances: {message}.*Received: '{item}' in 'contrast:0.1, {item}'$"):
        Transformations.parse(f"contrast:0.1, {item}")


@pytest.mark.parametrize(("text", "name"), [("rotate:5,rotate:6", "rotate"), ("flip,flip", "flip")])
def test_a_second_one_is_refused(text, name):
    with pytest.raises(UserError, match=rf"^--invariances: expected each .* once. Received: '{name}' in '{text}'$"):
        Transformations.parse(text)


def test_each_declaration_needs_an_image_of_a_batch():
    options = {
        "latents": "noise:4,cat:10,uniform:2", "batch_size": 4, "invariance_weight": 1.0,
        "invariances": "rotate:5;c2~shear:0.2;c3~thicken:0.2",
    }  # fmt: skip
    check_against(Config(**options), load_data("digits"), replicas=1)
    with pytest.raises(UserError, match="--batch_size: expected 6 or more, as each of the 3 parts of --invariances is"):
        check_against(Config(**options), load_data("digits"), replicas=2)
    # As a sweep asks before it has looked at the images.
    check_against(Config(**options | {"invariances": "auto"}), load_data("digits"), replicas=2)
