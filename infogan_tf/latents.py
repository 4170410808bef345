"""The generator's input: incompressible noise and latent codes, and the language that describes them.

A `LatentLayout` says how the columns of the latents [z, c] are divided. It samples them, splits them, and for every
code gives log Q(c|x), the prior's entropy H(c) and the bound of Chen et al. 2016 (arXiv:1606.03657), equation 5:

    L_I(G, Q) = E_{c ~ p(c), x ~ G(z, c)}[log Q(c|x)] + H(c)  <=  I(c; G(z, c))

All figures are in nats. To add a kind of code, write a subclass of `Code` and add it to `KINDS`.
"""

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.losses import mutual_info_bound

# The smallest standard deviation of a learnt Gaussian posterior. A continuous code carries unbounded differential
# information, so an unbounded Q is rewarded without end for ever finer copies of the code in the image, and its
# gradient (of the squared error over twice the variance) drowns the adversarial one: with 0.1 the generator draws
# codes, not digits. The authors' code holds it at 1, where L_I is vacuous: at most -0.23 nats for a uniform code.
MIN_STDDEV = 0.5
MAX_SIZE = 100_000


def fold_in(seed: tf.Tensor, data: tf.Tensor | int) -> tf.Tensor:
    """Derives the stateless seed number `data` (any integer) from `seed`; both seeds are int32 [2]."""
    data = tf.cast(data, tf.int64)
    return tf.random.fold_in(tf.cast(seed, tf.int32), tf.cast(data % (2**31 - 1), tf.int32))


@dataclasses.dataclass(frozen=True)
class Noise:
    """The incompressible noise z: `size` columns, independent, uniform on [-1, 1] or standard normal."""

    size: int
    distribution: str = "uniform"

    def sample(self, count: tf.Tensor | int, seed: tf.Tensor) -> tf.Tensor:
        """Draws noise, float32 [count, size]."""
        shape = (count, self.size)
        if self.distribution == "normal":
            return tf.random.stateless_normal(shape, seed)
        return tf.random.stateless_uniform(shape, seed, minval=-1.0, maxval=1.0)


@dataclasses.dataclass(frozen=True)
class Code:
    """One latent code c: a prior p(c), columns in the latents, and a posterior Q(c|x) with parameters.

    A code has *values*, [B], as people and the exported model write them (a number; where `discrete`, a class index
    below `num_classes`), and a *block*, float32 [B, width], as the generator reads them (one-hot, a column).
    """

    name: str
    dtype: ClassVar[tf.DType] = tf.float32
    discrete: ClassVar[bool] = False
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

    def log_prob(self, parameters: tf.Tensor, block: tf.Tensor) -> tf.Tensor:
        """log Q(c|x) in nats, [B], of the codes in `block` under Q's `parameters` [B, num_parameters]."""
        raise NotImplementedError

    def posterior(self, parameters: tf.Tensor) -> dict[str, tf.Tensor]:
        """Q(c|x) in words: the distribution's own quantities, by name."""
        raise NotImplementedError

    def most_probable(self, posterior: Mapping[str, np.ndarray]) -> np.ndarray:
        """The value, [N], that a posterior of `InfoGAN.encode` thinks most probable: integers where discrete."""
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
    """A choice among `num_classes`, uniform unless `probabilities` say otherwise; Q(c|x) is a softmax."""

    num_classes: int = 10
    probabilities: tuple[float, ...] | None = None
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
        return float(-np.sum(np.exp(self.log_prior) * self.log_prior))

    @property
    def log_prior(self):  # noqa: D102
        if self.probabilities is None:
            return super().log_prior
        return np.log(np.float32(self.probabilities))

    def sample(self, count, seed):  # noqa: D102
        if self.probabilities is not None:
            return tf.random.stateless_categorical(self.log_prior[np.newaxis], count, seed, tf.int32)[0]
        return tf.random.stateless_uniform((count,), seed, maxval=self.num_classes, dtype=tf.int32)

    def to_block(self, values):  # noqa: D102
        return tf.one_hot(values, self.num_classes)

    def log_prob(self, parameters, block):  # noqa: D102
        return tf.reduce_sum(block * tf.nn.log_softmax(parameters), axis=-1)

    def posterior(self, parameters):  # noqa: D102
        return {"probabilities": tf.nn.softmax(parameters)}

    def most_probable(self, posterior):  # noqa: D102
        return posterior["probabilities"].argmax(axis=-1)

    def log_probabilities(self, parameters):  # noqa: D102
        return tf.nn.log_softmax(parameters)

    def traversal(self, steps):  # noqa: D102
        return np.arange(self.num_classes, dtype=np.int32)


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
        return tf.random.stateless_uniform((count,), seed, maxval=2, dtype=tf.int32)

    def log_prob(self, parameters, block):  # noqa: D102
        cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=block, logits=parameters)
        return -tf.squeeze(cross_entropy, axis=-1)

    def posterior(self, parameters):  # noqa: D102
        return {"probability": tf.sigmoid(tf.squeeze(parameters, axis=-1))}

    def most_probable(self, posterior):  # noqa: D102
        return (posterior["probability"] > 0.5).astype(np.int64)

    def log_probabilities(self, parameters):  # noqa: D102
        return tf.concat([tf.math.log_sigmoid(-parameters), tf.math.log_sigmoid(parameters)], axis=-1)

    def traversal(self, steps):  # noqa: D102
        return np.arange(self.num_classes, dtype=np.int32)


@dataclasses.dataclass(frozen=True)
class Continuous(Code):
    """A code with a Gaussian posterior, whose standard deviation is learnt unless `fixed_stddev` is given."""

    fixed_stddev: float | None = None
    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    @property
    def num_parameters(self) -> int:  # noqa: D102
        return 1 if self.fixed_stddev else 2

    @property
    def ceiling(self) -> float:
        """H(c) plus the largest log-density of Q, which its smallest standard deviation bounds."""
        return self.entropy - math.log((self.fixed_stddev or MIN_STDDEV) * math.sqrt(2.0 * math.pi))

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

    @property
    def entropy(self) -> float:  # noqa: D102
        return math.log(2.0)

    @property
    def floor(self) -> float:
        """That of the Gaussian with the prior's variance, 1/3."""
        return self.entropy - 0.5 * math.log(2.0 * math.pi * math.e / 3.0)

    def sample(self, count, seed):  # noqa: D102
        return tf.random.stateless_uniform((count,), seed, minval=-1.0, maxval=1.0)


@dataclasses.dataclass(frozen=True)
class Normal(Continuous):
    """Standard normal; H(c) = ln(2 pi e) / 2."""

    @property
    def entropy(self) -> float:  # noqa: D102
        return 0.5 * math.log(2.0 * math.pi * math.e)

    def sample(self, count, seed):  # noqa: D102
        return tf.random.stateless_normal((count,), seed)


KINDS = {"cat": Categorical, "uniform": Uniform, "normal": Normal, "bernoulli": Bernoulli}
NOISE_KINDS = {"noise": "uniform", "normal_noise": "normal"}
_ITEM = re.compile(r"(?P<kind>[a-z_]+):(?P<size>\d+)(?:x(?P<count>\d+))?")


@dataclasses.dataclass(frozen=True)
class LatentLayout:
    """How the latents [z, c] are divided into noise and codes; `parse` reads the layout language, kept as `text`."""

    noise: Noise
    codes: tuple[Code, ...]
    text: str
    posterior_stddev: float | None = None

    @classmethod
    def parse(cls, text: str, posterior_stddev: float | None = None) -> "LatentLayout":
        """Reads a layout such as `noise:62,cat:10,uniform:2`.

        The items, separated by commas:

            noise:62          62 columns of noise, uniform on [-1, 1]
            normal_noise:62   the same, standard normal
            cat:10            a categorical code of 10 classes; cat:10x4 is four of them
            uniform:2         two codes, each uniform on [-1, 1]
            normal:2          two codes, each standard normal
            bernoulli:3       three codes, each a fair coin

        Codes are named c1, c2, ... in the order in which they stand.

        Args:
            text: the layout.
            posterior_stddev: fixes the standard deviation of continuous posteriors; None or 0 learns it.

        Raises:
            UserError: where the text is not a layout; names the position of the mistake.
        """
        noise, codes, position = None, [], 1
        for item in text.split(","):
            start = position + len(item) - len(item.lstrip())
            position += len(item) + 1
            kind, size, count = _parse_item(item.strip(), start, text)
            if kind in NOISE_KINDS:
                if noise is not None:
                    raise _mistake(text, start, "a second noise item; one is the most")
                noise = Noise(size, NOISE_KINDS[kind])
                continue
            for _ in range(count if kind == "cat" else size):
                name = f"c{len(codes) + 1}"
                if kind == "cat":
                    codes.append(Categorical(name, num_classes=size))
                elif kind == "bernoulli":
                    codes.append(Bernoulli(name))
                else:
                    codes.append(KINDS[kind](name, fixed_stddev=posterior_stddev or None))
        if not codes:
            raise _mistake(text, len(text) + 1, "no code; add one, as in noise:62,cat:10")
        return cls(noise or Noise(0), tuple(codes), text, posterior_stddev or None)

    @property
    def width(self) -> int:
        """Columns of the latents: noise and all codes."""
        return self.noise.size + sum(code.width for code in self.codes)

    @property
    def num_parameters(self) -> int:
        """The number of outputs of the Q head."""
        return sum(code.num_parameters for code in self.codes)

    def with_probabilities(self, probabilities: Mapping[str, np.ndarray]) -> "LatentLayout":
        """The same layout, with other class frequencies [num_classes] for the categorical codes named."""
        codes = tuple(
            dataclasses.replace(code, probabilities=tuple(map(float, probabilities[code.name])))
            if code.name in probabilities
            else code
            for code in self.codes
        )
        return dataclasses.replace(self, codes=codes)

    @property
    def entropy(self) -> dict[str, float]:
        """H(c) by code name, in nats."""
        return {code.name: code.entropy for code in self.codes}

    @property
    def first_categorical(self) -> Categorical | None:
        """The code that is read as a classifier (the paper's c1), or None."""
        return next((code for code in self.codes if isinstance(code, Categorical)), None)

    def __getitem__(self, name: str) -> Code:
        return next(code for code in self.codes if code.name == name)

    def sample_parts(self, count: tf.Tensor | int, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Draws noise [count, noise.size] and values [count] of every code from the prior.

        Args:
            count: how many.
            seed: int32 [2]; the same seed gives the same draw (with XLA on, another draw than with XLA off).
        """
        values = {code.name: code.sample(count, fold_in(seed, i)) for i, code in enumerate(self.codes, 1)}
        return self.noise.sample(count, fold_in(seed, 0)), values

    def sample(self, count: tf.Tensor | int, seed: tf.Tensor) -> tf.Tensor:
        """Draws latents from the prior, float32 [count, width]; `seed` as in `sample_parts`."""
        return self.join(*self.sample_parts(count, seed))

    def join(self, noise: tf.Tensor, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Makes latents, float32 [B, width], of noise [B, noise.size] and the values [B] of every code."""
        blocks = [code.to_block(values[code.name]) for code in self.codes]
        return tf.concat([tf.cast(noise, tf.float32), *blocks], axis=-1)

    def split(self, latents: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Divides latents [B, width] into noise [B, noise.size] and each code's block [B, code.width]."""
        widths = [self.noise.size, *(code.width for code in self.codes)]
        noise, *blocks = tf.split(latents, widths, axis=-1)
        return noise, self._by_name(blocks)

    def split_parameters(self, parameters: tf.Tensor) -> dict[str, tf.Tensor]:
        """Divides the Q head's output [B, num_parameters] into each code's parameters."""
        widths = [code.num_parameters for code in self.codes]
        return self._by_name(tf.split(parameters, widths, axis=-1))

    def log_prob(self, parameters: tf.Tensor, latents: tf.Tensor) -> dict[str, tf.Tensor]:
        """log Q(c|x) by code name, [B] each, in nats.

        Args:
            parameters: the Q head's output for the images that `latents` gave, [B, num_parameters].
            latents: the generator's input, [B, width].
        """
        blocks = self.split(latents)[1]
        parts = self.split_parameters(tf.cast(parameters, tf.float32))
        return {code.name: code.log_prob(parts[code.name], blocks[code.name]) for code in self.codes}

    def mutual_info(
        self, log_probs: Mapping[str, tf.Tensor], entropies: Mapping[str, tf.Tensor] | None = None
    ) -> dict[str, tf.Tensor]:
        """L_I by code name, a scalar each, in nats.

        Args:
            log_probs: log Q(c|x) as `log_prob` gives it.
            entropies: H(c) by code name, where it is not the layout's.
        """
        entropies = {**self.entropy, **(entropies or {})}
        return {code.name: mutual_info_bound(log_probs[code.name], entropies[code.name]) for code in self.codes}

    def posterior(self, parameters: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """Q(c|x) by code name: probabilities [B, K], probability [B], or mean and stddev [B]."""
        parts = self.split_parameters(tf.cast(parameters, tf.float32))
        return {code.name: code.posterior(parts[code.name]) for code in self.codes}

    def _by_name(self, parts):
        return {code.name: part for code, part in zip(self.codes, parts, strict=True)}


def _parse_item(item: str, start: int, text: str) -> tuple[str, int, int]:
    """Reads `kind:size` or `kind:sizexcount`, which stands at position `start` (from 1) of `text`."""
    kinds = [*NOISE_KINDS, *KINDS]
    match = _ITEM.match(item)
    if match is None:
        word = item.split(":")[0]
        if word in kinds:
            raise _mistake(text, start + len(word), f"expected ':' and a size after {word!r}")
        raise _mistake(text, start, f"expected KIND:SIZE, KIND one of {', '.join(kinds)}")
    kind, size, count = match["kind"], int(match["size"]), int(match["count"] or 1)
    if kind not in kinds:
        raise _mistake(text, start, f"unknown kind {kind!r}; expected one of {', '.join(kinds)}")
    if match.end() != len(item):
        raise _mistake(text, start + match.end(), "expected ',' or the end")
    if match["count"] and kind != "cat":
        raise _mistake(text, start + match.start("count") - 1, "'x' belongs to cat alone")
    least = 2 if kind == "cat" else 0 if kind in NOISE_KINDS else 1
    if not least <= size <= MAX_SIZE:
        raise _mistake(text, start + match.start("size"), f"a size of {least} to {MAX_SIZE:,} is expected")
    if not 1 <= count <= MAX_SIZE // size:
        raise _mistake(text, start + match.start("count"), "the count is out of range")
    return kind, size, count


def _mistake(text: str, position: int, what: str) -> UserError:
    return UserError(f"--latents: {what}, at position {position}. Received: {text!r}")
