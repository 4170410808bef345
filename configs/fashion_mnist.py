"""Fashion-MNIST, 28x28, with the paper's MNIST settings.

Commands: python main.py --dataset=fashion_mnist
          python main.py --dataset=fashion_mnist --recipe=invariant
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# As on MNIST, but for the averages of the weights, which were not tried here.
PAPER = Config(
    model="infogan",
    dataset="fashion_mnist",
    background="black",
    steps=5_000,
    lr_decay_steps="4000",
    lambda_warmup=2_000,
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=60_000, height=28, width=28, figures=True, equal=True)),
}
