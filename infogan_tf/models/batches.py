"""A function of rows, computed a batch at a time, into arrays; of rows in an array, into some that are made once."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from infogan_tf.data.given import Rows, batches_of, comes_in_batches, rows_of


def in_batches(function: Callable, given, wanted: Rows, batch_size: int, progress: bool = False):
    """`function` of all rows, and of no more than `batch_size` of them at a time.

    What is read is read once: each batch is looked at just before the function sees it.

    Args:
        function: Takes rows [B, ...], a tensor, and returns a structure of tensors [B, ...]; a tf.function.
        given: The rows, as `rows_of` takes them, a np.memmap among others; or batches, as `batches_of` takes them.
        wanted: What rows there should be.
        batch_size: The most rows at a time, from 1; batches that are smaller stay as they are.
        progress: Whether to show a bar.

    Returns:
        The structure, of NumPy arrays.

    Raises:
        ValueError: For a `batch_size` below 1, and for what is not wanted.
    """
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"batch_size: expected an integer from 1. Received: {batch_size!r}")
    if comes_in_batches(given):
        batches = tqdm(batches_of(given, wanted), unit="batch", disable=not progress)
        parts = [_of_rows(function, rows, lambda rows: None, batch_size, False) for rows in batches]
        return tf.nest.map_structure(lambda *arrays: np.concatenate(arrays), *parts)
    return _of_rows(function, rows_of(given, wanted), wanted.check, batch_size, progress)


def _of_rows(function, rows, check, batch_size, progress):
    count = len(rows)
    size = max(1, min(batch_size, count))
    arrays = []
    for start in tqdm(range(0, max(1, count), size), unit="batch", disable=not progress):
        part = rows[start : start + size]
        check(part)
        batch = tf.convert_to_tensor(part)
        taken = len(batch)
        # The last batch is filled up with zeros: all have one shape, which is traced once, and none is empty.
        outputs = function(tf.pad(batch, [[0, size - taken], *[[0, 0]] * (batch.ndim - 1)]))
        parts = [part.numpy() for part in tf.nest.flatten(outputs)]
        arrays = arrays or [np.empty((count, *part.shape[1:]), part.dtype) for part in parts]
        for array, part in zip(arrays, parts, strict=True):
            array[start : start + taken] = part[:taken]
    return tf.nest.pack_sequence_as(outputs, arrays)
