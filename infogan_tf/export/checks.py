"""Validation of inputs inside the graph: a wrong one raises an InvalidArgument error whose message names it.

Every function here returns its input, and what is computed from the result waits for the check, so that no value is
read before it was found valid. The operations used, `EnsureShape` and `Assert`, raise the error themselves, as no
Python runs in a server. EnsureShape's message names the node that it reads, so inputs get a node of their own name.

Arguments are the same throughout: `name` is the input's name in messages, `value` the input.
"""

import tensorflow as tf

from infogan_tf.latents.captions import Grammar


def shaped(name: str, value: tf.Tensor, shape: tuple[int | None, ...]) -> tf.Tensor:
    """Checks that an input has this shape, where None stands for any size."""
    # A signature's declared shape is a promise that no server checks, but that TensorFlow's optimizer believes: the
    # check would be optimised away. Behind this node the optimizer knows nothing of the shape.
    unknown = tf.raw_ops.PlaceholderWithDefault(input=value, shape=tf.TensorShape(None), name=name)
    return tf.ensure_shape(unknown, shape)


def as_many_rows(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Checks that all inputs, [B, ...] by name, have as many rows as the first."""
    (first, value), *others = inputs.items()
    count = tf.shape(value)[0]
    checked = {first: value}
    for name, other in others:
        received = tf.shape(other)[0]
        message = [f"{name}: expected as many rows as {first} has,", count, "Received:", received]
        checked[name] = require(other, received == count, message)
    return checked


def classes(name: str, value: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Checks that classes, int32 [B], are from 0 to `num_classes` - 1; tf.one_hot silently gives zeros for others."""
    lowest, highest = tf.reduce_min(value), tf.reduce_max(value)  # of none: the largest and the smallest integer
    message = [f"{name}: expected classes from 0 to {num_classes - 1}. Received: classes from", lowest, "to", highest]
    return require(value, (lowest >= 0) & (highest < num_classes), message)


def captions(name: str, value: tf.Tensor, grammar: Grammar) -> tf.Tensor:
    """The numbers, int32 [B], of captions, string [B], as a grammar reads them; checks that they are of its words."""
    text = tf.strings.lower(value)
    words = [tf.strings.regex_full_match(text, grammar.pattern_of(word)) for word in grammar.vocabulary]
    said = tf.split(tf.stack(tf.nest.map_structure(lambda word: tf.cast(word, tf.int32), words), -1), grammar.sizes, -1)
    known = tf.reduce_all(tf.strings.regex_full_match(text, grammar.pattern))
    single = tf.reduce_all([tf.reduce_sum(each, axis=-1) <= 1 for each in said])
    things = "; ".join(map(", ".join, grammar.words.values()))
    message = [f"{name}: expected captions with one word at most of each of {things}. Received:", value]
    digits = [tf.linalg.matvec(each, tf.range(1, size + 1)) for each, size in zip(said, grammar.sizes, strict=True)]
    return require(grammar.number(digits), known & single, message)


def numbers(name: str, value: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Checks that numbers of any shape are from `low` to `high`, both included, and not NaN."""
    good = tf.reduce_all((value >= low) & (value <= high))
    lowest, highest = tf.reduce_min(value), tf.reduce_max(value)
    message = [f"{name}: expected numbers from {low:,} to {high:,}. Received: numbers from", lowest, "to", highest]
    return require(value, good, message)


def number(name: str, value: tf.Tensor, low: float, high: float | tf.Tensor) -> tf.Tensor:
    """Checks that one number, [], is from `low` to `high`, both included, and not NaN."""
    message = [f"{name}: expected a number from {low:,} to", high, "Received:", value]
    return require(value, (value >= low) & (value <= high), message)


def length(name: str, value: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Checks that a vector has 0, 1 or `count` values."""
    size = tf.size(value)
    message = [f"{name}: expected no value, one, or as many as count,", count, "Received:", size]
    return require(value, (size <= 1) | (size == count), message)


def one_of(name: str, value: tf.Tensor, choices: tuple[str, ...]) -> tf.Tensor:
    """Checks that a string, [], is one of `choices`."""
    message = [f"{name}: expected one of {', '.join(choices)}. Received:", value]
    return require(value, tf.reduce_any(value == tf.constant(choices)), message)


def require(value: tf.Tensor, condition: tf.Tensor, message: list) -> tf.Tensor:
    """Returns `value` once `condition` was found true; else raises an InvalidArgument error.

    Args:
        value: Tensor to return.
        condition: Condition to check, bool [].
        message: Parts of the error's message in order, strings and tensors.
    """
    with tf.control_dependencies([tf.raw_ops.Assert(condition=condition, data=message)]):
        return tf.identity(value)
