"""What D and G minimise, as pure functions of D's logits.

    min_{G,Q} max_D  V(D, G) - lambda L_I(G, Q)          (Chen et al. 2016, arXiv:1606.03657, equation 6)
    V(D, G) = E_x[log D(x)] + E_{z,c}[log(1 - D(G(z, c)))]

D's head gives logits, D(x) = sigmoid(logit); log D = -softplus(-logit), log(1 - D) = -softplus(logit). The other
adversarial losses take the same number for what their papers call D's output.

To add an adversarial loss, write its two functions, <name>_discriminator_loss and another, name the pair in
`ADVERSARIAL_LOSSES`, and its name among the choices of --adversarial_loss.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping

import tensorflow as tf


def nonsaturating_discriminator_loss(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, real_target: float = 1.0
) -> tf.Tensor:
    """-V(D, G): a scalar in nats, 2 ln 2 where D cannot tell real from fake. Logits are [B, 1], float32.

    Args:
        real_logits: D's logits of real images.
        fake_logits: D's logits of generated images.
        real_target: What D is to say of real images, in (0, 1]; below 1 is the one-sided label smoothing of Salimans
            et al. 2016 (arXiv:1606.03498), section 3.4.
    """
    real = real_target * tf.nn.softplus(-real_logits) + (1.0 - real_target) * tf.nn.softplus(real_logits)
    return tf.reduce_mean(real) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def nonsaturating_generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """The non-saturating -E[log D(G(z, c))] of Goodfellow et al. 2014, section 3: a scalar in nats."""
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def minimax_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor, real_target: float = 1.0) -> tf.Tensor:
    """-V(D, G): the same as `nonsaturating_discriminator_loss`; the two differ in what G minimises."""
    return nonsaturating_discriminator_loss(real_logits, fake_logits, real_target)


def minimax_generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """E[log(1 - D(G(z, c)))], G's part of V(D, G) itself (Goodfellow et al. 2014, equation 1): a scalar in nats.

    It saturates: its gradient by a logit, -D(G), vanishes where D is sure that an image is generated.
    """
    return -tf.reduce_mean(tf.nn.softplus(fake_logits))


def hinge_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G))]: Lim & Ye 2017 (arXiv:1705.02894), equation 5."""
    return tf.reduce_mean(tf.nn.relu(1.0 - real_logits)) + tf.reduce_mean(tf.nn.relu(1.0 + fake_logits))


def wasserstein_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """E[D(G)] - E[D(x)]: Arjovsky et al. 2017 (arXiv:1701.07875), equation 2; D has to be made smooth."""
    return tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)


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


def relativistic_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """E[softplus(-(D(x) - D(G)))] over pairs of a real and a generated image: Huang et al. 2024 (arXiv:2501.05441).

    Their R3GAN has it with penalties on D's gradient at real and at generated images, R1 and R2.
    """
    return tf.reduce_mean(tf.nn.softplus(fake_logits - real_logits))


def relativistic_generator_loss(fake_logits: tf.Tensor, real_logits: tf.Tensor) -> tf.Tensor:
    """E[softplus(-(D(G) - D(x)))]: the generator's part of the same."""
    return tf.reduce_mean(tf.nn.softplus(real_logits - fake_logits))


@dataclasses.dataclass(frozen=True)
class AdversarialLoss:
    """What the players minimise, and what D's output then is.

    Attributes:
        discriminator: What D minimises, of the logits of real and of fake images; one that has a `real_target` knows
            label smoothing.
        generator: What G minimises, of the logits of fake images; and of `real_logits`, where it has such an argument.
        probability: Whether it makes sigmoid(logit) the probability that an image is real. Where it does not, the logit
            itself is D's output.
        overpowered: Means of D's output on real and on fake images beyond which D tells nearly all of them apart; None
            where the loss sets the output no scale.
    """

    discriminator: Callable[..., tf.Tensor]
    generator: Callable[..., tf.Tensor]
    probability: bool = False
    overpowered: tuple[float, float] | None = None

    @property
    def takes_target(self) -> bool:
        """Whether label smoothing has a meaning for it."""
        return "real_target" in inspect.signature(self.discriminator).parameters

    @property
    def is_paired(self) -> bool:
        """Whether the generator's part reads the logits of real images, too."""
        return "real_logits" in inspect.signature(self.generator).parameters

    @property
    def output_name(self) -> str:
        """What the mean of D's output is logged under: prob_real and so on, or output_real and so on."""
        return "prob" if self.probability else "output"

    def mean_output(self, logits: tf.Tensor) -> tf.Tensor:
        """The mean of D's output, a scalar."""
        return tf.reduce_mean(tf.sigmoid(logits) if self.probability else logits)

    def warning(self, logs: Mapping[str, float]) -> str:
        """A sentence where an epoch's figures say that D tells real from fake nearly always; else empty."""
        real, fake = (logs[f"{self.output_name}_{of}"] for of in ("real", "fake_before"))
        if self.overpowered is None or real < self.overpowered[0] or fake > self.overpowered[1]:
            return ""
        real, fake = (f"{output:.1%}" if self.probability else f"{output:.2f}" for output in (real, fake))
        smoothing = "--label_smoothing=0.1 " if self.takes_target else ""
        return (
            f"D overpowers G: it gives real images {real} and generated ones {fake}, and G learns little so. "
            f"Try --instance_noise=0.3, {smoothing}or a lower --d_learning_rate."
        )


# To the hinge, D is done where its margins of 1 and -1 are kept; to least squares, near its targets of 1 and 0.
ADVERSARIAL_LOSSES = {
    "nonsaturating": AdversarialLoss(
        nonsaturating_discriminator_loss, nonsaturating_generator_loss, probability=True, overpowered=(0.95, 0.05)
    ),
    "minimax": AdversarialLoss(
        minimax_discriminator_loss, minimax_generator_loss, probability=True, overpowered=(0.95, 0.05)
    ),
    "hinge": AdversarialLoss(hinge_discriminator_loss, linear_generator_loss, overpowered=(1.0, -1.0)),
    "least_squares": AdversarialLoss(
        least_squares_discriminator_loss, least_squares_generator_loss, overpowered=(0.95, 0.05)
    ),
    "wasserstein": AdversarialLoss(wasserstein_discriminator_loss, linear_generator_loss),
    "relativistic": AdversarialLoss(relativistic_discriminator_loss, relativistic_generator_loss),
}
