"""What --learn_prior brings where classes differ in frequency: the digits from 5 on thinned out, with it and without.

python benchmarks/unbalanced.py --seeds=0,1,2 --json=out.json
"""

import dataclasses

import numpy as np
from absl import app, flags
from common import define_flags, report

FLAGS = flags.FLAGS
define_flags(steps=1_500, seeds="0,1,2")
flags.DEFINE_list("recipes", "paper,invariant", "Recipes of the digits' config to train with.")
flags.register_validator("recipes", lambda given: set(given) <= {"paper", "invariant"}, "of paper, invariant")
flags.DEFINE_integer("keep_one_in", 4, "How many of the digits from 5 on there are to one that is kept.", lower_bound=1)


def thinned(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels without most of those from 5 on."""
    rare = np.flatnonzero(labels >= 5)
    kept = np.sort(np.concatenate([np.flatnonzero(labels < 5), rare[:: FLAGS.keep_one_in]]))
    return images[kept], labels[kept]


def trained(config, images):
    """A model after `config.steps` steps on the images."""
    from infogan_tf.building import build_model
    from infogan_tf.data import stream
    from infogan_tf.latents import LatentLayout
    from infogan_tf.precision import choose_precision

    layout = LatentLayout.parse(config.latents)
    model = build_model(config, layout, images.shape[1:], choose_precision(config.precision)[0])
    batches = stream(images, config.batch_size, config.seed)
    model.fit(batches, steps_per_epoch=config.steps, shuffle=False, verbose=2)
    return model


def figures(model, images, labels, frequencies):
    """How well c1's classes go with the labels, and how far its prior is from the labels' frequencies."""
    from infogan_tf.evaluation.clustering import clustering_scores, confusion, match, matched_error

    code = model.layout.first_categorical
    classes = code.most_probable(model.encode(images)[code.name])
    prior = np.exp(np.asarray(model.log_prior(code)))
    matched = match(confusion(classes, labels, code.num_classes, len(frequencies)))
    return {
        "c1's error, %": 100 * matched_error(classes, labels),
        "NMI": clustering_scores(classes, labels)["nmi"],
        # Total variation: 0 is the same, 1 nothing in common.
        "prior from frequencies": float(0.5 * np.abs(prior - frequencies[matched]).sum()),
    }


def main(_):
    """Prints the table."""
    from configs.digits import RECIPES
    from infogan_tf.data import load_data

    data = load_data("digits", "")
    images, labels = thinned(data.train_images, data.train_labels)
    frequencies = np.bincount(labels, minlength=10) / len(labels)
    rows = []
    for name in FLAGS.recipes:
        for seed in map(int, FLAGS.seeds):
            for learn_prior in (False, True):
                config = dataclasses.replace(RECIPES[name], seed=seed, steps=FLAGS.steps, learn_prior=learn_prior)
                found = figures(trained(config, images), *thinned(data.test_images, data.test_labels), frequencies)
                rows.append({"recipe": name, "seed": seed, "--learn_prior": str(learn_prior).lower()} | found)
                print(rows[-1], flush=True)
    report(f"{len(images)} digits, from 5 on one in {FLAGS.keep_one_in}, {FLAGS.steps:,} steps", rows)


if __name__ == "__main__":
    app.run(main)
