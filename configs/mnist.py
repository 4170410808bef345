"""MNIST, 28x28, with the paper's settings (appendix C.1).

Command: python main.py --dataset=mnist --lambda_info=1
"""

from infogan_tf.config import Config


def get_config() -> Config:
    """The paper's settings are the package's defaults."""
    return Config(dataset="mnist")
