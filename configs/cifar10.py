"""CIFAR-10, 32x32 in colour: ten kinds of animals and vehicles.

Commands: infogan --dataset=cifar10
          infogan --dataset=cifar10 --recipe=invariant
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# Not among the paper's data: a class for each kind, noise as on its colour images, networks as for images of one's own.
PAPER = Config(
    model="infogan",
    dataset="cifar10",
    networks="dcgan",
    spectral_norm=True,
    g_learning_rate=2e-4,
    latents="noise:128,cat:10,uniform:2",
    steps=20_000,
    lambda_warmup=2_000,
    average_decay=0.999,
    image_size="32",
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=50_000, height=32, width=32, figures=False, equal=True)),
}
