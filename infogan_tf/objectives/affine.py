"""Affine changes of images, of operations that XLA compiles."""

import tensorflow as tf


def affine_transform(images: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Draws each image anew, at every place what its old image has at another; between pixels it is bilinear.

    As `keras.ops.image.affine_transform` with fill_mode="nearest", for whose kernel XLA has no twin.

    Args:
        images: float32 [B, H, W, C].
        matrices: Where in the old image a place (x, y) of the new one is, float32 [B, 6], rows (a, b, c, d, e, f): at
            (a x + b y + c, d x + e y + f), in pixels from the middle of the first; outside is what the border has.

    Returns:
        The same shape.
    """
    height, width, channels = images.shape[1:]
    a, b, c, d, e, f = (column[:, tf.newaxis, tf.newaxis] for column in tf.unstack(matrices, axis=1))
    x = tf.range(width, dtype=tf.float32)
    y = tf.range(height, dtype=tf.float32)[:, tf.newaxis]
    old_x = tf.clip_by_value(a * x + b * y + c, 0.0, width - 1.0)
    old_y = tf.clip_by_value(d * x + e * y + f, 0.0, height - 1.0)
    left, top = tf.floor(old_x), tf.floor(old_y)
    right, bottom = tf.minimum(left + 1.0, width - 1.0), tf.minimum(top + 1.0, height - 1.0)
    pixels = tf.reshape(images, (-1, height * width, channels))

    def at(row, column):
        return tf.gather(pixels, tf.cast(row * width + column, tf.int32), batch_dims=1)

    across, down = (old_x - left)[..., tf.newaxis], (old_y - top)[..., tf.newaxis]
    upper = at(top, left) * (1.0 - across) + at(top, right) * across
    lower = at(bottom, left) * (1.0 - across) + at(bottom, right) * across
    return upper * (1.0 - down) + lower * down
