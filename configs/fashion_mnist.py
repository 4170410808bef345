"""Fashion-MNIST, 28x28, with the paper's MNIST settings.

Command: python main.py --dataset=fashion_mnist
"""

from infogan_tf.config import Config


def get_config() -> Config:
    """The paper's settings for MNIST."""
    return Config(dataset="fashion_mnist")
