"""Stateless random draws: functions of a seed, whatever was drawn before and on however many devices."""

from collections.abc import Callable

import tensorflow as tf


def fold_in(seed: tf.Tensor, data: tf.Tensor | int) -> tf.Tensor:
    """Derives another stateless seed, int32 [2], from a seed and a number.

    Args:
        seed: Stateless seed, integers [2].
        data: Number of the derived seed, any integer [], taken modulo 2^31 - 1.
    """
    data = tf.cast(data, tf.int64)
    return tf.random.fold_in(tf.cast(seed, tf.int32), tf.cast(data % (2**31 - 1), tf.int32))


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
