"""The models: InfoGAN, and later its relatives."""

from infogan_tf.models.infogan import InfoGAN

__all__ = ["InfoGAN"]
