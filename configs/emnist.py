"""EMNIST's letters, 28x28: 26 of them, capital and small ones of a letter together; with the paper's MNIST settings.

Commands: infogan --dataset=emnist
          infogan --dataset=emnist --recipe=invariant
"""

import dataclasses

from infogan_tf.data.facts import ImageFacts

from . import mnist
from .invariant import with_real_images

# As on MNIST, but for a class for each letter, and for twice as many steps for twice as many images.
PAPER = dataclasses.replace(
    mnist.PAPER, dataset="emnist", latents="noise:62,cat:26,uniform:2", steps=10_000, lr_decay_steps="8000"
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=88_800, height=28, width=28, figures=True, equal=True)),
}
