"""The embedded digits, 16x16.

Commands: python main.py
          python main.py --recipe=invariant
"""

import dataclasses

from infogan_tf.config.options import Config

# The paper's MNIST settings, but for a length that suits 1,437 images and a laptop.
PAPER = Config(model="infogan", dataset="digits", steps=1_500, batch_size=64, eval_every=250, checkpoint_every=250)

RECIPES = {
    "paper": PAPER,
    # Images this coarse are told apart by little, and small changes leave it open to cut the ones in two and to share
    # the halves out among the eights. Large ones in every respect, heavily weighted, do not. Lambda is at its full
    # weight after 750 steps, and classes hardly change any more. Averages of the weights draw better than those of one
    # step.
    "invariant": dataclasses.replace(
        PAPER,
        lambda_warmup=750,
        invariance_weight=5.0,
        invariances="rotate:15,shift:0.1,scale:0.2,stretch:0.2,shear:0.2,thicken:0.4",
        entropy_weight=0.2,
        marginal_weight=2.0,
        average_decay=0.99,
    ),
}
