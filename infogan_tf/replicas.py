"""What the replicas of a `tf.distribute` strategy know together."""

import tensorflow as tf


def num_replicas() -> int:
    """How many replicas make a step together; 1 without a strategy, and outside a replica."""
    replica = tf.distribute.get_replica_context()
    return replica.num_replicas_in_sync if replica else 1


def over_replicas(*means: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """The means over replicas, in one exchange, of what is a mean over each one's part of a batch.

    Gradients flow through it to all replicas. It cannot be called in a branch (`tf.cond`), where replicas cannot talk.
    """
    if num_replicas() == 1:
        return means
    return tuple(tf.distribute.get_replica_context().all_reduce("MEAN", list(means)))
