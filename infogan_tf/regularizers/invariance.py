"""Information from real images: codes that small transformations leave as they are."""

import keras
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.latents import Code, LatentLayout, fold_in
from infogan_tf.layers import batch_statistics
from infogan_tf.regularizers.base import Regularizer
from infogan_tf.transformations import Transformations


@keras.saving.register_keras_serializable(package="infogan_tf")
class Invariance(Regularizer):
    """Q also reads real images: the same in each as in a transformed copy, surely, no class more often than its prior.

    Over real images x and their copies Tx, in nats, with T as it is declared for each code,

        sum over codes declared     E[KL(Q(c|x) || Q(c|Tx))]
        sum over discrete codes     entropy_weight E[H(Q(c|x))] + marginal_weight KL(E[Q(c|x)] || p(c))

    For a class this is the regularised information maximisation of Krause et al. 2010 with the self-augmentation of Hu
    et al. 2017 (IMSAT, arXiv:1702.08720), for the Q of an InfoGAN. A continuous code that rotation and shear leave as
    it is cannot be the slant of a digit; the other one will be.

    Args:
        weight: of the sum.
        declared: which transformations leave which codes as they are, see `parse_invariances`. Each set of
            transformations is tried on its share of the batch.
        entropy_weight: of the conditional entropy.
        marginal_weight: of the distance between the classes' frequencies in the batch and the prior.
    """

    def __init__(
        self, weight: float, declared: str, entropy_weight: float = 0.1, marginal_weight: float = 0.4, **kwargs
    ):
        super().__init__(weight, **kwargs)
        self.declared = declared
        self.entropy_weight = entropy_weight
        self.marginal_weight = marginal_weight

    def prepare(self, model):  # noqa: D102
        self.sets = parse_invariances(self.declared, model.layout)

    def d_term(self, model, batch):  # noqa: D102
        shares = [slice(i, None, len(self.sets)) for i in range(len(self.sets))]
        features = [batch.real_features[share] for share in shares]
        copies = [
            transformations(batch.real_images[share], fold_in(batch.seed, 100 + i))
            for i, (share, (_, transformations)) in enumerate(zip(shares, self.sets, strict=True))
        ]
        changed = model.trunk(tf.concat(copies, axis=0), training=True)
        with batch_statistics(parts=2):
            parameters = model.q_head(tf.concat([*features, changed], axis=0), training=True)
        of_images, of_copies = (model.layout.split_parameters(part) for part in tf.split(parameters, 2))

        total, start = tf.constant(0.0), 0
        for (codes, _), share in zip(self.sets, features, strict=True):
            rows = slice(start, start + tf.shape(share)[0])
            start = rows.stop
            for code in codes:
                total += tf.reduce_mean(code.divergence(of_images[code.name][rows], of_copies[code.name][rows]))
        for code in model.layout.codes:
            if code.discrete:
                log_q = code.log_probabilities(of_images[code.name])
                entropy, distance = entropy_and_distance(log_q, model.log_prior(code))
                total += self.entropy_weight * entropy + self.marginal_weight * distance
        return total

    def get_config(self):  # noqa: D102
        own = {name: getattr(self, name) for name in ("declared", "entropy_weight", "marginal_weight")}
        return {**super().get_config(), **own}


def entropy_and_distance(log_q: tf.Tensor, log_prior: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """E[H(Q(c|x))] and KL(E[Q(c|x)] || p(c)), scalars in nats, of log Q(c|x) [B, K] and log p(c) [K]."""
    q = tf.exp(log_q)
    marginal = tf.reduce_mean(q, axis=0)
    distance = tf.reduce_sum(tf.math.xlogy(marginal, marginal) - marginal * log_prior)
    return -tf.reduce_mean(tf.reduce_sum(q * log_q, axis=-1)), distance


def parse_invariances(text: str, layout: LatentLayout) -> list[tuple[tuple[Code, ...], Transformations]]:
    """Reads which transformations leave which codes of `layout` as they are.

    `rotate:10,shift:0.1` is for all discrete codes; `rotate:10,shift:0.1;c3=rotate:10,shear:0.2` says of c3 besides
    that it knows neither of rotation nor of shear. Sets are separated by semicolons; transformations are those of
    `Transformations.parse`.

    Raises:
        UserError: where the text is something else, or names no code of the layout.
    """
    sets = []
    for item in text.split(";"):
        name, equals, transformations = item.strip().rpartition("=")
        if equals and name not in layout.entropy:
            names = ", ".join(layout.entropy)
            raise UserError(f"--invariances: expected CODE=... with a code of {names}. Received: {name!r} in {text!r}")
        codes = (layout[name],) if equals else tuple(code for code in layout.codes if code.discrete)
        parsed = Transformations.parse(transformations)
        if not parsed:
            raise UserError(f"--invariances: expected transformations as in rotate:10. Received: {item!r} in {text!r}")
        if not codes:
            raise UserError(f"--invariances: expected CODE=..., as no code is discrete. Received: {item!r} in {text!r}")
        sets.append((codes, parsed))
    return sets
