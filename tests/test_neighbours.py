"""The queue of real images and the search in it, against scipy."""

import numpy as np
import pytest
import scipy.spatial
import tensorflow as tf

from infogan_tf.data import load_data
from infogan_tf.regularizers.neighbours import Neighbours

IMAGES = load_data("digits").train_images[:600]
UNIT = tf.constant(IMAGES, tf.float32) / 255
SEED = tf.constant([3, 5])


def made(length, *batches):
    neighbours = Neighbours(length)
    neighbours.build(IMAGES.shape[1:])
    for images in batches:
        neighbours.add(images)
    return neighbours


def test_the_nearest_is_the_most_correlated():
    neighbours = made(500, UNIT[:500])
    rows = IMAGES.reshape(len(IMAGES), -1).astype(float)
    distances = scipy.spatial.distance.cdist(rows[500:], rows[:500], "correlation")
    np.testing.assert_allclose(neighbours.nearest(UNIT[500:]), UNIT.numpy()[distances.argmin(axis=1)], atol=1e-6)


def test_brightness_and_contrast_make_no_difference():
    neighbours = made(500, UNIT[:500])
    np.testing.assert_array_equal(neighbours.nearest(0.5 * UNIT[500:] + 0.2), neighbours.nearest(UNIT[500:]))


def test_an_image_is_not_its_own_neighbour():
    neighbours = made(500, UNIT[:500], UNIT[:250])
    found = neighbours.nearest(UNIT[:500])
    assert np.abs(found - UNIT[:500]).max(axis=(1, 2, 3)).min() > 0.05


def test_where_there_is_none_an_image_stays():
    np.testing.assert_array_equal(made(500).nearest(UNIT), UNIT)  # all blank at first
    np.testing.assert_array_equal(made(500, UNIT[:1]).nearest(UNIT[:1]), UNIT[:1])
    blank = tf.fill([3, *IMAGES.shape[1:]], 0.5)
    np.testing.assert_array_equal(made(500, UNIT[:500]).nearest(blank), blank)
    # One image and 499 blanks: it is everybody's neighbour, however unlike.
    np.testing.assert_allclose(made(500, UNIT[:1]).nearest(UNIT[1:9]), tf.repeat(UNIT[:1], 8, axis=0), atol=1e-6)


@pytest.mark.parametrize("size", [30, 128])
def test_the_queue_holds_the_newest_images(size):
    batches = [UNIT[start : start + size] for start in range(0, 4 * size, size)]
    queue = made(100, *batches).queue.numpy()
    newest = np.concatenate([IMAGES[start : start + size] for start in range(3 * size, -1, -size)])
    np.testing.assert_array_equal(queue, newest[:100])


def test_a_share_of_images_is_swapped():
    neighbours = made(300, UNIT[:300])

    def swapped(share, seed=SEED):
        changed = np.abs(neighbours.swap(UNIT[300:], share, seed) - UNIT[300:]).max(axis=(1, 2, 3)) > 1e-6
        np.testing.assert_array_equal(
            neighbours.swap(UNIT[300:], share, seed), np.where(changed[:, None, None, None], nearest, UNIT[300:])
        )
        return changed

    nearest = neighbours.nearest(UNIT[300:]).numpy()
    assert swapped(1.0).all()
    # Of 300 with a probability of 0.3: six standard deviations.
    assert swapped(0.3).mean() == pytest.approx(0.3, abs=6 * np.sqrt(0.3 * 0.7 / 300))
    np.testing.assert_array_equal(swapped(0.3), swapped(0.3))
    assert (swapped(0.3) != swapped(0.3, tf.constant([3, 6]))).any()
