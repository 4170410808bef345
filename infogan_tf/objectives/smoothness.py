"""A discriminator that is kept smooth: penalties on its gradient, noise on what it sees."""

import keras
import tensorflow as tf

from infogan_tf.objectives.term import Term
from infogan_tf.random import drawn_here, fold_in


def squared_gradient_norms(model: keras.Model, images: tf.Tensor, conditions: tf.Tensor | None = None) -> tf.Tensor:
    """||grad_x D(x)||^2 of D's logit at each of the images [B, H, W, C]: [B], differentiable; with batch statistics.

    Args:
        model: The model, whose D it is.
        images: Where the gradient is taken, as D is shown them.
        conditions: What a conditional D is told of them, see `GAN.conditions_of`.
    """
    with keras.StatelessScope(), tf.GradientTape() as tape:
        tape.watch(images)
        logits = model.logits(model.trunk(images, training=True), conditions, training=True)
    gradients = tape.gradient(logits, images)
    return tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3])


@keras.saving.register_keras_serializable(package="infogan_tf")
class R1(Term):
    """E[||grad_x D(x)||^2] / 2 at real images as D is shown them: Mescheder et al. 2018 (arXiv:1801.04406), eq. 9."""

    NEEDS = ("trunk", "d_head")

    def d_term(self, model, batch):  # noqa: D102
        return 0.5 * tf.reduce_mean(squared_gradient_norms(model, batch.shown_real, model.conditions_of(batch.latents)))


@keras.saving.register_keras_serializable(package="infogan_tf")
class R2(Term):
    """The same at generated images as D is shown them: Mescheder et al. 2018 (arXiv:1801.04406), equation 10."""

    NEEDS = ("trunk", "d_head")

    def d_term(self, model, batch):  # noqa: D102
        return 0.5 * tf.reduce_mean(squared_gradient_norms(model, batch.shown_fake, model.conditions_of(batch.latents)))


@keras.saving.register_keras_serializable(package="infogan_tf")
class GradientPenalty(Term):
    """E[(||grad_x D(x)|| - 1)^2] at x between real and fake images as D is shown them: Gulrajani et al. 2017, eq. 3.

    (arXiv:1704.00028.)
    """

    NEEDS = ("trunk", "d_head")

    def d_term(self, model, batch):  # noqa: D102
        count = tf.shape(batch.shown_real)[0]
        share = drawn_here(count, lambda rows: tf.random.stateless_uniform((rows, 1, 1, 1), batch.seed))
        between = share * batch.shown_real + (1.0 - share) * batch.shown_fake
        norms = tf.sqrt(squared_gradient_norms(model, between, model.conditions_of(batch.latents)) + 1e-12)
        return tf.reduce_mean(tf.square(norms - 1.0))


@keras.saving.register_keras_serializable(package="infogan_tf")
class InstanceNoise(Term):
    """Gaussian noise on all that D is shown, falling to nothing: Sonderby et al. 2017 (arXiv:1610.04490), section 2.

    It is added last: an `Augmentation`, which clips to [0, 1], stands before it in the list of terms.

    Args:
        weight: The noise's standard deviation at first, for pixels in [0, 1].
        steps: The step from which on there is none, from 1; until then it falls in a straight line.

    Raises:
        ValueError: For fewer steps.
    """

    NEEDS = ("d_head",)

    def __init__(self, weight: float, steps: int, **kwargs):
        super().__init__(weight, **kwargs)
        if not steps >= 1:
            raise ValueError(f"steps: expected an integer from 1. Received: {steps!r}")
        self.steps = steps

    def stddev(self, step: tf.Tensor) -> tf.Tensor:
        """The noise's standard deviation at a step."""
        return self.weight * tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / self.steps)

    def show(self, model, images, seed):  # noqa: D102
        def draw(rows):
            # Invariance's seeds are from 100 on.
            return tf.random.stateless_normal((rows, *images.shape[1:]), fold_in(seed, 3))

        noise = drawn_here(tf.shape(images)[0], draw)
        return images + self.stddev(model.step) * noise

    def get_config(self):  # noqa: D102
        return {**super().get_config(), "steps": self.steps}
