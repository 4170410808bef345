"""Whether a feature network sees what goes wrong: FID of real test images that were damaged on purpose.

python benchmarks/damage.py --dataset=mnist --json=out.json
python benchmarks/damage.py --dataset=celeba64 --labels=celeba64_attributes.csv --without=Male --json=out.json

Each row is a kind of damage, whose FID against training images has to rise from column to column. The network that is
trained without labels is always looked at; where there are attributes, so is the classifier of them. Both are trained
anew on the images that are looked at, and nothing of them is kept.
"""

import tempfile
import time
from collections.abc import Mapping

import numpy as np
from absl import app, flags
from common import define_flags, report
from scipy.ndimage import gaussian_filter

FLAGS = flags.FLAGS
define_flags(count=10_000)
flags.DEFINE_string("dataset", "mnist", "A name, or images of one's own, as main.py takes it.")
flags.DEFINE_string("labels", "", "A table of labels or attributes of one's own images.")
flags.DEFINE_string("without", "", "Test images that have this attribute are missing in a row; by default no such row.")
flags.DEFINE_integer("test_count", 2_000, "Test images, at most.", lower_bound=2)

NOISE = (0.05, 0.1, 0.2)  # standard deviation, of a brightness from 0 to 1
BLUR = (0.8, 1.2, 2.0)  # standard deviation, in pixels
COPIES = (500, 200, 50)  # images, again and again
CLASSES = (9, 6, 3)  # that are left, of the first


def damages(images: np.ndarray, missing: Mapping[str, list[np.ndarray]]) -> dict[str, list[np.ndarray]]:
    """Images in [0, 1] or bytes, by the name of the damage, from the least on.

    Args:
        images: The images, uint8 [N, H, W, C].
        missing: By its name, which images are left in each column, bool [N] each.
    """
    rng, scaled = np.random.default_rng(0), images / 255.0
    return {
        f"noise of {_listed(NOISE)}": [np.clip(scaled + rng.normal(0, size, images.shape), 0, 1) for size in NOISE],
        f"blur of {_listed(BLUR)} pixels": [gaussian_filter(scaled, (0, size, size, 0)).clip(0, 1) for size in BLUR],
        f"the same {_listed(COPIES)} images": [np.resize(images[:count], images.shape) for count in COPIES],
        **{name: [np.resize(images[left], images.shape) for left in columns] for name, columns in missing.items()},
    }


def _listed(values):
    return ", ".join(map(str, values))


def _first(split, count):
    """The first images of a split, with what is known of them."""
    cut = [None if values is None else values[:count] for values in (split.images, split.labels, split.attributes)]
    return type(split)(*cut)


def _missing(test, attribute_names):
    """What is left where classes, or the images with the attribute of --without, are missing."""
    found = {}
    if test.labels is not None:
        found[f"the first {_listed(CLASSES)} classes alone"] = [test.labels < count for count in CLASSES]
    if FLAGS.without:
        found[f"{FLAGS.without} missing"] = [test.attributes[:, attribute_names.index(FLAGS.without)] == 0]
    return found


def main(_):
    """Prints the table."""
    from infogan_tf.data import load_data
    from infogan_tf.data.images import ImageData
    from infogan_tf.evaluation.feature_networks.classifier import attribute_features
    from infogan_tf.evaluation.feature_networks.label_free import label_free_features
    from infogan_tf.evaluation.metrics.sample_quality import feature_statistics, frechet_distance

    data = load_data(FLAGS.dataset, labels=FLAGS.labels)
    if FLAGS.without and FLAGS.without not in data.attribute_names:
        raise app.UsageError(f"--without: expected one of the attributes. Received: {FLAGS.without!r}")
    train, test = _first(data.train, FLAGS.count), _first(data.test, FLAGS.test_count)
    data = ImageData(data.name, train, test, attribute_names=data.attribute_names)
    damaged = damages(test.images, _missing(test, data.attribute_names))
    rows = []
    for build in (label_free_features, *([attribute_features] if train.attributes is not None else [])):
        with tempfile.TemporaryDirectory() as folder:
            started = time.process_time()
            network = build(data, folder)
            seconds = time.process_time() - started
        print(f"{network.name}: {seconds:.0f} s of processor time.")
        real = feature_statistics(network(train.images)[0])
        best = frechet_distance(real, feature_statistics(network(test.images)[0]))
        for kind, levels in damaged.items():
            found = [frechet_distance(real, feature_statistics(network(level)[0])) for level in levels]
            columns = [best, *found, *[""] * (3 - len(found))]
            named = {"network": build.__name__.removesuffix("_features"), "damage": kind}
            rows.append(named | dict(zip(("undamaged", "a little", "more", "most"), columns, strict=True)))
    report(
        f"FID of {len(test.images):,} damaged test images, {len(train.images):,} training images of {data.name}", rows
    )


if __name__ == "__main__":
    app.run(main)
