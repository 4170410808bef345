"""Information from real images: codes that small transformations leave as they are, or that move with one of them."""

import collections
import dataclasses

import keras
import tensorflow as tf

from infogan_tf.latents.codes import Code
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.networks.layers import batch_statistics
from infogan_tf.objectives.declarations import AMOUNTS, read_invariances
from infogan_tf.objectives.term import Term
from infogan_tf.objectives.transformations import Transformations
from infogan_tf.random import fold_in
from infogan_tf.replicas import num_replicas, over_replicas

# What an epoch's metrics call the term before its weight.
INVARIANCE_TERM = "d_invariance"


@dataclasses.dataclass(frozen=True)
class Declaration:
    """What codes say of a transformed copy of an image: some the same, one that it moved with one of the changes.

    Attributes:
        codes: The codes that stay as they are.
        transformations: What the image may undergo.
        moving: The code, a continuous one, that moves with one of them, or None.
        moves_with: The one of MOVABLE with which it moves: by 1 where it has the size declared. None without one.
    """

    codes: tuple[Code, ...]
    transformations: Transformations
    moving: Code | None = None
    moves_with: str | None = None

    def divergences(self, of_images: dict, of_copies: dict, amounts: tf.Tensor) -> dict[str, tf.Tensor]:
        """KL(Q(c|x) || Q(c|Tx)) of each code that it is about, moved as declared; [B] in nats, by the code's name.

        Args:
            of_images: Q's parameters of images by code, [B, num_parameters].
            of_copies: Q's parameters of the copies.
            amounts: By how much each was changed, [B, len(AMOUNTS)].
        """
        found = {code.name: code.divergence(of_images[code.name], of_copies[code.name]) for code in self.codes}
        if self.moving:
            name, moved_by = self.moving.name, amounts[:, AMOUNTS.index(self.moves_with)]
            found[name] = self.moving.divergence(of_images[name], of_copies[name], moved_by=moved_by)
        return found


@keras.saving.register_keras_serializable(package="infogan_tf")
class Invariance(Term):
    """Q also reads real images: the same in each as in a transformed copy, surely, no class more often than its prior.

    Over real images x and copies Tx, both as D is shown images, in nats, with each T that is declared for the code,

        sum over codes declared     E[KL(Q(c|x) || Q(c|Tx))]
        sum over discrete codes     entropy_weight E[H(Q(c|x))] + marginal_weight max(0, KL(E[Q(c|x)] || p(c)) - t)

    For a class this is the regularised information maximisation of Krause et al. 2010 with the self-augmentation of Hu
    et al. 2017 (IMSAT, arXiv:1702.08720), for the Q of an InfoGAN. A continuous code that rotation and shear leave as
    it is cannot be the slant of a digit. One that is declared to move with shear is: what Q says of x, moved by the
    shear, is what it is to say of Tx. What moves a code is no matter of a class: discrete codes for which any T is
    declared are to say the same of these copies, too.

    The more entropy and distance weigh, the sooner Q finds classes, and the surer it is of its first mistakes; so they
    may weigh more in the first steps alone. Late, when most of them are right, the entropy may weigh more again: images
    between two classes then go where those like them are, which are labels to one another (self-training).

    The kinds of images in a data set are seldom equally frequent, and a class for each is to win over classes of equal
    size, in which a frequent kind is cut in two and two rare ones share a class. So t leaves the frequencies free up to
    `marginal_tolerance`, and takes off what KL of a batch's is too large in the mean (`chance_distance`).

    Args:
        weight: What the sum is multiplied by.
        invariances: Which transformations leave which codes as they are or move them, see `parse_invariances`. Each
            declaration is tried on its share of the batch, which is empty where images are fewer than they; a
            divergence of no image is 0.
        entropy_weight: Weight of the conditional entropy E[H(Q(c|x))], from 0.
        marginal_weight: Weight of the distance between the classes' frequencies in the batch and the prior, from 0.
        marginal_tolerance: How large that distance may be at no cost, in nats, from 0. An empty class of ten makes it
            0.105, one of twice its size 0.044.
        haste: How many times as large the weights of entropy and distance are in the first steps, from 1.
        haste_steps: How many steps these are, from 0.
        certainty: How many times as large the weight of the entropy is late in training, from 1.
        certainty_start: The first step of this, from 0.
    """

    NEEDS = ("q_head",)

    def __init__(
        self,
        weight: float,
        invariances: str,
        entropy_weight: float = 0.1,
        marginal_weight: float = 0.4,
        marginal_tolerance: float = 0.0,
        haste: float = 1.0,
        haste_steps: int = 0,
        certainty: float = 1.0,
        certainty_start: int = 0,
        **kwargs,
    ):
        super().__init__(weight, **kwargs)
        self.invariances = invariances
        self.entropy_weight = entropy_weight
        self.marginal_weight = marginal_weight
        self.marginal_tolerance = marginal_tolerance
        self.haste = haste
        self.haste_steps = haste_steps
        self.certainty = certainty
        self.certainty_start = certainty_start

    def prepare(self, model):  # noqa: D102
        self.declarations = parse_invariances(self.invariances, model.layout)

    def d_term(self, model, batch):  # noqa: D102
        shares = [slice(i, None, len(self.declarations)) for i in range(len(self.declarations))]
        features = [batch.real_features[share] for share in shares]
        # Changed before they are shown: of the noise that is shown a change, which clips, would take half.
        drawn = [self._changed(i, batch.real.images[share], batch.seed) for i, share in enumerate(shares)]
        amounts, copies = zip(*drawn, strict=True)
        copies = model.shown(tf.concat(copies, axis=0), fold_in(batch.seed, 99))
        # The scope records no statistics: what is read later is images as they are, not transformed ones.
        with keras.StatelessScope():
            changed = model.trunk(copies, training=True)
            with batch_statistics(parts=2):
                parameters = model.q_head(tf.concat([*features, changed], axis=0), training=True)
        of_images, of_copies = tf.split(parameters, 2)

        sizes = [tf.shape(each)[0] for each in features]
        divergences = collections.defaultdict(list)
        for declaration, one, other, amount in zip(
            self.declarations, tf.split(of_images, sizes), tf.split(of_copies, sizes), amounts, strict=True
        ):
            found = declaration.divergences(*map(model.layout.split_parameters, (one, other)), amount)
            for name, divergence in found.items():
                divergences[name].append(divergence)
        terms = [_mean_or_0(tf.concat(parts, axis=0)) for parts in divergences.values()]
        by_code = model.layout.split_parameters(of_images)
        entropy_weight, marginal_weight = self._weights(model.step)
        for code in model.layout.read_codes:
            if code.discrete:
                log_q = code.log_probabilities(by_code[code.name])
                entropy, distance = entropy_and_distance(log_q, tf.constant(code.log_prior))
                if self.marginal_tolerance:
                    count = tf.shape(log_q)[0] * num_replicas()
                    free = self.marginal_tolerance + chance_distance(count, len(code.log_prior))
                    distance = tf.nn.relu(distance - free)
                terms += [entropy_weight * entropy, marginal_weight * distance]
        return tf.reduce_sum(tf.stack(terms))  # one operation, see Information._figures

    def _weights(self, step):
        """The weights of entropy and distance in a step."""
        hurry = tf.where(step < self.haste_steps, self.haste, 1.0) if self.haste_steps else 1.0
        late = tf.where(step < self.certainty_start, 1.0, self.certainty) if self.certainty != 1.0 else 1.0
        return late * hurry * self.entropy_weight, hurry * self.marginal_weight

    def _changed(self, i, images, seed):
        """Copies of `images`, changed as declaration `i` allows, and the amounts by which they are."""
        transformations = self.declarations[i].transformations
        amounts = transformations.amounts(tf.shape(images)[0], fold_in(seed, 100 + 2 * i))
        return amounts, transformations(images, amounts, fold_in(seed, 101 + 2 * i))

    def get_config(self):  # noqa: D102
        own = (
            "invariances", "entropy_weight", "marginal_weight", "marginal_tolerance",
            "haste", "haste_steps", "certainty", "certainty_start",
        )  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def _mean_or_0(values):
    """The mean of values [B], 0 where there is none."""
    return tf.where(tf.size(values) > 0, tf.reduce_mean(values), 0.0)


def entropy_and_distance(log_q: tf.Tensor, log_prior: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """E[H(Q(c|x))] and KL(E[Q(c|x)] || p(c)), scalars in nats, of log Q(c|x) [B, K] and log p(c) [K].

    The frequencies E[Q(c|x)] are those over all replicas.
    """
    q = tf.exp(log_q)
    (marginal,) = over_replicas(tf.reduce_mean(q, axis=0))
    distance = tf.reduce_sum(tf.math.xlogy(marginal, marginal) - marginal * log_prior)
    return -tf.reduce_mean(tf.reduce_sum(q * log_q, axis=-1)), distance


def chance_distance(count: tf.Tensor | int, num_classes: int) -> tf.Tensor:
    """The mean KL in nats, a scalar, of the frequencies in `count` images from those that the images were drawn by.

    It is (K - 1) / 2N of N images of K classes, to first order (Miller 1955, whose bias of an entropy it is), where
    each is of one class for sure; where Q is in doubt it is less.
    """
    return (num_classes - 1) / (2.0 * tf.cast(count, tf.float32))


def parse_invariances(text: str, layout: LatentLayout) -> list[Declaration]:
    """Reads which transformations leave which codes of `layout` as they are, and which move them.

    The text is as `declarations.read_invariances` has it, which also says what is raised.
    """
    codes = layout.read_codes
    discrete, continuous = ([code.name for code in codes if code.discrete is kind] for kind in (True, False))
    items = read_invariances(text, discrete, continuous)
    classes = tuple(layout[name] for name in discrete if any(name in item.codes for item in items))
    return [
        Declaration(classes, Transformations(**item.sizes), layout[item.codes[0]], item.moves_with)
        if item.moves_with
        else Declaration(tuple(layout[name] for name in item.codes), Transformations(**item.sizes))
        for item in items
    ]
