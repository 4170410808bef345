"""MNIST, 28x28, with the paper's settings (appendix C.1).

Commands: python main.py --dataset=mnist --lambda_info=1
          python main.py --dataset=mnist --recipe=invariant
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# The paper's settings are the package's defaults. With L_I at full weight from the first step, c1 comes to mean
# whatever sets the generator's first, crude images apart, and keeps it; so its weight rises slowly. As long as the
# authors' code trains, with smaller steps at the end. Averages of the weights draw better than those of one step.
PAPER = Config(
    model="infogan",
    dataset="mnist",
    background="black",
    steps=5_000,
    lr_decay_steps="4000",
    lambda_warmup=2_000,
    average_decay=0.999,
)

RECIPES = {
    "paper": PAPER,
    # c2 is slant and c3 thickness; the sizes are those that make -1 to 1 about what the digits of a class span.
    **with_real_images(
        PAPER,
        ImageFacts(count=60_000, height=28, width=28, figures=True, equal=True),
        invariances="auto; c2~shear:0.45,shift:0.08,thicken:0.3; c3~thicken:0.4,shift:0.08,shear:0.3",
    ),
}
