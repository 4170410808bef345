"""Information from real images: codes that small transformations leave as they are, or that move with one of them."""

import dataclasses
import re

import keras
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.latents import Code, Continuous, LatentLayout, fold_in
from infogan_tf.layers import batch_statistics
from infogan_tf.regularizers.base import Regularizer
from infogan_tf.transformations import AMOUNTS, FLIP, Transformations

# What an epoch's metrics call the term before its weight.
INVARIANCE_TERM = "d_invariance"
_ITEM = re.compile(r"(?:(?P<code>\w*)\s*(?P<sign>[=~]))?(?P<transformations>.*)")


@dataclasses.dataclass(frozen=True)
class Declaration:
    """That some codes say the same of an image and of its transformed copy; or move with one of the changes.

    Attributes:
        codes: that it is about.
        transformations: that the image may undergo.
        moves_with: the one of AMOUNTS with which the codes, continuous ones, move: by 1 where it has the size declared.
            None where they stay as they are.
    """

    codes: tuple[Code, ...]
    transformations: Transformations
    moves_with: str | None = None

    def divergence(self, of_images: dict, of_copies: dict, amounts: tf.Tensor) -> tf.Tensor:
        """The sum over the codes of E[KL(Q(c|x) || Q(c|Tx))], the first moved as declared; a scalar in nats.

        Args:
            of_images: Q's parameters [B, num_parameters] by code.
            of_copies: the same of the copies.
            amounts: by which they were changed, [B, len(AMOUNTS)].
        """
        moved = {"moved_by": amounts[:, AMOUNTS.index(self.moves_with)]} if self.moves_with else {}
        kl = [code.divergence(of_images[code.name], of_copies[code.name], **moved) for code in self.codes]
        return sum(map(tf.reduce_mean, kl))


@keras.saving.register_keras_serializable(package="infogan_tf")
class Invariance(Regularizer):
    """Q also reads real images: the same in each as in a transformed copy, surely, no class more often than its prior.

    Over real images x and their copies Tx, in nats, with T as it is declared for each code,

        sum over codes declared     E[KL(Q(c|x) || Q(c|Tx))]
        sum over discrete codes     entropy_weight E[H(Q(c|x))] + marginal_weight KL(E[Q(c|x)] || p(c))

    For a class this is the regularised information maximisation of Krause et al. 2010 with the self-augmentation of Hu
    et al. 2017 (IMSAT, arXiv:1702.08720), for the Q of an InfoGAN. A continuous code that rotation and shear leave as
    it is cannot be the slant of a digit. One that is declared to move with shear is: what Q says of x, moved by the
    shear, is what it is to say of Tx.

    Args:
        weight: of the sum.
        declared: which transformations leave which codes as they are or move them, see `parse_invariances`. Each
            declaration is tried on its share of the batch.
        entropy_weight: of the conditional entropy.
        marginal_weight: of the distance between the classes' frequencies in the batch and the prior.
    """

    def __init__(
        self, weight: float, declared: str, entropy_weight: float = 0.1, marginal_weight: float = 0.4, **kwargs
    ):
        super().__init__(weight, **kwargs)
        self.supports_jit = False  # TensorFlow's affine transformation of images has no XLA kernel
        self.declared = declared
        self.entropy_weight = entropy_weight
        self.marginal_weight = marginal_weight

    def prepare(self, model):  # noqa: D102
        self.declarations = parse_invariances(self.declared, model.layout)

    def d_term(self, model, batch):  # noqa: D102
        shares = [slice(i, None, len(self.declarations)) for i in range(len(self.declarations))]
        features = [batch.real_features[share] for share in shares]
        drawn = [self._changed(i, batch.real_images[share], batch.seed) for i, share in enumerate(shares)]
        amounts, copies = zip(*drawn, strict=True)
        # The scope records no statistics: what is read later is images as they are, not transformed ones.
        with keras.StatelessScope():
            changed = model.trunk(tf.concat(copies, axis=0), training=True)
            with batch_statistics(parts=2):
                parameters = model.q_head(tf.concat([*features, changed], axis=0), training=True)
        of_images, of_copies = tf.split(parameters, 2)

        sizes = [tf.shape(each)[0] for each in features]
        terms = []
        for declaration, one, other, amount in zip(
            self.declarations, tf.split(of_images, sizes), tf.split(of_copies, sizes), amounts, strict=True
        ):
            terms.append(declaration.divergence(*map(model.layout.split_parameters, (one, other)), amount))
        by_code = model.layout.split_parameters(of_images)
        for code in model.layout.codes:
            if code.discrete:
                log_q = code.log_probabilities(by_code[code.name])
                entropy, distance = entropy_and_distance(log_q, model.log_prior(code))
                terms += [self.entropy_weight * entropy, self.marginal_weight * distance]
        return tf.reduce_sum(tf.stack(terms))  # one operation, see InfoGAN._information_figures

    def _changed(self, i, images, seed):
        """Copies of `images`, changed as declaration `i` allows, and the amounts by which they are."""
        transformations = self.declarations[i].transformations
        amounts = transformations.amounts(tf.shape(images)[0], fold_in(seed, 100 + 2 * i))
        return amounts, transformations(images, amounts, fold_in(seed, 101 + 2 * i))

    def get_config(self):  # noqa: D102
        own = {name: getattr(self, name) for name in ("declared", "entropy_weight", "marginal_weight")}
        return {**super().get_config(), **own}


def entropy_and_distance(log_q: tf.Tensor, log_prior: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """E[H(Q(c|x))] and KL(E[Q(c|x)] || p(c)), scalars in nats, of log Q(c|x) [B, K] and log p(c) [K]."""
    q = tf.exp(log_q)
    marginal = tf.reduce_mean(q, axis=0)
    distance = tf.reduce_sum(tf.math.xlogy(marginal, marginal) - marginal * log_prior)
    return -tf.reduce_mean(tf.reduce_sum(q * log_q, axis=-1)), distance


def parse_invariances(text: str, layout: LatentLayout) -> list[Declaration]:
    """Reads which transformations leave which codes of `layout` as they are, and which move them.

    The items, separated by semicolons; transformations are those of `Transformations.parse`:

        rotate:10,shift:0.1         all discrete codes stay as they are
        c3=rotate:10,shear:0.2      c3 knows neither of rotation nor of shear
        c2~shear:0.4,shift:0.1      c2, a continuous code, moves by 1 with a shear of 0.4, and knows nothing of the rest

    Raises:
        UserError: where the text is something else, or names no code of the layout.
    """
    return [_parse_item(item.strip(), text, layout) for item in text.split(";")]


def _parse_item(item, text, layout):
    name, sign, described = _ITEM.fullmatch(item).groups()
    if sign and name not in layout.entropy:
        names = ", ".join(layout.entropy)
        raise UserError(f"--invariances: expected CODE{sign}... with a code of {names}. Received: {name!r} in {text!r}")
    codes = (layout[name],) if sign else tuple(code for code in layout.codes if code.discrete)
    transformations = Transformations.parse(described)
    if not transformations:
        raise UserError(f"--invariances: expected transformations as in rotate:10. Received: {item!r} in {text!r}")
    if not codes:
        raise UserError(f"--invariances: expected CODE=..., as no code is discrete. Received: {item!r} in {text!r}")
    if sign != "~":
        return Declaration(codes, transformations)
    moves_with = described.partition(":")[0].strip()
    if not isinstance(codes[0], Continuous) or moves_with not in AMOUNTS or moves_with == FLIP:
        movable = ", ".join(name for name in AMOUNTS if name != FLIP)
        raise UserError(
            f"--invariances: expected CODE~... with a continuous code and, first, one of {movable}. "
            f"Received: {item!r} in {text!r}"
        )
    return Declaration(codes, transformations, moves_with)
