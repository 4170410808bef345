"""What c1's error is by chance: the ceiling to hold a regular GAN's error against.

python benchmarks/chance.py --dataset=mnist --seeds=0,1,2,3,4 --json=out.json

Classes drawn at random know nothing of an image. An untrained Q knows no more of the digits, but like images come out
of it alike, and matched one to one its classes are right more often than random ones.
"""

import dataclasses

import numpy as np
from absl import app, flags
from common import config_of, define_flags, report

FLAGS = flags.FLAGS
define_flags(seeds="0,1,2,3,4")
flags.DEFINE_enum("dataset", "mnist", ["digits", "mnist", "fashion_mnist"], "The data set; its test split is read.")


def main(_):
    """Prints the table."""
    from infogan_tf.data import load_data
    from infogan_tf.evaluation.metrics.clustering import matched_error
    from infogan_tf.models.build import build_model

    data = load_data(FLAGS.dataset)
    config, rows = config_of(FLAGS.dataset), []
    for seed in map(int, FLAGS.seeds):
        model = build_model(dataclasses.replace(config, seed=seed), data.image_shape, "float32")
        code = model.layout.classifier
        drawn = np.random.default_rng(seed).integers(code.num_classes, size=len(data.test.labels))
        read = code.most_probable(model.encode(data.test.images)[code.name])
        rows.append(
            {
                "seed": seed,
                "drawn at random, %": 100 * matched_error(drawn, data.test.labels),
                "an untrained Q, %": 100 * matched_error(read, data.test.labels),
            }
        )
    report(f"c1's error on the {len(data.test.labels):,} test images of {FLAGS.dataset}", rows)


if __name__ == "__main__":
    app.run(main)
