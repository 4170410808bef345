"""Images of one's own: a folder, a .zip, an .npy or an .npz, of any kind, grey or in colour; and those of tfds:NAME.

Commands: infogan --dataset=~/photos
          infogan --dataset=~/photos --recipe=invariant
          infogan --dataset=~/chairs --recipe=chairs
"""

import functools

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from . import celeb_a, chairs, faces, lsun
from .invariant import invariant, quick

# The paper's objective, with networks that fit images of any size: spectral norm keeps D from running ahead, so that D
# and G take steps of one size. The slow start of lambda and the averages of the weights are those of MNIST's recipes.
PAPER = Config(
    model="infogan",
    dataset="images",
    networks="dcgan",
    spectral_norm=True,
    g_learning_rate=2e-4,
    steps=5_000,
    batch_size=64,
    lambda_warmup=2_000,
    average_decay=0.999,
)

# By recipe, what it is for images of which this is known.
BY_FACTS = {"invariant": functools.partial(invariant, PAPER), "quick": functools.partial(quick, PAPER)}

# Of these, as long as nobody has looked at them.
UNSEEN = ImageFacts(count=10_000, height=32, width=32, figures=False)

RECIPES = {
    "paper": PAPER,
    **{name: functools.partial(by_facts, UNSEEN) for name, by_facts in BY_FACTS.items()},
    # The paper's own for data that has to lie in a folder.
    **faces.RECIPES,
    **chairs.RECIPES,
    # And those of data that may lie in one, where tensorflow-datasets cannot have it.
    "celeb_a": celeb_a.RECIPES["paper"],
    "lsun": lsun.RECIPES["paper"],
}
