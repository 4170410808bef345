"""Fashion-MNIST, 28x28, with the paper's MNIST settings.

Commands: python main.py --dataset=fashion_mnist
          python main.py --dataset=fashion_mnist --recipe=invariant
"""

import dataclasses

from infogan_tf.config import Config

# As on MNIST.
PAPER = Config(dataset="fashion_mnist", steps=5_000, lr_decay_steps="4000", lambda_warmup=2_000)

RECIPES = {
    "paper": PAPER,
    # Shoes point left; a mirrored one is the same article. c1 settles on real images within a
    # thousand steps, with a slow start of lambda or without.
    "invariant": dataclasses.replace(
        PAPER,
        steps=3_000,
        lr_decay_steps="2400",
        lambda_warmup=0,
        invariance_weight=0.3,
        invariances=f"{Config.invariances},flip",
    ),
}
