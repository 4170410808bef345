"""Kuzushiji-MNIST, 28x28: ten characters of cursive Japanese, with the paper's MNIST settings.

Commands: infogan --dataset=kmnist
          infogan --dataset=kmnist --recipe=invariant
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# As on MNIST.
PAPER = Config(
    model="infogan",
    dataset="kmnist",
    background="black",
    steps=5_000,
    lr_decay_steps="4000",
    lambda_warmup=2_000,
    average_decay=0.999,
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=60_000, height=28, width=28, figures=True, equal=True)),
}
