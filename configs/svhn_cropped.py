"""Street View House Numbers, 32x32 in colour, with the paper's settings (appendix C.2).

Commands: infogan --dataset=svhn_cropped
          infogan --dataset=svhn_cropped --recipe=invariant
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# Four codes of ten classes and four continuous ones. The paper does not say for how long.
PAPER = Config(
    model="infogan",
    dataset="svhn_cropped",
    preset="svhn",
    latents="noise:124,cat:10x4,uniform:4",
    steps=20_000,
    image_size="32",
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(
        PAPER, ImageFacts(count=73_257, height=32, width=32, figures=False), latents="noise:124,cat:10,uniform:4"
    ),
}
