"""The peak memory of training beside the sum of what has to be in it.

python benchmarks/memory.py --json=out.json

In a fresh process for each precision: the peak after TensorFlow's import and one operation, which is TensorFlow's own;
after the paper's model and both optimizers' state are made; after the images are there and some train steps are done.
The sum is that of weights, their averages, optimizer state, images, and the activations of all passes of a step
(`arithmetic.activation_bytes`: each layer's output once, though not all are needed at the same time; no gradients).
The last column is the peak less TensorFlow's own, over that sum; 1.5 is still good.
"""

from absl import app, flags
from common import (
    PRECISIONS,
    define_flags,
    in_fresh_process,
    paper_model,
    peak_memory,
    random_images,
    report,
    train_step,
)

FLAGS = flags.FLAGS
define_flags(count=60_000, batch_size=128, image_size=28, precisions=PRECISIONS)
flags.DEFINE_integer("steps", 20, "Train steps.", lower_bound=1)


def measure(precision: str, size: int, count: int, batch_size: int, steps: int) -> dict[str, float]:
    """Peaks and sizes by what they are of, in MB."""
    import tensorflow as tf

    tf.add(1.0, 1.0)
    found = {"TensorFlow alone": peak_memory()}

    from arithmetic import activation_bytes, average_bytes, optimizer_bytes, weight_bytes

    model = paper_model(size, precision)
    found["with the model"] = peak_memory()
    images = random_images(size, count)
    step = train_step(model, images, batch_size)
    for _ in range(steps):
        step()
    found["with steps"] = peak_memory()
    needed = {
        "weights": weight_bytes(model),
        "averages": average_bytes(model),
        "Adam's state": optimizer_bytes(model),
        "activations": activation_bytes(model, batch_size),
        "images": images.nbytes,
    }
    found |= needed | {"their sum": sum(needed.values())}
    return {name: count / 1e6 for name, count in found.items()}


def main(_):
    """Prints the table."""
    rows = []
    for precision in FLAGS.precisions:
        found = in_fresh_process(measure, precision, FLAGS.image_size, FLAGS.count, FLAGS.batch_size, FLAGS.steps)
        ratio = (found["with steps"] - found["TensorFlow alone"]) / found["their sum"]
        rows.append({"precision": precision, **found, "peak / sum": ratio})
    report(f"batch {FLAGS.batch_size}, {FLAGS.count:,} images, {FLAGS.steps} steps, MB", rows)


if __name__ == "__main__":
    app.run(main)
