"""Fashion-MNIST, 28x28, with the paper's MNIST settings.

Commands: python main.py --dataset=fashion_mnist
          python main.py --dataset=fashion_mnist --recipe=invariant
"""

import dataclasses

from infogan_tf.config.options import Config

# As on MNIST, but for the averages of the weights, which were not tried here.
PAPER = Config(model="infogan", dataset="fashion_mnist", steps=5_000, lr_decay_steps="4000", lambda_warmup=2_000)

RECIPES = {
    "paper": PAPER,
    # Small changes leave it best to cut shoes by their height. Large ones do not, and take more weight on classes of
    # equal size and on what Q says of real images; lambda's slow start lets these settle what c1 is. Shoes point left;
    # a mirrored one is the same article.
    "invariant": dataclasses.replace(
        PAPER,
        steps=3_000,
        lr_decay_steps="2400",
        lambda_warmup=1_500,
        invariance_weight=5.0,
        invariances="rotate:10,shift:0.08,scale:0.3,stretch:0.3,shear:0.15,contrast:0.3,flip",
        entropy_weight=0.2,
        marginal_weight=2.0,
    ),
}
