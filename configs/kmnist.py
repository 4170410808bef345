"""Kuzushiji-MNIST, 28x28: ten characters of cursive Japanese, with the paper's MNIST settings.

Commands: infogan --dataset=kmnist
          infogan --dataset=kmnist --recipe=invariant
"""

import dataclasses

from infogan_tf.data.facts import ImageFacts

from . import mnist
from .invariant import with_real_images

# As on MNIST.
PAPER = dataclasses.replace(mnist.PAPER, dataset="kmnist")

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=60_000, height=28, width=28, figures=True, equal=True)),
}
