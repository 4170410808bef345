"""How the generator's input is divided into noise and codes, and the language that describes it.

A `LatentLayout` samples the latents [z, c], splits them, and for every code gives log Q(c|x), the prior's entropy H(c)
and the bound of Chen et al. 2016 (arXiv:1606.03657), equation 5:

    L_I(G, Q) = E_{c ~ p(c), x ~ G(z, c)}[log Q(c|x)] + H(c)  <=  I(c; G(z, c))

All figures are in nats.
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from infogan_tf.latents.codes import KINDS, Caption, Categorical, Class, Code, Continuous, Noise
from infogan_tf.latents.language import read_latents
from infogan_tf.random import fold_in


@dataclasses.dataclass(frozen=True)
class LatentLayout:
    """How the latents [z, c] are divided into noise and codes; `parse` reads the layout language, kept as `text`.

    `classes` are those that a model reads from images without being given them.
    """

    noise: Noise
    codes: tuple[Code, ...]
    classes: tuple[Class, ...]
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
            label:10          the label of a real image, one of 10 classes, for a model that is told it
            class:10          the class of an image, one of 10, that a model reads and its generator is not given
            caption:sprites   the caption of a real image, in the words of one of `captions.GRAMMARS`, likewise told

        Codes are named c1, c2, ... in the order in which they stand; a caption is named caption.

        Args:
            text: The items.
            posterior_stddev: The fixed standard deviation of continuous posteriors, above 0; None or 0 learns it.

        Raises:
            UserError: Where the text is not a layout; it names the position of the mistake.
            ValueError: For a standard deviation below 0, or not finite.
        """
        if not isinstance(text, str):
            raise ValueError(f"text: expected a layout such as 'noise:62,cat:10,uniform:2'. Received: {text!r}")
        if posterior_stddev and not 0 < posterior_stddev < math.inf:
            raise ValueError(f"posterior_stddev: expected a number above 0, or None. Received: {posterior_stddev!r}")
        described, codes = read_latents(text), []
        for name, (kind, num_classes) in described.all_codes.items():
            if issubclass(KINDS[kind], Categorical):
                codes.append(KINDS[kind](name, num_classes=num_classes))
            elif KINDS[kind] is Caption:
                codes.append(Caption(name, described.grammar))
            elif issubclass(KINDS[kind], Continuous):
                codes.append(KINDS[kind](name, fixed_stddev=posterior_stddev or None))
            else:
                codes.append(KINDS[kind](name))
        drawn, classes = (tuple(code for code in codes if isinstance(code, Class) is kind) for kind in (False, True))
        return cls(Noise(described.noise, described.distribution), drawn, classes, text, posterior_stddev or None)

    @property
    def width(self) -> int:
        """Columns of the latents: noise and all codes."""
        return self.noise.size + sum(code.width for code in self.codes)

    @property
    def num_parameters(self) -> int:
        """The number of outputs of the Q head."""
        return sum(code.num_parameters for code in self.read_codes)

    @property
    def read_codes(self) -> tuple[Code, ...]:
        """The codes that have a posterior: all but one that is told, and the classes."""
        return (*(code for code in self.codes if code.has_posterior), *self.classes)

    @property
    def told(self) -> Code | None:
        """The code that a model is told of real images, a label or a caption; None without one."""
        return next((code for code in self.codes if not code.has_posterior), None)

    @property
    def entropy(self) -> dict[str, float]:
        """H(c) by code name, in nats."""
        return {code.name: code.entropy for code in self.codes}

    @property
    def first_categorical(self) -> Categorical | None:
        """The first code that is a choice among classes, or a label; None where there is none."""
        return next((code for code in self.codes if isinstance(code, Categorical)), None)

    @property
    def classifier(self) -> Categorical | None:
        """The code that is read as a classifier (the paper's c1), or None."""
        return next((code for code in self.read_codes if isinstance(code, Categorical)), None)

    def __getitem__(self, name: str) -> Code:
        for code in (*self.codes, *self.classes):
            if code.name == name:
                return code
        raise KeyError(f"expected one of {', '.join(self.entropy) or 'no codes'}. Received: {name!r}")

    def sample_parts(self, count: tf.Tensor | int, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Draws noise [count, noise.size] and values [count] of every code from the prior.

        Args:
            count: How many draws, from 0.
            seed: An integer, or a stateless seed, int32 [2], of which n is (n, 0): the same seed gives the same draws,
                though others with XLA than without.

        Raises:
            ValueError: For a seed that is neither, or fewer draws than none.
        """
        if isinstance(count, int) and count < 0:
            raise ValueError(f"count: expected 0 or more. Received: {count}")
        values = {code.name: code.sample(count, fold_in(seed, i)) for i, code in enumerate(self.codes, 1)}
        return self.noise.sample(count, fold_in(seed, 0)), values

    def sample(self, count: tf.Tensor | int, seed: tf.Tensor) -> tf.Tensor:
        """Draws latents from the prior, float32 [count, width]; `seed` as in `sample_parts`."""
        return self.join(*self.sample_parts(count, seed))

    def join(self, noise: tf.Tensor, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Makes latents, float32 [B, width], of noise [B, noise.size] and the values [B] of every code.

        Raises:
            ValueError: Where a code has no values, or noise another width.
        """
        missing = [code.name for code in self.codes if code.name not in values]
        if missing:
            raise ValueError(f"values: expected those of {', '.join(self.entropy)}. Received: none of {missing[0]}")
        _check_width("noise", noise, self.noise.size)
        blocks = [code.to_block(values[code.name]) for code in self.codes]
        return tf.concat([tf.cast(noise, tf.float32), *blocks], axis=-1)

    def split(self, latents: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Divides latents [B, width] into noise [B, noise.size] and each code's block [B, code.width].

        Raises:
            ValueError: For latents of another width.
        """
        _check_width("latents", latents, self.width)
        widths = [self.noise.size, *(code.width for code in self.codes)]
        noise, *blocks = tf.split(latents, widths, axis=-1)
        return noise, {code.name: block for code, block in zip(self.codes, blocks, strict=True)}

    def split_parameters(self, parameters: tf.Tensor) -> dict[str, tf.Tensor]:
        """Divides the Q head's output [B, num_parameters] into each code's parameters.

        Raises:
            ValueError: For an output of another width.
        """
        _check_width("parameters", parameters, self.num_parameters)
        codes = self.read_codes
        parts = tf.split(parameters, [code.num_parameters for code in codes], axis=-1)
        return {code.name: part for code, part in zip(codes, parts, strict=True)}

    def log_prob(self, parameters: tf.Tensor, latents: tf.Tensor) -> dict[str, tf.Tensor]:
        """log Q(c|x) by code name, [B] each, in nats, of the codes that images are drawn from.

        Args:
            parameters: The Q head's output for the images that `latents` gave, [B, num_parameters].
            latents: The generator's input, [B, width].
        """
        blocks = self.split(latents)[1]
        parts = self.split_parameters(tf.cast(parameters, tf.float32))
        return {name: self[name].log_prob(part, blocks[name]) for name, part in parts.items() if name in blocks}

    def mutual_info(self, log_probs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """L_I by code name, a scalar each, in nats, of log Q(c|x) as `log_prob` gives it."""
        return {name: mutual_info_bound(log_prob, self[name].entropy) for name, log_prob in log_probs.items()}

    def posterior(self, parameters: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """Q(c|x) by code name: probabilities [B, K], probability [B], or mean and stddev [B]."""
        parts = self.split_parameters(tf.cast(parameters, tf.float32))
        return {name: self[name].posterior(part) for name, part in parts.items()}


def _check_width(name, rows, width):
    """Raises a ValueError for rows that cannot be [B, width], as far as their shape is known."""
    shape = tf.TensorShape(rows.shape if hasattr(rows, "shape") else np.shape(rows))
    if not shape.is_compatible_with([None, width]):
        raise ValueError(f"{name}: expected shape [B, {width}]. Received: shape {list(shape)}")


def mutual_info_bound(log_prob: tf.Tensor, entropy: float) -> tf.Tensor:
    """L_I = E[log Q(c|x)] + H(c), a scalar in nats, of log Q(c|x) [B] and the prior's entropy H(c)."""
    return tf.reduce_mean(log_prob) + entropy
