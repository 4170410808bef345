"""Stateless random draws: functions of a seed, whatever was drawn before and on however many devices."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def as_seed(seed: tf.Tensor | int) -> tf.Tensor:
    """Returns the stateless seed, int32 [2], of two integers, or of one: n is (n, 0), as the exported model has it.

    Raises:
        ValueError: For anything else.
    """
    given = seed if tf.is_tensor(seed) else np.asarray(seed)
    if not tf.as_dtype(given.dtype).is_integer or tuple(given.shape) not in ((), (2,)):
        raise ValueError(f"seed: expected an integer, or two. Received: {seed!r}")
    pair = given if len(given.shape) else tf.stack([given, tf.zeros_like(given)])
    return tf.cast(pair, tf.int32)


def fold_in(seed: tf.Tensor, data: tf.Tensor | int) -> tf.Tensor:
    """Derives another stateless seed, int32 [2], from a seed and a number.

    Args:
        seed: Stateless seed, or an integer, see `as_seed`.
        data: Number of the derived seed, any integer [], taken modulo 2^31 - 1.
    """
    data = tf.cast(data, tf.int64)
    return tf.random.fold_in(as_seed(seed), tf.cast(data % (2**31 - 1), tf.int32))


def drawn_here(count: tf.Tensor, draw: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Returns this replica's rows of a draw for all replicas, so that together they draw what one device would.

    Args:
        count: Number of rows of each replica, int32 [].
        draw: Function of a number of rows that draws them all, [rows, ...], by a stateless seed.
    """
    replica = tf.distribute.get_replica_context()
    rows = draw(count * replica.num_replicas_in_sync)
    start = tf.cast(replica.replica_id_in_sync_group, tf.int32) * count
    return rows[start : start + count]
