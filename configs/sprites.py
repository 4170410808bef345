"""The sprites made here, 32x32: shape, scale, rotation, x and y.

Commands: python main.py --dataset=sprites
          python main.py --dataset=sprites --recipe=invariant
"""

import dataclasses

from infogan_tf.config.options import Config

# A class for each shape, and a uniform code for each other factor.
PAPER = Config(model="infogan", dataset="sprites", latents="noise:20,cat:3,uniform:4")

RECIPES = {
    "paper": PAPER,
    # c2 is scale, c3 rotation, c4 x and c5 y, and each knows nothing of the others. What is left for c1, of which
    # nothing is declared, is the shape; little noise and a low weight of L_I keep the generator from letting the noise
    # make the shapes, and c1 some mark that nobody sees. Features vary little among images that are mostly black, and
    # the averages of the weights steady Q's statistics for inference.
    "invariant": dataclasses.replace(
        PAPER,
        latents="noise:2,cat:3,uniform:4",
        steps=3_000,
        batch_size=64,
        d_learning_rate=1e-3,
        lr_decay_steps="2500",
        average_decay=0.99,
        lambda_cat=0.1,
        lambda_warmup=1_000,
        invariance_weight=1.0,
        entropy_weight=0.0,
        marginal_weight=0.0,
        invariances=(
            "c2~scale:0.33,rotate:40,shift:0.2;"
            "c3~rotate:40,scale:0.3,shift:0.2;"
            "c4~shift_x:0.23,shift_y:0.2,scale:0.3,rotate:40;"
            "c5~shift_y:0.23,shift_x:0.2,scale:0.3,rotate:40"
        ),
    ),
}
