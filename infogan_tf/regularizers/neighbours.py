"""Real images that look alike, found among those seen last."""

import keras
import tensorflow as tf

from infogan_tf.strategy import drawn_here

# What correlates more than this is the same image, met again in the next pass over the data.
SAME = 0.9999


class Neighbours(keras.layers.Layer):
    """The last `length` real images, and which of them each new one is most like.

    Alike is what correlates, pixel by pixel (Pearson). That suits images that are centred as MNIST's are; two
    photographs of one thing need not correlate. The queue is that of Dwibedi et al. 2021 (arXiv:2104.14548), who look
    for neighbours among learnt features; that a neighbour is mostly of the same class is what Van Gansbeke et al. 2020
    (arXiv:2005.12320) cluster images by.

    Args:
        length: of the queue. A longer one finds more like neighbours, and costs as much more time.
    """

    def __init__(self, length: int = 8192, **kwargs):
        super().__init__(**{"name": "neighbours", "dtype": "float32", **kwargs})
        self.length = length

    def build(self, image_shape: tuple[int, int, int]) -> None:
        """Makes the queue for images [H, W, C], blank at first."""
        # Replicas share a queue, which takes the first one's images.
        self.queue = self.add_weight(
            name="queue", shape=(self.length, *image_shape), dtype="uint8", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip
        super().build(image_shape)

    def add(self, images: tf.Tensor) -> None:
        """Puts images [B, H, W, C] in [0, 1] at the head of the queue; as many fall off its end."""
        new = tf.cast(tf.round(255.0 * images), tf.uint8)
        self.queue.assign(tf.concat([new, self.queue], axis=0)[: self.length])

    def nearest(self, images: tf.Tensor) -> tf.Tensor:
        """The one in the queue that each of images [B, H, W, C] is most like; itself, where there is none yet."""
        flat, queue = _centred(images), _centred(tf.cast(self.queue, tf.float32) / 255.0)
        norms = tf.norm(flat, axis=1)[:, tf.newaxis] * tf.norm(queue, axis=1)
        alike = tf.math.divide_no_nan(tf.matmul(flat, queue, transpose_b=True), norms)
        # One without contrast, as the queue's are at first, is like no other.
        alike = tf.where((alike > SAME) | (norms == 0.0), -1.0, alike)
        found = tf.cast(tf.gather(self.queue, tf.argmax(alike, axis=1)), tf.float32) / 255.0
        return _where(tf.reduce_max(alike, axis=1) > -1.0, found, images)

    def swap(self, images: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
        """Images [B, H, W, C], each replaced by its nearest with a probability of `share`."""
        draws = drawn_here(tf.shape(images)[0], lambda rows: tf.random.stateless_uniform((rows,), seed))
        return _where(draws < share, self.nearest(images), images)


def _centred(images):
    """Rows of pixels [B, H * W * C] less their mean."""
    rows = tf.reshape(images, [tf.shape(images)[0], -1])
    return rows - tf.reduce_mean(rows, axis=1, keepdims=True)


def _where(which, images, others):
    return tf.where(which[:, tf.newaxis, tf.newaxis, tf.newaxis], images, others)
