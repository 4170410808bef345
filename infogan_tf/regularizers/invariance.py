"""Information from real images: discrete codes that survive small transformations."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from infogan_tf.latents import LatentLayout
from infogan_tf.layers import batch_statistics
from infogan_tf.regularizers.base import Regularizer
from infogan_tf.transformations import Transformations


@keras.saving.register_keras_serializable(package="infogan_tf")
class Invariance(Regularizer):
    """Q is sure of every real image's classes, takes none more often than the prior, and sees them after changes.

    The mutual information between images and code of Krause et al. 2010 (regularised information maximisation) with
    the self-augmentation of Hu et al. 2017 (IMSAT, arXiv:1702.08720), for the Q of an InfoGAN; the formula is that of
    `real_information_loss`, summed over the discrete codes. The images that Q sees are those that D sees, and their
    transformed copies.

    Args:
        weight: of the sum.
        transformations: what leaves a class unchanged, as `Transformations.parse` takes it.
        entropy_weight: of the conditional entropy.
        marginal_weight: of the distance between the classes' frequencies and the prior.
    """

    def __init__(
        self,
        weight: float,
        transformations: str,
        entropy_weight: float = 0.1,
        marginal_weight: float = 0.4,
        **kwargs,
    ):
        super().__init__(weight, **kwargs)
        self.text = transformations
        self.transformations = Transformations.parse(transformations)
        self.entropy_weight = entropy_weight
        self.marginal_weight = marginal_weight

    def d_term(self, model, batch):  # noqa: D102
        changed = model.trunk(self.transformations(batch.real_images, batch.seed), training=True)
        with batch_statistics(parts=2):
            parameters = model.q_head(tf.concat([batch.real_features, changed], axis=0), training=True)
        log_priors = {code.name: model.log_prior(code) for code in model.layout.codes if code.discrete}
        return real_information_loss(
            model.layout, *tf.split(parameters, 2), log_priors, self.entropy_weight, self.marginal_weight
        )

    def get_config(self):  # noqa: D102
        own = {"entropy_weight": self.entropy_weight, "marginal_weight": self.marginal_weight}
        return {**super().get_config(), "transformations": self.text, **own}


def real_information_loss(
    layout: LatentLayout,
    parameters: tf.Tensor,
    changed: tf.Tensor,
    log_priors: Mapping[str, tf.Tensor],
    entropy_weight: float,
    marginal_weight: float,
) -> tf.Tensor:
    """Of real images x and transformed copies Tx, summed over the discrete codes, a scalar in nats:

        E[KL(Q(c|x) || Q(c|Tx))] + entropy_weight E[H(Q(c|x))] + marginal_weight KL(E[Q(c|x)] || p(c))

    The last expectation is taken over the batch.

    Args:
        layout: of the codes.
        parameters: what Q says of x, [B, layout.num_parameters].
        changed: what Q says of Tx, likewise.
        log_priors: log p(c) of each discrete code's classes, [num_classes].
        entropy_weight: of the second term.
        marginal_weight: of the third term.
    """  # noqa: D415
    of_images, of_copies = layout.split_parameters(parameters), layout.split_parameters(changed)
    total = tf.constant(0.0)
    for code in layout.codes:
        if not code.discrete:
            continue
        log_q = code.log_probabilities(of_images[code.name])
        q = tf.exp(log_q)
        divergence = tf.reduce_mean(tf.reduce_sum(q * (log_q - code.log_probabilities(of_copies[code.name])), axis=-1))
        entropy = -tf.reduce_mean(tf.reduce_sum(q * log_q, axis=-1))
        marginal = tf.reduce_mean(q, axis=0)
        distance = tf.reduce_sum(tf.math.xlogy(marginal, marginal) - marginal * log_priors[code.name])
        total += divergence + entropy_weight * entropy + marginal_weight * distance
    return total
