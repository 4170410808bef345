"""The endless stream of training batches, addressed by position."""

import numpy as np
import tensorflow as tf


def stream(images: np.ndarray, batch_size: int, seed: int = 0, start_step: int = 0) -> tf.data.Dataset:
    """Batches of shuffled images without end; the image at position i is a pure function of (seed, i).

    Every pass over the images is a new permutation of all of them (a block cipher on their indices, so nothing is
    stored), and a batch may straddle two passes: no image is left out. Reading can start at any step, which is how a
    resumed run sees the very batches that it would have seen.

    Args:
        images: uint8 [N, H, W, C], kept in memory once, as bytes.
        batch_size: images in a batch.
        seed: of the permutations.
        start_step: the first batch to give.

    Returns:
        An infinite dataset of uint8 [batch_size, H, W, C].
    """
    memory = tf.constant(images)
    count = len(images)
    seed %= 2**31

    def batch(step):
        positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        pass_number = positions // count
        # tf.random.experimental.index_shuffle fails on a vector of seeds in TensorFlow 2.21, the operation below it
        # does not.
        indices = tf.raw_ops.RandomIndexShuffle(
            index=positions % count,
            seed=tf.stack([tf.zeros_like(pass_number), tf.fill([batch_size], np.int64(seed)), pass_number], axis=1),
            max_index=tf.fill([batch_size], np.int64(count - 1)),
        )
        return tf.ensure_shape(tf.gather(memory, indices), (batch_size, *images.shape[1:]))

    steps = tf.data.Dataset.range(start_step, np.iinfo(np.int64).max)
    return steps.map(batch, num_parallel_calls=1, deterministic=True).prefetch(4)
