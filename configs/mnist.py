"""MNIST, 28x28, with the paper's settings (appendix C.1).

Commands: python main.py --dataset=mnist --lambda_info=1
          python main.py --dataset=mnist --recipe=invariant
"""

import dataclasses

from infogan_tf.config import Config

# The paper's settings are the package's defaults. With L_I at full weight from the first step, c1 comes to mean
# whatever sets the generator's first, crude images apart, and keeps it; so its weight rises slowly.
PAPER = Config(dataset="mnist", lambda_warmup=2_000)

RECIPES = {
    "paper": PAPER,
    "invariant": dataclasses.replace(
        PAPER, steps=5_000, lr_decay_steps="4000", lambda_warmup=1_000, invariance_weight=1.0
    ),
}
