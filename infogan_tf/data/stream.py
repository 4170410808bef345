"""The endless stream of training batches, addressed by position."""

import mmap
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from infogan_tf.data.pixels import check_images


def stream(
    images: np.ndarray,
    batch_size: int,
    seed: int = 0,
    start_step: int = 0,
    *,
    part: int = 0,
    parts: int = 1,
    labels: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Batches of shuffled images without end; the image at position i is a pure function of (seed, i).

    Every pass over the images is a new permutation of all of them (a block cipher on their indices, so nothing is
    stored), and a batch may straddle two passes: no image is left out. Reading can start at any step, which is how a
    resumed run sees the very batches that it would have seen.

    Args:
        images: [N, H, W, C], integers in 0..255 or floats in 0..1: an array in memory, or of a file (`np.load(file,
            mmap_mode="r")`). No copy is made but of the batch that is asked for, so that a file may be larger than
            memory.
        batch_size: images in a batch, all parts of it together.
        seed: of the permutations.
        start_step: the first batch to give.
        part: which part of every batch to give, from 0.
        parts: into how many equal parts a batch is cut, in order. Readers of the same images that take a part each, as
            the machines of distributed training do, together see the batches that one reader sees.
        labels: [N], of the images; None for a stream of images alone.

    Returns:
        An infinite dataset of [batch_size / parts, H, W, C], of the images' dtype; with labels, of pairs of these and
        [batch_size / parts].

    Raises:
        ValueError: where a batch cannot be cut so, there is no such part, or images have other values.
    """
    if parts < 1 or batch_size % parts or not 0 <= part < parts:
        raise ValueError(
            "part, parts: expected a batch that can be cut into equal parts, and 0 <= part < parts. "
            f"Received: part={part}, parts={parts}, batch_size={batch_size}"
        )
    images = np.asarray(images)
    check_images(images)
    count, size = len(images), batch_size // parts
    seed %= 2**31

    def indices(step):
        positions = step * batch_size + part * size + tf.range(size, dtype=tf.int64)
        pass_number = positions // count
        # tf.random.experimental.index_shuffle fails on a vector of seeds in TensorFlow 2.21, the operation below it
        # does not.
        return tf.raw_ops.RandomIndexShuffle(
            index=positions % count,
            seed=tf.stack([tf.zeros_like(pass_number), tf.fill([size], np.int64(seed)), pass_number], axis=1),
            max_index=tf.fill([size], np.int64(count - 1)),
        )

    read = _reader(images)

    def batch(step):
        here = indices(step)
        rows = tf.numpy_function(read, [here, indices(step + 1)], images.dtype)
        rows = tf.ensure_shape(rows, (size, *images.shape[1:]))
        return rows if labels is None else (rows, tf.gather(tf.constant(labels), here))

    # No thread reads ahead: it would call Python at any time, and a program that ends at such a time hangs.
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    return tf.data.Dataset.range(start_step, np.iinfo(np.int64).max).map(batch).with_options(options)


def _reader(images: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function of indices [B], and of those that will be next, that copies out the images [B, H, W, C] at the first.

    Of a file, the next are asked for while the first are in use. Left to itself, the system fetches page after page as
    each is touched, and with it what lies around, up to megabytes that nobody reads.
    """
    memory, first = _mapping(images)
    if memory is None or not images.flags.c_contiguous or not hasattr(mmap, "MADV_WILLNEED"):
        return lambda indices, next_indices: images[indices]
    size = images[0].nbytes

    def read(indices, next_indices):
        for start in (first + size * next_indices).tolist():
            page = start - start % mmap.PAGESIZE
            memory.madvise(mmap.MADV_WILLNEED, page, start + size - page)
        return images[indices]

    return read


def _mapping(images: np.ndarray) -> tuple[mmap.mmap | None, int]:
    """The memory map that `images` lie in, and at which of its bytes; None and 0 where they lie in no file."""
    owner = images
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if not isinstance(owner, mmap.mmap):
        return None, 0
    return owner, images.ctypes.data - np.frombuffer(owner, np.uint8).ctypes.data
