"""CelebA, 202,599 faces in colour, with the paper's settings (appendix C.3).

Commands: infogan --dataset=celeb_a
          infogan --dataset=celeb_a --recipe=invariant
          infogan --dataset=celeb_a --recipe=talk
          infogan --dataset=~/img_align_celeba --recipe=celeb_a
"""

import dataclasses

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# Ten codes of ten classes. The largest square in the middle is made 32x32. The paper does not say for how long.
PAPER = Config(
    model="infogan",
    dataset="celeb_a",
    preset="celeb_a",
    latents="noise:128,cat:10x10",
    steps=20_000,
    image_size="32",
    channels="3",
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(
        PAPER,
        ImageFacts(count=162_770, height=32, width=32, figures=False, framed=True),
        latents="noise:128,cat:10,cat:10,uniform:2",
    ),
    # As talks about GANs show it: 28x28, after 500, 2,000, 20,000 and 40,000 steps, with smaller steps in the end.
    "talk": dataclasses.replace(PAPER, image_size="28", steps=40_000, lr_decay_steps="20000"),
}
