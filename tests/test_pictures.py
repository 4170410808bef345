"""How pictures are put together and kept."""

import numpy as np
import pytest
import tensorflow as tf

from infogan_tf import pictures


def test_bytes_round_and_keep_the_ends():
    np.testing.assert_array_equal(pictures.to_bytes(np.array([0.0, 1.0, 0.5, 1.2, -0.1])), [0, 255, 128, 255, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_tiled_in_reading_order_and_survive_png(tmp_path, channels):
    images = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(channels, axis=-1) * 10
    picture = pictures.tile(images, columns=3)
    assert picture.shape == (5, 7, channels)
    np.testing.assert_array_equal(picture[1::2, 1::2, 0], [[0, 10, 20], [30, 40, 96]])
    pictures.write_png(tmp_path / "picture.png", picture)
    np.testing.assert_array_equal(pictures.read_png(tmp_path / "picture.png"), picture)
    np.testing.assert_array_equal(tf.io.decode_png((tmp_path / "picture.png").read_bytes()), picture)


def test_animation_has_every_frame(tmp_path):
    frames = [np.full((4, 4, 1), value, np.uint8) for value in (0, 100, 255)]
    pictures.write_gif(tmp_path / "frames.gif", frames)
    decoded = tf.io.decode_gif((tmp_path / "frames.gif").read_bytes()).numpy()
    assert decoded[:, 0, 0, 0].tolist() == [0, 100, 255]
