"""The input pipeline alone beside the train step that it feeds: how many times faster it is.

python benchmarks/pipeline.py --json=out.json

The stream of a run gives batches of as many 28x28 images as MNIST has to train on, from an array in memory and from a
memory-mapped .npy file, which was just written and lies in the system's cache. In each round it takes its turn with the
compiled train step, which reads its own batches from memory. The pipeline is fast enough where the step takes 20 times
as long: reading then costs 5% of it at the most.
"""

import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags
from common import (
    PRECISIONS,
    define_flags,
    in_turn,
    median,
    median_ratio,
    paper_model,
    random_images,
    report,
    train_step,
)

FLAGS = flags.FLAGS
define_flags(rounds=7, steps=20, count=60_000, batch_size=128, image_size=28, precisions=PRECISIONS)


def batches_of(images: np.ndarray):
    """A function that takes one batch of the stream."""
    from infogan_tf.data.stream import stream

    batches = iter(stream(images, FLAGS.batch_size))
    return lambda: next(batches)


def main(_):
    """Prints the table."""
    images = random_images(FLAGS.image_size, FLAGS.count)
    steps = {
        precision: train_step(paper_model(FLAGS.image_size, precision), images, FLAGS.batch_size)
        for precision in FLAGS.precisions
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "images.npy")
        np.save(file, images)
        sources = {"memory": batches_of(images), "a file": batches_of(np.load(file, mmap_mode="r"))}
        times = in_turn(sources | steps, FLAGS.rounds, FLAGS.steps)

    rows = []
    for source in sources:
        row = {"images in": source, "batch, ms": median(times[source]), "batches/s": 1e3 / median(times[source])}
        for precision in steps:
            row[f"{precision} step, ms"] = median(times[precision])
            row[f"{precision} step / batch"] = median_ratio(times[precision], times[source])
        rows.append(row)
    images_of = f"{FLAGS.count:,} images, batch {FLAGS.batch_size}"
    report(f"{images_of}, median of {FLAGS.rounds} rounds of {FLAGS.steps} batches or steps", rows, times)


if __name__ == "__main__":
    app.run(main)
