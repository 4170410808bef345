"""Fashion-MNIST, 28x28, with the paper's MNIST settings.

Commands: python main.py --dataset=fashion_mnist
          python main.py --dataset=fashion_mnist --recipe=invariant
"""

import dataclasses

from infogan_tf.data.facts import ImageFacts

from . import mnist
from .invariant import with_real_images

# As on MNIST, but for the averages of the weights, which were not tried here.
PAPER = dataclasses.replace(mnist.PAPER, dataset="fashion_mnist", average_decay=0.0)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=60_000, height=28, width=28, figures=True, equal=True)),
}
