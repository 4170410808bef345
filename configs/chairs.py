"""Grey chairs, 64x64, as those of the paper's 3D chairs (appendix C.5), renderings from all sides.

They lie in a folder of one's own; `images.py` lists these recipes.

Commands: infogan --dataset=~/chairs --recipe=chairs
          infogan --dataset=~/chairs --recipe=chairs_width
"""

import dataclasses

from infogan_tf.config.options import Config

# Three codes of twenty classes and one continuous code, which these weights make the rotation.
ROTATION = Config(
    model="infogan",
    dataset="images",
    preset="chairs",
    latents="noise:128,cat:20x3,uniform:1",
    lambda_cat=1.0,
    lambda_cont=10.0,
    image_size="64",
    channels="1",
)

RECIPES = {
    "chairs": ROTATION,
    "chairs_width": dataclasses.replace(ROTATION, lambda_cat=2.0, lambda_cont=0.05),
}
