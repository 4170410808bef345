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
    """Makes an endless stream of batches of shuffled images; the image at position i is a pure function of (seed, i).

    Every pass over the images is a new permutation of all of them (a block cipher on their indices, so nothing is
    stored), and a batch may straddle two passes: no image is left out. Reading can start at any step, so that a resumed
    run sees the very batches that it would have seen.

    Args:
        images: Images [N, H, W, C], integers in 0..255 or floats in 0..1, in memory or memory-mapped (`np.load(file,
            mmap_mode="r")`). Only the batch that is asked for is copied, so that a file may be larger than memory.
        batch_size: Images in a batch, all its parts together.
        seed: Seed of the permutations, an integer; taken modulo 2^31.
        start_step: Number of the first batch to give, from 0.
        part: Number of the part to give of every batch, from 0 to parts - 1.
        parts: Number of equal parts that a batch is cut into, in order. Readers of the same images that take a part
            each, as the machines of distributed training do, together see the batches that one reader sees.
        labels: Label of each image, [N]; None for a stream of images alone.

    Returns:
        An endless dataset of images [batch_size / parts, H, W, C], of their dtype; with labels, of pairs of images and
        labels [batch_size / parts].

    Raises:
        ValueError: Where a batch cannot be cut into equal parts, `part` is out of range, there are no images, or they
            have other values.
    """
    if parts < 1 or batch_size % parts or not 0 <= part < parts:
        raise ValueError(
            "part, parts: expected a batch that can be cut into equal parts, and 0 <= part < parts. "
            f"Received: part={part}, parts={parts}, batch_size={batch_size}"
        )
    images = np.asarray(images)
    if not len(images):
        raise ValueError(f"images: expected one at least. Received: shape {images.shape}")
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
    """Returns a function of this step's and the next step's indices, [B] each, that copies this step's images.

    If the images lie in a file, it also asks the system to fetch the next step's meanwhile. By default the system
    fetches each page when it is touched, with up to megabytes around it that nobody reads.
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
    """Returns the memory map that holds `images`, and their first byte in it; None and 0 where they lie in no file."""
    owner = images
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if not isinstance(owner, mmap.mmap):
        return None, 0
    return owner, images.ctypes.data - np.frombuffer(owner, np.uint8).ctypes.data
