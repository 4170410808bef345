"""The embedded digits, 16x16.

Commands: python main.py
          python main.py --recipe=invariant
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# The paper's MNIST settings, but for a length that suits 1,437 images and a laptop.
PAPER = Config(model="infogan", dataset="digits", steps=1_500, batch_size=64, eval_every=250, checkpoint_every=250)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=1_437, height=16, width=16, figures=True, equal=True)),
}
