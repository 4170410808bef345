"""The terms of InfoGAN's objective as pure functions of logits and log-probabilities.

    min_{G,Q} max_D  V(D, G) - lambda L_I(G, Q)          (Chen et al. 2016, arXiv:1606.03657, equation 6)
    V(D, G) = E_x[log D(x)] + E_{z,c}[log(1 - D(G(z, c)))]

D's head gives logits, D(x) = sigmoid(logit); log D = -softplus(-logit), log(1 - D) = -softplus(logit). The other
adversarial losses take the same number for what their papers call D's output.

To add an adversarial loss, write its two functions and name the pair in `ADVERSARIAL_LOSSES`.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf


def discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor, real_target: float = 1.0) -> tf.Tensor:
    """-V(D, G): a scalar in nats, 2 ln 2 where D cannot tell real from fake. Logits are [B, 1], float32.

    Args:
        real_logits: of D, for real images.
        fake_logits: of D, for generated ones.
        real_target: what D is to say of real images; below 1 is the one-sided label smoothing of Salimans et al. 2016
            (arXiv:1606.03498), section 3.4.
    """
    real = real_target * tf.nn.softplus(-real_logits) + (1.0 - real_target) * tf.nn.softplus(real_logits)
    return tf.reduce_mean(real) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """The non-saturating -E[log D(G(z, c))] of Goodfellow et al. 2014, section 3: a scalar in nats."""
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def hinge_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor, real_target: float = 1.0) -> tf.Tensor:
    """E[max(0, target - D(x))] + E[max(0, 1 + D(G))]: Lim & Ye 2017 (arXiv:1705.02894), equation 5."""
    return tf.reduce_mean(tf.nn.relu(real_target - real_logits)) + tf.reduce_mean(tf.nn.relu(1.0 + fake_logits))


def wasserstein_discriminator_loss(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, real_target: float = 1.0
) -> tf.Tensor:
    """E[D(G)] - target E[D(x)]: Arjovsky et al. 2017 (arXiv:1701.07875), equation 2; D has to be made smooth."""
    return tf.reduce_mean(fake_logits) - real_target * tf.reduce_mean(real_logits)


def linear_generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """-E[D(G)], the generator's part of the hinge and the Wasserstein loss."""
    return -tf.reduce_mean(fake_logits)


def least_squares_discriminator_loss(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, real_target: float = 1.0
) -> tf.Tensor:
    """(E[(D(x) - target)^2] + E[D(G)^2]) / 2: Mao et al. 2017 (arXiv:1611.04076), equation 9."""
    return 0.5 * (tf.reduce_mean(tf.square(real_logits - real_target)) + tf.reduce_mean(tf.square(fake_logits)))


def least_squares_generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """E[(D(G) - 1)^2] / 2: the same equation."""
    return 0.5 * tf.reduce_mean(tf.square(fake_logits - 1.0))


@dataclasses.dataclass(frozen=True)
class AdversarialLoss:
    """What D minimises, of the logits of real and fake images and a target; and G, of those of fake ones."""

    discriminator: Callable[[tf.Tensor, tf.Tensor, float], tf.Tensor]
    generator: Callable[[tf.Tensor], tf.Tensor]


ADVERSARIAL_LOSSES = {
    "nonsaturating": AdversarialLoss(discriminator_loss, generator_loss),
    "hinge": AdversarialLoss(hinge_discriminator_loss, linear_generator_loss),
    "least_squares": AdversarialLoss(least_squares_discriminator_loss, least_squares_generator_loss),
    "wasserstein": AdversarialLoss(wasserstein_discriminator_loss, linear_generator_loss),
}


def mutual_info_bound(log_prob: tf.Tensor, entropy: float) -> tf.Tensor:
    """L_I = E[log Q(c|x)] + H(c), a scalar in nats, of log Q(c|x) [B] and the prior's entropy H(c)."""
    return tf.reduce_mean(log_prob) + entropy
