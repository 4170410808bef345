"""Kuzushiji-MNIST, 28x28: ten characters of cursive Japanese, with the paper's MNIST settings.

Command: infogan --dataset=kmnist
"""

from infogan_tf.config.options import Config

# As on MNIST.
RECIPES = {
    "paper": Config(
        model="infogan", dataset="kmnist", steps=5_000, lr_decay_steps="4000", lambda_warmup=2_000, average_decay=0.999
    )
}
