"""The recipes --recipe=invariant and quick: those that serve images of any kind, by what is known of them.

No data set of this name is there; the files of data sets take from here.
"""

import dataclasses
import functools
from collections.abc import Callable

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts
from infogan_tf.networks.presets import MOST_WITH_DENSE

_SHARED = {"invariances": "auto", "feature_matching_weight": 1.0}
# The paper's networks for MNIST, by whose dense layer Q learns much more of figures; photos it made all alike. How c1
# cuts the images is decided early, and of six starts the best goes on. The weights of entropy and frequencies make
# classes early; where they stay so large, Q keeps its first mistakes. That of the entropy is large again at the end,
# when what Q is nearly sure of is right.
_FIGURES = {
    "networks": "paper",
    "spectral_norm": False,
    "g_learning_rate": 1e-3,
    "batch_size": 128,
    "invariance_weight": 5.0,
    "entropy_weight": 0.2,
    "marginal_weight": 0.8,
    "haste": 5.0,
    "certainty": 15.0,
    "starts": 6,
}
# Spectral norm keeps D from running ahead, so that D and G take steps of one size. Batch norm in the trunk, by which Q
# learns more of photos, and the generator draws them better. The term, which stays larger than of figures, weighs less,
# or D learns too little else; least of photos of one thing in one frame, whose kinds differ in details. With a smaller
# weight of the entropy, Q came to say nothing of photos, which costs nothing else.
_PHOTOS = {
    "networks": "dcgan",
    "spectral_norm": True,
    "trunk_batch_norm": True,
    "g_learning_rate": 2e-4,
    "batch_size": 64,
    "invariance_weight": 2.0,
    "entropy_weight": 1.0,
    "marginal_weight": 4.0,
    "marginal_tolerance": 0.08,
}
# Kinds are seldom equally frequent: without it a frequent kind of figures is cut in two. Where they are, it lets kinds
# that lie close run together.
_UNEQUAL = 0.04


def invariant(paper: Config, facts: ImageFacts, steps: int | None = None, **options: object) -> Config:
    """A data set's `paper` recipe with what real images tell of the codes.

    Args:
        paper: The recipe without, whose model and latents it keeps.
        facts: What is known of the images.
        steps: How many steps; None goes by the facts.
        options: Those that this data set has in place of the recipe's.
    """
    steps = steps or _length(facts)
    settled = max(1, min(1_000, steps // 3))  # by then c1 has found its classes
    start_steps = max(1, min(500, steps // 3))
    schedule = {
        "steps": steps,
        "lambda_warmup": settled,
        "start_steps": start_steps,
        "feature_matching_start": max(settled, steps * 2 // 5),
        "lr_decay_steps": "",
        # Over about the last fifth.
        "average_decay": round(max(0.0, 1.0 - 5.0 / steps), 6),
    }
    if _are_small_figures(facts):
        tolerance = 0.0 if facts.equal else _UNEQUAL
        late = str(max(1, steps * 4 // 5))
        kind = _FIGURES | {
            "marginal_tolerance": tolerance,
            "lr_decay_steps": late,
            "haste_steps": start_steps,
            "certainty_start": max(settled, steps * 3 // 5),
        }
    else:
        kind = _PHOTOS | ({"invariance_weight": 1.0} if facts.framed else {})
    # Of few images no batch is larger than their number; a power of two is shared by two or four devices.
    most = 2 ** (facts.count.bit_length() - 1)
    kind = kind | {"batch_size": min(kind["batch_size"], most)}
    return dataclasses.replace(paper, **(_SHARED | schedule | kind | options))


def quick(paper: Config, facts: ImageFacts, steps: int | None = None, **options: object) -> Config:
    """`invariant` in a fraction of the time: fewer steps, and one start, which these steps serve better than several.

    Args:
        paper: As `invariant` takes it.
        facts: What is known of the images.
        steps: How many steps; None is three tenths of those of `invariant`, 1,000 at least.
        options: Those that this data set has in place of the recipe's.
    """
    steps = steps or max(1_000, _length(facts) * 3 // 10)
    of_figures = {"starts": 1, "haste_steps": max(1, steps // 4)} if _are_small_figures(facts) else {}
    return invariant(paper, facts, steps, **(of_figures | options))


def with_real_images(paper: Config, facts: ImageFacts, **options: object) -> dict[str, Callable[..., Config]]:
    """Both recipes of a data set, by name, as functions of the number of steps; the arguments are those of each."""
    return {recipe.__name__: functools.partial(recipe, paper, facts, **options) for recipe in (invariant, quick)}


def _are_small_figures(facts):
    """Whether they are figures that the paper's networks for MNIST are made for."""
    return facts.figures and max(facts.height, facts.width) <= MOST_WITH_DENSE


def _length(facts):
    """How many steps: no more than an hour of two cores allows, and fewer for few images."""
    most = 5_000 if facts.figures else 10_000
    for_size = max(2_500, min(most, most * 32**2 // (facts.height * facts.width)))
    return max(1_500, min(for_size, facts.count))
