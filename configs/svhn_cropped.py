"""Street View House Numbers, 32x32 in colour, with the paper's settings (appendix C.2).

Command: infogan --dataset=svhn_cropped
"""

from infogan_tf.config.options import Config

# Four codes of ten classes and four continuous ones. The paper does not say for how long.
RECIPES = {
    "paper": Config(
        model="infogan",
        dataset="svhn_cropped",
        preset="svhn",
        latents="noise:124,cat:10x4,uniform:4",
        steps=20_000,
        image_size="32",
    )
}
