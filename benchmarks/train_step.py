"""The train step: milliseconds, images per second, and the share of the arithmetic limit.

python benchmarks/train_step.py --batch_size=64,128,256 --json=out.json
python benchmarks/train_step.py --networks=dcgan --image_size=32 --batch_size=64
python benchmarks/train_step.py --peer=torch        (needs PyTorch: pip install -e ".[benchmark]")

Each round times, in turn, our compiled step in each precision and, with --peer=torch, its twin in PyTorch. The median
of the ratios of each round counts, not the times: machines are shared. The limit is that of the step's matrix products
and convolutions at the rate of one large matrix product, measured beside them.
"""

from absl import app, flags
from common import (
    PRECISIONS,
    define_flags,
    in_turn,
    median,
    median_ratio,
    paper_model,
    photo_model,
    random_images,
    report,
    train_step,
)

FLAGS = flags.FLAGS
define_flags(rounds=7, steps=10, image_size=28, precisions=PRECISIONS, peer=None)
flags.DEFINE_list("batch_size", ["128"], "Images in a batch; several sizes are measured one after another.")
flags.DEFINE_enum(
    "networks", "paper", ["paper", "dcgan"], "paper: MNIST's, grey; dcgan: those of one's own images, in colour."
)
flags.register_validator(
    "batch_size", lambda sizes: all(size.isdigit() and int(size) > 1 for size in sizes), "integers of 2 or more"
)

# The shape of the largest product of the step: features by hidden units, and a batch that leaves no core idle.
MATRIX = (1024, 6272, 1024)


def measure(images, batch_size: int):
    """A row of the table for each precision, and the times that they are made of."""
    from arithmetic import step_flops

    contenders, flops = {}, {}
    for precision in FLAGS.precisions:
        model = (photo_model if FLAGS.networks == "dcgan" else paper_model)(FLAGS.image_size, precision)
        flops[precision] = step_flops(model, batch_size)
        contenders[batch_size, precision, "ours"] = train_step(model, images, batch_size)
        contenders[batch_size, precision, "matrix"], flops["matrix"] = matrix_product(precision)
        if FLAGS.peer:
            from torch_twin import TorchTwin

            bfloat16 = precision == "mixed_bfloat16"
            twin = TorchTwin(images, batch_size, bfloat16, networks=FLAGS.networks)
            contenders[batch_size, precision, "torch"] = twin.step
    times = in_turn(contenders, FLAGS.rounds, FLAGS.steps)

    rows = []
    for precision in FLAGS.precisions:
        ours = times[batch_size, precision, "ours"]
        limit = flops[precision] / flops["matrix"] * median(times[batch_size, precision, "matrix"])
        row = {
            "precision": precision,
            "batch": batch_size,
            "step, ms": median(ours),
            "images/s": 1e3 * batch_size / median(ours),
            "limit, ms": limit,
            "share of the limit": limit / median(ours),
        }
        if FLAGS.peer:
            row["PyTorch, ms"] = median(times[batch_size, precision, "torch"])
            row["PyTorch / ours"] = median_ratio(times[batch_size, precision, "torch"], ours)
            if "float32" in FLAGS.precisions:
                row["PyTorch float32 / ours"] = median_ratio(times[batch_size, "float32", "torch"], ours)
        rows.append(row)
    return rows, times


def matrix_product(precision: str):
    """A function that computes one large matrix product, and the number of floating-point operations in it."""
    import tensorflow as tf

    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    rows, inner, columns = MATRIX
    a, b = (tf.cast(tf.random.normal(shape), dtype) for shape in ((rows, inner), (inner, columns)))
    return tf.function(lambda: tf.matmul(a, b)), 2 * rows * inner * columns


def main(_):
    """Prints the table."""
    if FLAGS.peer:
        import torch_twin  # noqa: F401, before TensorFlow: see there

    images = random_images(FLAGS.image_size, channels=3 if FLAGS.networks == "dcgan" else 1)
    rows, times = [], {}
    for batch_size in map(int, FLAGS.batch_size):
        new_rows, new_times = measure(images, batch_size)
        rows += new_rows
        times |= new_times
    report(f"median of {FLAGS.rounds} rounds of {FLAGS.steps} steps", rows, times)


if __name__ == "__main__":
    app.run(main)
