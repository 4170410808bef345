"""Text to image: a conditional GAN that is told captions, and whose D learns that a caption may be wrong."""

import keras
import tensorflow as tf

from infogan_tf.models.conditional_gan import ConditionalGAN
from infogan_tf.random import fold_in


@keras.saving.register_keras_serializable(package="infogan_tf")
class TextGAN(ConditionalGAN):
    """Trains a generator that draws what a caption says: GAN-CLS (Reed et al. 2016, arXiv:1605.05396, algorithm 1).

        max_D  E[log D(x, t)] + (E[log(1 - D(x, t'))] + E[log(1 - D(G(z, t), t))]) / 2

    with captions t of real images x, which leave things out, and captions t' that are wrong for x, drawn from all that
    are. G maximises E[log D(G(z, t), t)]; GAN-INT is the term `Interpolation` beside it. Each real image stands beside
    a generated one of its caption, and D is told captions as a `ConditionalGAN` is told labels: by the vector of the
    caption, which is the sum of its words' vectors.

    `fit` takes images with the numbers of the words that are true of them, integers [B, things], as `captioned` has
    them. It logs besides what `GAN` does prob_wrong (or output_wrong), what D says of real images with wrong captions.

    Args:
        layout: A LatentLayout with a caption, or its text such as "noise:100,caption:sprites".
        generator: Latents [B, layout.width] to images [B, H, W, C] in [0, 1].
        trunk: Images to features [B, F].
        d_head: Features to the logit of "real", [B, 1].
        label_embedding: Captions, a column for each word [B, W], to their vectors [B, F].
        seed: Of every draw of latents and captions, an integer.
        name: Of the model.
        **kwargs: As `keras.Model` takes them.
    """

    TOLD = "caption"

    def __init__(self, *args, name: str = "text_gan", **kwargs):
        super().__init__(*args, name=name, **kwargs)

    def logged(self):  # noqa: D102
        return [*super().logged(), f"{self.adversarial_loss.output_name}_wrong"]

    def conditions_for(self, real, seed):
        """Captions that say some of what is true of the images."""
        return self.layout.told.some_of(real.conditions, fold_in(seed, 1))

    def d_loss(self, real_logits, fake_logits, batch, training):  # noqa: D102
        wrong = self.layout.told.wrong_for(batch.real.conditions, fold_in(batch.seed, 9))
        wrong_logits = self.logits(batch.real_features, wrong, training)
        # A mean over both kinds of what is not to be believed: each counts half.
        loss, figures = super().d_loss(
            tf.tile(real_logits, (2, 1)), tf.concat([fake_logits, wrong_logits], axis=0), batch, training
        )
        return loss, figures | self.outputs(wrong=wrong_logits)
