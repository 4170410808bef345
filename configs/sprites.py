"""The sprites made here, 32x32: shape, scale, rotation, x and y.

Commands: python main.py --dataset=sprites
          python main.py --dataset=sprites --recipe=invariant
"""

import dataclasses

from infogan_tf.config import Config

# A class for each shape, and a uniform code for each other factor.
PAPER = Config(dataset="sprites", latents="noise:20,cat:3,uniform:4")

RECIPES = {
    "paper": PAPER,
    # c2 is scale, c3 rotation, c4 x and c5 y, and each knows nothing of the others.
    "invariant": dataclasses.replace(
        PAPER,
        steps=2_000,
        lr_decay_steps="1500",
        lambda_warmup=500,
        invariance_weight=1.0,
        invariances=(
            "rotate:40,shift:0.2,scale:0.3;"
            "c2~scale:0.33,rotate:40,shift:0.2;"
            "c3~rotate:40,scale:0.3,shift:0.2;"
            "c4~shift_x:0.23,shift_y:0.2,scale:0.3,rotate:40;"
            "c5~shift_y:0.23,shift_x:0.2,scale:0.3,rotate:40"
        ),
    ),
}
