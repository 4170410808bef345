"""Noise and latent codes: the parts of the generator's input, each with its prior, and a code with its posterior Q.

All figures are in nats. To add a kind of code, write a subclass of `Code`, add it to `KINDS`, and its name to
`language.CODE_KINDS`.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import tensorflow as tf

from infogan_tf.latents.captions import GRAMMARS, Grammar
from infogan_tf.random import as_seed, drawn_here

# The smallest standard deviation of a learnt Gaussian posterior. A continuous code carries unbounded differential
# information, so an unbounded Q is rewarded without end for ever finer copies of the code in the image, and its
# gradient (of the squared error over twice the variance) drowns the adversarial one: with 0.1 the generator draws
# codes, not digits. The authors' code holds it at 1, where L_I is vacuous: at most -0.23 nats for a uniform code.
MIN_STDDEV = 0.5
# A code of which Q has learnt less than this share of what it could show is called dead.
DEAD_SHARE = 0.02


@dataclasses.dataclass(frozen=True)
class Noise:
    """The incompressible noise z: independent columns.

    Attributes:
        size: How many columns, from 0.
        distribution: Of each, "uniform" on [-1, 1] or standard "normal".
    """

    size: int
    distribution: str = "uniform"

    def sample(self, count: tf.Tensor | int, seed: tf.Tensor) -> tf.Tensor:
        """Draws noise, float32 [count, size]."""
        shape = (count, self.size)
        if self.distribution == "normal":
            return tf.random.stateless_normal(shape, as_seed(seed))
        return tf.random.stateless_uniform(shape, as_seed(seed), minval=-1.0, maxval=1.0)


@dataclasses.dataclass(frozen=True)
class Code:
    """One latent code c: a prior p(c), columns in the latents, and a posterior Q(c|x) with parameters.

    A code has *values*, [B], as people and the exported model write them (a number; where `discrete`, a class index
    below `num_classes`), and a *block*, float32 [B, width], as the generator reads them (one-hot, a column).
    """

    name: str
    dtype: ClassVar[tf.DType] = tf.float32
    discrete: ClassVar[bool] = False
    has_posterior: ClassVar[bool] = True
    width: ClassVar[int] = 1

    @property
    def num_parameters(self) -> int:
        """The number of Q head outputs that describe Q(c|x)."""
        raise NotImplementedError

    @property
    def entropy(self) -> float:
        """H(c) of the prior, in nats; differential where the code is continuous."""
        raise NotImplementedError

    @property
    def ceiling(self) -> float:
        """The largest L_I that this code's Q can show, in nats: H(c) where the code is discrete."""
        return self.entropy

    @property
    def floor(self) -> float:
        """L_I, in nats, where Q knows the prior and nothing of the image."""
        return 0.0

    def is_dead(self, mutual_info: float) -> bool:
        """Whether Q, whose L_I is `mutual_info` nats, has learnt less than DEAD_SHARE of what it could show."""
        return mutual_info - self.floor < DEAD_SHARE * (self.ceiling - self.floor)

    @property
    def log_prior(self) -> np.ndarray:
        """log p(c) of every class of a discrete code, float32 [num_classes], in nats."""
        return np.full(self.num_classes, -math.log(self.num_classes), np.float32)

    def sample(self, count: tf.Tensor | int, seed: tf.Tensor) -> tf.Tensor:
        """Draws values from the prior: [count], of `dtype`."""
        raise NotImplementedError

    def to_block(self, values: tf.Tensor) -> tf.Tensor:
        """Turns values [B] into the generator's columns, float32 [B, width]."""
        return tf.cast(values, tf.float32)[:, tf.newaxis]

    def known(self, given: tf.Tensor) -> tf.Tensor:
        """The block of what is known of real images, [B, width], for a code that is told of these.

        A class that there is not is an InvalidArgumentError, but where XLA compiled it, which checks nothing.
        """
        return self.to_block(_looked_at(given, self.num_classes))

    def check_known(self, given: np.ndarray | tf.Tensor) -> None:
        """Raises a ValueError where an array is not what `known` takes, or names a class that there is not."""
        _check_classes(given, (), self.num_classes)

    @property
    def written_dtype(self) -> tf.DType:
        """The type of what `written` gives."""
        return self.dtype

    def written(self, values: tf.Tensor) -> tf.Tensor:
        """Values [B] as an exported model takes and gives them, [B]."""
        return values

    def log_prob(self, parameters: tf.Tensor, block: tf.Tensor) -> tf.Tensor:
        """log Q(c|x) in nats, [B], of the codes in `block` under Q's `parameters` [B, num_parameters]."""
        raise NotImplementedError

    def posterior(self, parameters: tf.Tensor) -> dict[str, tf.Tensor]:
        """Q(c|x) in words: the distribution's own quantities, by name."""
        raise NotImplementedError

    def most_probable(self, posterior: Mapping[str, np.ndarray]) -> np.ndarray:
        """The most probable value, [N], by a posterior of `GenerativeModel.encode`; integers where discrete."""
        raise NotImplementedError

    def greatest_probability(self, posterior: Mapping[str, np.ndarray]) -> np.ndarray:
        """How probable the most probable value of a discrete code is, float32 [N]; of the same posterior."""
        raise NotImplementedError

    def log_probabilities(self, parameters: tf.Tensor) -> tf.Tensor:
        """log Q(c|x) in nats of every class of a discrete code, [B, num_classes]."""
        raise NotImplementedError

    def divergence(self, parameters: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        """KL between the posteriors of two times B parameters, [B], in nats."""
        log_q = self.log_probabilities(parameters)
        return tf.reduce_sum(tf.exp(log_q) * (log_q - self.log_probabilities(others)), axis=-1)

    def traversal(self, steps: int) -> np.ndarray:
        """The values to draw in a picture of what this code does: all classes, or -2 to 2 in `steps` steps."""
        return np.linspace(-2.0, 2.0, steps, dtype=np.float32)


@dataclasses.dataclass(frozen=True)
class Categorical(Code):
    """A choice among `num_classes`, all equally probable; Q(c|x) is a softmax, H(c) = ln num_classes."""

    num_classes: int = 10
    dtype: ClassVar[tf.DType] = tf.int32
    discrete: ClassVar[bool] = True

    @property
    def width(self) -> int:  # noqa: D102
        return self.num_classes

    @property
    def num_parameters(self) -> int:  # noqa: D102
        return self.num_classes

    @property
    def entropy(self) -> float:  # noqa: D102
        return math.log(self.num_classes)

    def sample(self, count, seed):  # noqa: D102
        return tf.random.stateless_uniform((count,), as_seed(seed), maxval=self.num_classes, dtype=tf.int32)

    def to_block(self, values):  # noqa: D102
        return tf.one_hot(values, self.num_classes)

    def log_prob(self, parameters, block):  # noqa: D102
        return tf.reduce_sum(block * tf.nn.log_softmax(parameters), axis=-1)

    def posterior(self, parameters):  # noqa: D102
        return {"probabilities": tf.nn.softmax(parameters)}

    def most_probable(self, posterior):  # noqa: D102
        return posterior["probabilities"].argmax(axis=-1)

    def greatest_probability(self, posterior):  # noqa: D102
        return posterior["probabilities"].max(axis=-1)

    def log_probabilities(self, parameters):  # noqa: D102
        return tf.nn.log_softmax(parameters)

    def traversal(self, steps):  # noqa: D102
        return np.arange(self.num_classes, dtype=np.int32)


@dataclasses.dataclass(frozen=True)
class Label(Categorical):
    """The known class of a real image, one of `num_classes`: told to the networks, so that nothing has to read it."""

    has_posterior: ClassVar[bool] = False

    @property
    def num_parameters(self) -> int:  # noqa: D102
        return 0


@dataclasses.dataclass(frozen=True)
class Caption(Code):
    """A caption, told to the networks: its number in a grammar, where those that are held out are never drawn.

    The block is the bag of its words: a column for each word, 1 where the caption has it, so that the order of words
    says nothing, and the mean of two blocks lies between two captions.

    Attributes:
        grammar: The name of one of `captions.GRAMMARS`.
    """

    grammar: str = "sprites"
    dtype: ClassVar[tf.DType] = tf.int32
    discrete: ClassVar[bool] = True
    has_posterior: ClassVar[bool] = False
    num_parameters: ClassVar[int] = 0

    @property
    def language(self) -> Grammar:
        """The grammar itself."""
        return GRAMMARS[self.grammar]

    @property
    def num_classes(self) -> int:
        """How many captions there are."""
        return self.language.count

    @property
    def width(self) -> int:  # noqa: D102
        return len(self.language.vocabulary)

    @property
    def entropy(self) -> float:  # noqa: D102
        return math.log(len(self._seen))

    @property
    def _seen(self) -> np.ndarray:
        """The numbers of all captions that are not held out, int32 [S]."""
        return np.delete(np.arange(self.num_classes, dtype=np.int32), self.language.unseen)

    @property
    def _bags(self) -> np.ndarray:
        """The block of each caption, float32 [num_classes, width]."""
        return np.array([self.language.bag(caption) for caption in self.language.captions], np.float32)

    def sample(self, count, seed):  # noqa: D102
        place = tf.random.stateless_uniform((count,), as_seed(seed), maxval=len(self._seen), dtype=tf.int32)
        return tf.gather(tf.constant(self._seen), place)

    def to_block(self, values):  # noqa: D102
        return tf.gather(tf.constant(self._bags), values)

    def known(self, given):
        """All words that are true of images, float32 [B, width], of the number of each thing's word, [B, things]."""
        sizes = self.language.sizes
        columns = tf.unstack(tf.convert_to_tensor(given), num=len(sizes), axis=-1)
        blocks = [tf.one_hot(_looked_at(words, size), size) for words, size in zip(columns, sizes, strict=True)]
        return tf.concat(blocks, axis=-1)

    def check_known(self, given):  # noqa: D102
        _check_classes(given, (len(self.language.sizes),), np.array(self.language.sizes))

    @property
    def written_dtype(self):  # noqa: D102
        return tf.string

    def written(self, values):
        """The captions in words."""
        return tf.gather(tf.constant([self.language.write(number) for number in range(self.num_classes)]), values)

    def some_of(self, words: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Captions that leave things out, as often as captions of the prior do: of all words [B, width], [B, width]."""
        sizes = np.array(self.language.sizes)
        count = tf.shape(words)[0]
        draws = drawn_here(count, lambda rows: tf.random.stateless_uniform((rows, len(sizes)), as_seed(seed)))
        said = tf.cast(draws < sizes / (sizes + 1.0), words.dtype)
        return words * tf.gather(said, np.repeat(np.arange(len(sizes)), sizes), axis=-1)

    def wrong_for(self, words: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """A caption for each image, [B, width], drawn from those of the prior of which a word is not true of it.

        Args:
            words: All words that are true of the images, [B, width].
            seed: A stateless seed, int32 [2].
        """
        bags = tf.constant(self._bags[self._seen])
        is_wrong = tf.matmul(1.0 - words, bags, transpose_b=True) > 0.5  # [B, S]
        count = tf.shape(words)[0]
        draws = drawn_here(count, lambda rows: tf.random.stateless_uniform((rows, bags.shape[0]), as_seed(seed)))
        return tf.gather(bags, tf.argmax(tf.where(is_wrong, draws, -1.0), axis=-1))

    def traversal(self, steps):  # noqa: D102
        whole = [number for number in self._seen if all(self.language.captions[number])]
        return np.random.default_rng(0).choice(np.array(whole, np.int32), steps, replace=False)


@dataclasses.dataclass(frozen=True)
class Class(Categorical):
    """The class of an image, one of `num_classes`, which is read from it and not given to the generator."""


@dataclasses.dataclass(frozen=True)
class Bernoulli(Code):
    """A fair coin, 0 or 1; Q(c|x) is a sigmoid, H(c) = ln 2."""

    dtype: ClassVar[tf.DType] = tf.int32
    discrete: ClassVar[bool] = True
    num_classes: ClassVar[int] = 2

    @property
    def num_parameters(self) -> int:  # noqa: D102
        return 1

    @property
    def entropy(self) -> float:  # noqa: D102
        return math.log(2.0)

    def sample(self, count, seed):  # noqa: D102
        return tf.random.stateless_uniform((count,), as_seed(seed), maxval=2, dtype=tf.int32)

    def log_prob(self, parameters, block):  # noqa: D102
        cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=block, logits=parameters)
        return -tf.squeeze(cross_entropy, axis=-1)

    def posterior(self, parameters):  # noqa: D102
        return {"probability": tf.sigmoid(tf.squeeze(parameters, axis=-1))}

    def most_probable(self, posterior):  # noqa: D102
        return (posterior["probability"] > 0.5).astype(np.int64)

    def greatest_probability(self, posterior):  # noqa: D102
        return np.maximum(posterior["probability"], 1.0 - posterior["probability"])

    def log_probabilities(self, parameters):  # noqa: D102
        return tf.concat([tf.math.log_sigmoid(-parameters), tf.math.log_sigmoid(parameters)], axis=-1)

    def traversal(self, steps):  # noqa: D102
        return np.arange(self.num_classes, dtype=np.int32)


@dataclasses.dataclass(frozen=True)
class Continuous(Code):
    """A code with a Gaussian posterior, whose standard deviation is learnt unless `fixed_stddev` is given."""

    fixed_stddev: float | None = None
    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    # Of the prior, whose mean is 0.
    variance: ClassVar[float]

    @property
    def num_parameters(self) -> int:  # noqa: D102
        return 1 if self.fixed_stddev else 2

    @property
    def ceiling(self) -> float:
        """H(c) plus the largest log-density of Q, which its smallest standard deviation bounds."""
        return self.entropy - math.log((self.fixed_stddev or MIN_STDDEV) * math.sqrt(2.0 * math.pi))

    @property
    def floor(self) -> float:
        """That of the Gaussian with the prior's mean and variance, or with a fixed standard deviation in its place."""
        stddev = self.fixed_stddev or math.sqrt(self.variance)
        return self.entropy - math.log(stddev * math.sqrt(2.0 * math.pi)) - 0.5 * self.variance / stddev**2

    def mean_and_stddev(self, parameters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Q's mean and standard deviation, [B] each; a learnt one is at least MIN_STDDEV."""
        if self.fixed_stddev:
            mean = parameters[:, 0]
            return mean, tf.fill(tf.shape(mean), tf.constant(self.fixed_stddev, mean.dtype))
        return parameters[:, 0], MIN_STDDEV + tf.nn.softplus(parameters[:, 1])

    def log_prob(self, parameters, block):  # noqa: D102
        mean, stddev = self.mean_and_stddev(parameters)
        z = (block[:, 0] - mean) / stddev
        return -0.5 * tf.square(z) - tf.math.log(stddev) - 0.5 * math.log(2.0 * math.pi)

    def divergence(self, parameters: tf.Tensor, others: tf.Tensor, moved_by: tf.Tensor | float = 0.0) -> tf.Tensor:
        """KL between the posteriors of two times B parameters, the first moved by a number each; [B], in nats."""
        (mean, stddev), (other_mean, other_stddev) = map(self.mean_and_stddev, (parameters, others))
        squares = (tf.square(stddev) + tf.square(mean + moved_by - other_mean)) / tf.square(other_stddev)
        return tf.math.log(other_stddev / stddev) + 0.5 * (squares - 1.0)

    def posterior(self, parameters):  # noqa: D102
        mean, stddev = self.mean_and_stddev(parameters)
        return {"mean": mean, "stddev": stddev}

    def most_probable(self, posterior):  # noqa: D102
        return posterior["mean"]


@dataclasses.dataclass(frozen=True)
class Uniform(Continuous):
    """Uniform on [-1, 1]; H(c) = ln 2."""

    support: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    variance: ClassVar[float] = 1.0 / 3.0

    @property
    def entropy(self) -> float:  # noqa: D102
        return math.log(2.0)

    def sample(self, count, seed):  # noqa: D102
        return tf.random.stateless_uniform((count,), as_seed(seed), minval=-1.0, maxval=1.0)


@dataclasses.dataclass(frozen=True)
class Normal(Continuous):
    """Standard normal; H(c) = ln(2 pi e) / 2."""

    variance: ClassVar[float] = 1.0

    @property
    def entropy(self) -> float:  # noqa: D102
        return 0.5 * math.log(2.0 * math.pi * math.e)

    def sample(self, count, seed):  # noqa: D102
        return tf.random.stateless_normal((count,), as_seed(seed))


def _looked_at(given: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Integers of any type as int64, after a look whether each is a class."""
    given = tf.cast(given, tf.int64)
    expected = f"labels: expected integers from 0 to below {num_classes}"
    tf.debugging.assert_non_negative(given, expected)
    tf.debugging.assert_less(given, tf.constant(num_classes, tf.int64), expected)
    return given


def _check_classes(given, shape, num_classes):
    """Raises a ValueError for labels that are not integers [N, *shape] from 0 to below `num_classes`."""
    labels = np.asarray(given)
    if labels.ndim != 1 + len(shape) or labels.shape[1:] != shape:
        expected = ", ".join(map(str, ("N", *shape)))
        raise ValueError(f"labels: expected shape [{expected}]. Received: shape {list(labels.shape)}")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels: expected integers. Received: {labels.dtype}")
    wrong = (labels < 0) | (labels >= num_classes)
    if wrong.any():
        raise ValueError(
            f"labels: expected integers from 0 to below {num_classes}. Received: {labels[wrong][0]} among them"
        )


KINDS = {
    "cat": Categorical,
    "uniform": Uniform,
    "normal": Normal,
    "bernoulli": Bernoulli,
    "label": Label,
    "class": Class,
    "caption": Caption,
}
