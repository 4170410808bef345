"""What the grids draw."""

import numpy as np
import tensorflow as tf

from infogan_tf.latents import traversal
from infogan_tf.latents.layout import LatentLayout

LAYOUT = LatentLayout.parse("noise:3,uniform:1,cat:4,bernoulli:1")
SEED = tf.constant([1, 2])


def parts(name):
    grid = traversal.traversal_grid(LAYOUT, name, SEED)
    noise, blocks = LAYOUT.split(grid.latents)
    shape = (-1, grid.columns)
    classes = np.argmax(blocks["c2"], axis=1)
    return noise.numpy().reshape(*shape, 3), blocks["c1"].numpy().reshape(shape), classes.reshape(shape)


def test_a_categorical_code_shows_every_class_in_each_row():
    noise, uniform, classes = parts("c2")
    assert classes.shape == (10, 4)
    assert (classes == np.arange(4)).all()
    assert (noise == noise[:, :1]).all()
    assert (uniform == uniform[:, :1]).all()
    assert len(np.unique(noise[:, 0, 0])) == 10


def test_a_continuous_code_runs_from_minus_2_to_2_in_a_row_for_each_class():
    noise, uniform, classes = parts("c1")
    np.testing.assert_allclose(uniform, np.tile(np.linspace(-2, 2, 10), (4, 1)), atol=1e-6)
    assert (classes == np.arange(4)[:, np.newaxis]).all()
    assert (noise == noise[:, :1]).all()


def test_without_a_categorical_code_rows_differ_by_noise():
    grid = traversal.traversal_grid(LatentLayout.parse("noise:2,uniform:1"), "c1", SEED)
    assert grid.latents.shape == (100, 3)
    assert len(np.unique(grid.latents[:, 0])) == 10


def test_a_map_shows_where_a_code_acts():
    values = np.linspace(0.0, 1.0, 5)
    images = np.zeros((2, 5, 3, 4, 3))
    images[:, :, 0, 1, 0] = values  # in one channel of three
    images[1, :, 2, 2] = 1.0  # differs between rows, and not along them
    images[0, :, 1, 3] = [[0.0], [1.0], [0.0], [1.0], [0.0]]  # in one row of two
    found = traversal.change_map(images.reshape(10, 3, 4, 3), 5)
    expected = np.zeros((3, 4))
    expected[0, 1] = np.abs(values - 0.5).mean() / 3
    expected[1, 3] = (3 * 0.4 + 2 * 0.6) / 5 / 2
    np.testing.assert_allclose(found, expected, atol=1e-12)
