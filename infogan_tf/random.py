"""Stateless random draws: a function of a seed, whatever was drawn before and on however many devices."""

from collections.abc import Callable

import tensorflow as tf


def fold_in(seed: tf.Tensor, data: tf.Tensor | int) -> tf.Tensor:
    """Derives the stateless seed number `data` (any integer) from `seed`; both seeds are int32 [2]."""
    data = tf.cast(data, tf.int64)
    return tf.random.fold_in(tf.cast(seed, tf.int32), tf.cast(data % (2**31 - 1), tf.int32))


def drawn_here(count: tf.Tensor, draw: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """This replica's `count` rows of what `draw(rows)` gives for all replicas: as one device would have drawn them."""
    replica = tf.distribute.get_replica_context()
    rows = draw(count * replica.num_replicas_in_sync)
    start = tf.cast(replica.replica_id_in_sync_group, tf.int32) * count
    return rows[start : start + count]
