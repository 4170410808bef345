"""The embedded digits, 16x16.

Command: python main.py
"""

from infogan_tf.config import Config


def get_config() -> Config:
    """The paper's MNIST settings, but for a length that suits 1,437 images and a laptop."""
    return Config(dataset="digits", steps=1_500, batch_size=64, eval_every=250, checkpoint_every=250)
