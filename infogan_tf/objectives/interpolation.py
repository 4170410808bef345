"""What G draws between two conditions, of which there is no real image."""

import keras
import tensorflow as tf

from infogan_tf.objectives.term import Term
from infogan_tf.random import fold_in


@keras.saving.register_keras_serializable(package="infogan_tf")
class Interpolation(Term):
    """-E[log D(G(z, t), t)] for means t of two conditions, captions or labels: GAN-INT, Reed et al. 2016, equation 5.

    (arXiv:1605.05396.) Each condition of the batch is averaged with the next one's; D learns nothing from it. With
    another adversarial loss it is the generator's part of that.

    Args:
        weight: What the mean is multiplied by.
    """

    NEEDS = ("label_embedding",)

    def g_term(self, model, batch):  # noqa: D102
        noise, blocks = model.layout.split(batch.latents)
        name = model.layout.told.name
        blocks[name] = 0.5 * (blocks[name] + tf.roll(blocks[name], 1, axis=0))
        latents = tf.concat([noise, *blocks.values()], axis=-1)
        # The scope records no statistics: G's are of conditions that it will be asked for, and D's as in `GAN.g_pass`.
        with keras.StatelessScope():
            images = model.shown(model.generator(latents, training=True), fold_in(batch.seed, 10))
            logits = model.logits(model.trunk(images, training=True), blocks[name], training=True)
            return model.generator_loss(logits, batch.real, blocks[name], fold_in(batch.seed, 11))
