"""EMNIST's letters, 28x28: 26 of them, capital and small ones of a letter together; with the paper's MNIST settings.

Commands: infogan --dataset=emnist
          infogan --dataset=emnist --recipe=invariant
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# As on MNIST, but for a class for each letter, and for twice as many steps for twice as many images.
PAPER = Config(
    model="infogan",
    dataset="emnist",
    background="black",
    latents="noise:62,cat:26,uniform:2",
    steps=10_000,
    lr_decay_steps="8000",
    lambda_warmup=2_000,
    average_decay=0.999,
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=88_800, height=28, width=28, figures=True, equal=True)),
}
