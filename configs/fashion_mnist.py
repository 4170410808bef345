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
    # Shoes point left; a mirrored one is the same article. Small changes say too little of what belongs together: a
    # sandal and a boot are told by what else looks like them.
    "invariant": dataclasses.replace(
        PAPER,
        invariance_weight=1.0,
        marginal_weight=1.0,
        invariances=f"{Config.invariances},flip,neighbour:0.7",
    ),
}
