"""LSUN's bedrooms, three million photos in colour, made 64x64.

Commands: infogan --dataset=lsun
          infogan --dataset=lsun --recipe=invariant
          infogan --dataset=~/bedrooms --recipe=lsun
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# Not among the paper's data, but among those of talks about it: codes as on MNIST, noise as on CelebA, networks as for
# images of one's own.
PAPER = Config(
    model="infogan",
    dataset="lsun",
    networks="dcgan",
    spectral_norm=True,
    g_learning_rate=2e-4,
    latents="noise:128,cat:10,uniform:2",
    steps=20_000,
    lambda_warmup=2_000,
    average_decay=0.999,
    image_size="64",
    channels="3",
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=3_033_042, height=64, width=64, figures=False)),
}
