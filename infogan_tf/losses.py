"""The terms of InfoGAN's objective as pure functions of logits and log-probabilities.

    min_{G,Q} max_D  V(D, G) - lambda L_I(G, Q)          (Chen et al. 2016, arXiv:1606.03657, equation 6)
    V(D, G) = E_x[log D(x)] + E_{z,c}[log(1 - D(G(z, c)))]

D's head gives logits, D(x) = sigmoid(logit); log D = -softplus(-logit), log(1 - D) = -softplus(logit).
"""

import tensorflow as tf


def discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """-V(D, G): a scalar in nats, 2 ln 2 where D cannot tell real from fake. Logits are [B, 1], float32."""
    return tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """The non-saturating -E[log D(G(z, c))] of Goodfellow et al. 2014, section 3: a scalar in nats."""
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def mutual_info_bound(log_prob: tf.Tensor, entropy: float) -> tf.Tensor:
    """L_I = E[log Q(c|x)] + H(c), a scalar in nats, of log Q(c|x) [B] and the prior's entropy H(c)."""
    return tf.reduce_mean(log_prob) + entropy
