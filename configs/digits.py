"""The embedded digits, 16x16.

Commands: python main.py
          python main.py --recipe=invariant
"""

import dataclasses

from infogan_tf.config import Config

# The paper's MNIST settings, but for a length that suits 1,437 images and a laptop.
PAPER = Config(dataset="digits", steps=1_500, batch_size=64, eval_every=250, checkpoint_every=250)

RECIPES = {
    "paper": PAPER,
    # Lambda is at its full weight after 750 steps, and classes hardly change any more.
    "invariant": dataclasses.replace(PAPER, lambda_warmup=750, invariance_weight=1.0, starts=3, start_steps=750),
}
