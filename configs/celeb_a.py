"""CelebA, 202,599 faces in colour, with the paper's settings (appendix C.3).

Commands: infogan --dataset=celeb_a
          infogan --dataset=celeb_a --recipe=talk
          infogan --dataset=~/img_align_celeba --recipe=celeb_a
"""

import dataclasses

from infogan_tf.config.options import Config

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
    # As talks about GANs show it: 28x28, after 500, 2,000, 20,000 and 40,000 steps, with smaller steps in the end.
    "talk": dataclasses.replace(PAPER, image_size="28", steps=40_000, lr_decay_steps="20000"),
}
