"""Kuzushiji-MNIST, 28x28: ten characters of cursive Japanese, with the paper's MNIST settings.

Commands: infogan --dataset=kmnist
          infogan --dataset=kmnist --recipe=invariant
"""

from infogan_tf.config.options import Config

from .invariant import invariant

# As on MNIST.
PAPER = Config(
    model="infogan", dataset="kmnist", steps=5_000, lr_decay_steps="4000", lambda_warmup=2_000, average_decay=0.999
)

RECIPES = {
    "paper": PAPER,
    # That of one's own images where they are figures.
    "invariant": invariant(PAPER, spectral_norm=True, steps=5_000, lr_decay_steps="4000", batch_size=64),
}
