"""The known classes of a few real images, told to Q."""

import keras
import tensorflow as tf

from infogan_tf.objectives.invariance import parse_invariances
from infogan_tf.objectives.term import Term
from infogan_tf.objectives.transformations import Transformations
from infogan_tf.random import fold_in


@keras.saving.register_keras_serializable(package="infogan_tf")
class Supervision(Term):
    """-E[log Q(c = y|Tx)] over real images x with a known label y: the first code of classes is to be the label.

    T changes an image as its class allows, so that few of them are not learnt by heart; Tx is shown as D is shown
    images. With the classes of an InfoGAN tied to labels by a few images, L_I and `Invariance` do the rest. A step is
    given such images beside the others, see `GAN.real_of`.

    Args:
        labelled: How many images have a known label, from 1.
        weight: What the mean is multiplied by.
        invariances: Which transformations leave a class as it is, see `parse_invariances`: the first for the code, none
            where nothing is declared for it.
    """

    NEEDS = ("q_head",)

    def __init__(self, labelled: int, weight: float, invariances: str, **kwargs):
        super().__init__(weight, **kwargs)
        self.labelled = labelled
        self.invariances = invariances

    def prepare(self, model):  # noqa: D102
        self.code = model.layout.classifier
        declared = parse_invariances(self.invariances, model.layout)
        of_class = (each.transformations for each in declared if self.code in each.codes)
        self.transformations = next(of_class, Transformations())

    def d_term(self, model, batch):  # noqa: D102
        images, labels = batch.real.expect_labelled()
        amounts = self.transformations.amounts(tf.shape(images)[0], fold_in(batch.seed, 7))
        changed = self.transformations(images, amounts, fold_in(batch.seed, 8))
        shown = model.shown(changed, fold_in(batch.seed, 14))
        # The scope records no statistics, as in Invariance.
        with keras.StatelessScope():
            parameters = model.q_head(model.trunk(shown, training=True), training=True)
        log_q = self.code.log_probabilities(model.layout.split_parameters(parameters)[self.code.name])
        return -tf.reduce_mean(tf.gather(log_q, labels, batch_dims=1))

    def get_config(self):  # noqa: D102
        return {**super().get_config(), "labelled": self.labelled, "invariances": self.invariances}
