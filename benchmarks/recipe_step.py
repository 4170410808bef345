"""What the invariant recipe's terms cost: its step with each of them, beside the step without.

python benchmarks/recipe_step.py --recipes=mnist-invariant,cifar10-invariant

In each round the step takes its turn without either term, with the invariance term, and with feature matching as well,
which counts in the later part of a run alone. A ratio is the median of the rounds' own.
"""

import dataclasses
import sys

from absl import app, flags
from common import define_flags, in_turn, median, median_ratio, random_images, recipes, report, train_step

FLAGS = flags.FLAGS
define_flags(rounds=7, steps=8, recipes=["mnist-invariant"])

# By the terms that a step has, the options that make it so.
TERMS = {
    "without either": {"invariance_weight": 0.0, "feature_matching_weight": 0.0},
    "invariance": {"feature_matching_weight": 0.0},
    "invariance and matching": {"feature_matching_start": 0},
}


def measure(name: str, config, image_shape) -> tuple[list[dict[str, object]], dict]:
    """The rows of a recipe, and the times that they are made of."""
    from infogan_tf.models.build import build_model
    from infogan_tf.precision import choose_precision

    precision, _ = choose_precision("auto")
    height, _, channels = image_shape
    images = random_images(height, channels=channels)
    contenders = {}
    for terms, changes in TERMS.items():
        model = build_model(dataclasses.replace(config, **changes), image_shape, precision)
        contenders[name, terms] = train_step(model, images, config.batch_size)
    times = in_turn(contenders, FLAGS.rounds, FLAGS.steps)
    bare = times[name, "without either"]
    return [
        {
            "recipe": name,
            "precision": precision,
            "terms": terms,
            "step, ms": median(times[name, terms]),
            "of the step without": median_ratio(times[name, terms], bare),
        }
        for terms in TERMS
    ], times


def main(_):
    """Prints the table."""
    with_both = {
        name: recipe
        for name, recipe in recipes().items()
        if recipe[0].invariance_weight * recipe[0].feature_matching_weight
    }
    rows, times = [], {}
    for name in FLAGS.recipes or with_both:
        if name not in with_both:
            sys.exit(f"--recipes: expected some of {', '.join(with_both)}, which have both terms. Received: {name}")
        new_rows, new_times = measure(name, *with_both[name])
        rows += new_rows
        times |= new_times
    report(f"median of {FLAGS.rounds} rounds of {FLAGS.steps} steps", rows, times)


if __name__ == "__main__":
    app.run(main)
