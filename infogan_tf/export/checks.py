"""Validation inside the graph: what is wrong with an input is said by an InvalidArgument error that names it.

Every function here returns its input, and what is computed from that waits for the check: nothing reads a value that
was not found to be good. The operations used, `EnsureShape` and `Assert`, raise the message themselves, as no Python
runs in a server. EnsureShape's message names the node that it reads, which is why inputs get a node of their own name.
"""

import tensorflow as tf


def shaped(name: str, value: tf.Tensor, shape: tuple[int | None, ...]) -> tf.Tensor:
    """A tensor of this shape, None for any size."""
    # A signature's declared shape is a promise that no server checks, but that TensorFlow's optimizer believes: the
    # check would be optimised away. Behind this node the optimizer knows nothing of the shape.
    unknown = tf.raw_ops.PlaceholderWithDefault(input=value, shape=tf.TensorShape(None), name=name)
    return tf.ensure_shape(unknown, shape)


def as_many_rows(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Inputs by name, [B, ...], all of the same B."""
    (first, value), *others = inputs.items()
    count = tf.shape(value)[0]
    checked = {first: value}
    for name, other in others:
        received = tf.shape(other)[0]
        message = [f"{name}: expected as many rows as {first} has,", count, "Received:", received]
        checked[name] = require(other, received == count, message)
    return checked


def classes(name: str, value: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Classes from 0 to `num_classes` - 1, int32 [B]; one_hot would silently give a code of zeros for others."""
    lowest, highest = tf.reduce_min(value), tf.reduce_max(value)  # of none: the largest and the smallest integer
    message = [f"{name}: expected classes from 0 to {num_classes - 1}. Received: classes from", lowest, "to", highest]
    return require(value, (lowest >= 0) & (highest < num_classes), message)


def numbers(name: str, value: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Numbers from `low` to `high`, both included, of any shape; no NaN."""
    good = tf.reduce_all((value >= low) & (value <= high))
    lowest, highest = tf.reduce_min(value), tf.reduce_max(value)
    message = [f"{name}: expected numbers from {low:,} to {high:,}. Received: numbers from", lowest, "to", highest]
    return require(value, good, message)


def number(name: str, value: tf.Tensor, low: float, high: float | tf.Tensor) -> tf.Tensor:
    """One number from `low` to `high`, both included; no NaN."""
    message = [f"{name}: expected a number from {low:,} to", high, "Received:", value]
    return require(value, (value >= low) & (value <= high), message)


def length(name: str, value: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """A vector of 0, 1 or `count` values."""
    size = tf.size(value)
    message = [f"{name}: expected no value, one, or as many as count,", count, "Received:", size]
    return require(value, (size <= 1) | (size == count), message)


def one_of(name: str, value: tf.Tensor, choices: tuple[str, ...]) -> tf.Tensor:
    """A string, one of `choices`."""
    message = [f"{name}: expected one of {', '.join(choices)}. Received:", value]
    return require(value, tf.reduce_any(value == tf.constant(choices)), message)


def require(value: tf.Tensor, condition: tf.Tensor, message: list) -> tf.Tensor:
    """`value`, where the condition holds; else the error says the parts of the message."""
    with tf.control_dependencies([tf.raw_ops.Assert(condition=condition, data=message)]):
        return tf.identity(value)
