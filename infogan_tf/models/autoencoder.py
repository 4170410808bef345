"""What models have whose encoder finds the noise z of an image, which their generator, the decoder, makes images of."""

import numpy as np
import tensorflow as tf

from infogan_tf.data.given import labels_of
from infogan_tf.models.base import GenerativeModel
from infogan_tf.objectives.likelihood import bernoulli_log_likelihood, gaussian_divergence
from infogan_tf.objectives.term import Real
from infogan_tf.random import drawn_here


class Autoencoder(GenerativeModel):
    """A generator, and an encoder that says q(z|x): a mean and a standard deviation of each column of an image's noise.

    READERS are the encoder; they give the means and the logarithms of the variances, [B, 2 noise.size]. p(z) is
    standard normal. The arguments are those of `GenerativeModel`.
    """

    READS = "noise"

    @classmethod
    def num_parameters(cls, layout):  # noqa: D102
        return 2 * layout.noise.size

    def posterior_of(self, parameters):  # noqa: D102
        mean, log_variance = _mean_and_log_variance(parameters)
        return {"noise": {"mean": mean, "stddev": tf.exp(0.5 * log_variance)}}

    def draw_posterior(self, real: Real, seed: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Latents [B, layout.width] of one z drawn from q(z|x) for each image, and KL(q(z|x) || p(z)), [B] in nats.

        Args:
            real: The images, and what the decoder is told of them.
            seed: Of the draw, int32 [2].
            training: Whether the encoder computes as in training.
        """
        mean, log_variance = _mean_and_log_variance(self.q_parameters(real.images, training))
        drawn = drawn_here(tf.shape(real.images)[0], lambda rows: self.layout.noise.sample(rows, seed))
        z = mean + tf.exp(0.5 * log_variance) * drawn
        latents = z if real.conditions is None else tf.concat([z, real.conditions], axis=-1)
        return latents, gaussian_divergence(mean, log_variance)

    def bounds(self, data, seed: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """E[log p(x|z)], of one z drawn for each image, and KL(q(z|x) || p(z)): [B] each, in nats.

        Their difference bounds log p(x) from below, where each pixel of a decoded image is a probability, however
        encoder and decoder were trained.

        Args:
            data: A batch, as `fit` takes it.
            seed: Of the draw, int32 [2].
            training: Whether the networks compute as in training.
        """
        real = self.real_of(data)
        latents, kl = self.draw_posterior(real, seed, training)
        return bernoulli_log_likelihood(real.images, self.generator(latents, training=training)), kl

    def decode(self, z: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """What the decoder makes of z [B, noise.size], float32 [B, H, W, C] in [0, 1].

        Args:
            z: The noise.
            labels: Integers [B] from 0, of a decoder that is told them.

        Raises:
            ValueError: For labels that are missing, or that are none of the decoder's.
        """
        told, values = self.layout.told, {}
        if told:
            values[told.name] = labels_of((z, labels))
            told.check_known(values[told.name])
        return self.generate(self.layout.join(z, values))

    def reconstruct(self, images, labels=None) -> np.ndarray:
        """What the decoder makes of each image's mean z, float32 [B, H, W, C] in [0, 1].

        Args:
            images: Any number of images as in `fit`, an array.
            labels: Theirs, as `decode` takes them.
        """
        return self.decode(self.encode(images)["noise"]["mean"], labels)


def _mean_and_log_variance(parameters):
    return tf.split(tf.cast(parameters, tf.float32), 2, axis=-1)
