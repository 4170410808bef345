"""The train step of the paper's MNIST networks: milliseconds, images per second, and the share of the arithmetic limit.

python benchmarks/train_step.py --batch_size=128 --json=out.json
python benchmarks/train_step.py --peer=torch        (needs PyTorch: pip install -e ".[benchmark]")

Each round times, in turn, our compiled step in each precision and, with --peer=torch, its twin in PyTorch. The median
of the ratios of each round counts, not the times: machines are shared. The limit is that of the step's matrix products
and convolutions at the rate of one large matrix product, measured beside them.
"""

import importlib.util
import json
import statistics
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from common import machine, print_table

FLAGS = flags.FLAGS
flags.DEFINE_integer("batch_size", 128, "Images in a batch.", lower_bound=2)
flags.DEFINE_enum("peer", None, ["torch"], "A twin to time beside ours.")
flags.DEFINE_list("precisions", ["float32", "mixed_bfloat16"], "Of float32 and mixed_bfloat16.")
flags.DEFINE_integer("rounds", 7, "Alternations.", lower_bound=1)
flags.DEFINE_integer("steps", 10, "Steps in a round.", lower_bound=1)
flags.DEFINE_integer("image_size", 28, "Height and width, a multiple of 4.", lower_bound=8)
flags.DEFINE_string("json", None, "A file to write the figures to.")

# The shape of the largest product of the step: features by hidden units, and a batch that leaves no core idle.
MATRIX = (1024, 6272, 1024)


def ours(images: np.ndarray, precision: str):
    """A function that runs one step of ours, and the number of floating-point operations in it."""
    from configs.mnist import get_config
    from infogan_tf.data import stream
    from infogan_tf.latents import LatentLayout
    from infogan_tf.training import build_model

    config = get_config()
    model = build_model(config, LatentLayout.parse(config.latents), images.shape[1:], precision)
    model.make_train_function()
    batches = iter(stream(images, FLAGS.batch_size))
    return (lambda: model.train_function(batches)), step_flops(model, FLAGS.batch_size)


def step_flops(model, batch_size: int) -> int:
    """Floating-point operations of a step's matrix products and convolutions, two for each multiplication and addition.

    G runs forward once, and back to its weights and inputs. D and Q see real and fake images forward, and back to
    weights and inputs; then, for G, the fakes again, forward and back to the images. Nothing goes back to the inputs of
    G, or in D's own update to the images.
    """
    generator = _multiplications(model.generator)
    trunk, q_head, d_head = (_multiplications(network) for network in (model.trunk, model.q_head, model.d_head))
    first = _multiplications(model.generator)[0], trunk[0]
    forward = 3 * (sum(trunk) + sum(d_head)) + 2 * sum(q_head) + sum(generator)
    to_weights = 2 * (sum(trunk) + sum(d_head)) + sum(q_head) + sum(generator)
    to_inputs = 3 * (sum(trunk) + sum(d_head)) - 2 * first[1] + 2 * sum(q_head) + sum(generator) - first[0]
    return 2 * batch_size * (forward + to_weights + to_inputs)


def _multiplications(network) -> list[int]:
    """Of each layer with a kernel, for one image."""
    import keras

    counts = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            counts.append(layer.kernel.shape.num_elements() * int(np.prod(layer.input.shape[1:3])))
        elif isinstance(layer, keras.layers.Conv2D):
            counts.append(layer.kernel.shape.num_elements() * int(np.prod(layer.output.shape[1:3])))
        elif isinstance(layer, keras.layers.Dense):
            counts.append(layer.kernel.shape.num_elements())
    return counts


def matrix_rate(precision: str):
    """A function that runs one large matrix product, and the number of floating-point operations in it."""
    import tensorflow as tf

    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    rows, inner, columns = MATRIX
    a, b = (tf.cast(tf.random.normal(shape), dtype) for shape in ((rows, inner), (inner, columns)))
    function = tf.function(lambda: tf.matmul(a, b))
    return (lambda: function().numpy()), 2 * rows * inner * columns


def milliseconds(function, count: int) -> float:
    """The mean time of `count` calls."""
    started = time.perf_counter()
    for _ in range(count):
        result = function()
    if isinstance(result, dict):
        float(result["d_loss"])  # waits for the last step
    return 1e3 * (time.perf_counter() - started) / count


def main(_):
    """Prints the table."""
    if FLAGS.peer and importlib.util.find_spec("torch") is None:
        raise app.UsageError('--peer=torch: PyTorch is not installed; pip install -e ".[benchmark]"')
    shape = (10_000, FLAGS.image_size, FLAGS.image_size, 1)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    contenders, flops = {}, {}
    for precision in FLAGS.precisions:
        contenders[precision, "ours"], flops[precision] = ours(images, precision)
        contenders[precision, "matrix"], flops["matrix"] = matrix_rate(precision)
        if FLAGS.peer:
            from torch_twin import TorchTwin

            twin = TorchTwin(images, FLAGS.batch_size, bfloat16=precision == "mixed_bfloat16")
            contenders[precision, "torch"] = twin.step
    for function in contenders.values():
        milliseconds(function, 3)  # compiles, and fills caches
    times = {key: [] for key in contenders}
    for _ in range(FLAGS.rounds):
        for key, function in contenders.items():
            times[key].append(milliseconds(function, FLAGS.steps))

    results = [_result(precision, times, flops) for precision in FLAGS.precisions]
    print(f"\n{machine()}; batch {FLAGS.batch_size}, median of {FLAGS.rounds} rounds of {FLAGS.steps} steps\n")
    print_table(results[0], [[_text(value) for value in result.values()] for result in results])
    if FLAGS.json:
        record = {"machine": machine(), "batch_size": FLAGS.batch_size, "results": results, "milliseconds": {
            " ".join(key): values for key, values in times.items()
        }}  # fmt: skip
        Path(FLAGS.json).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _result(precision, times, flops):
    """One row of the table."""
    own = statistics.median(times[precision, "ours"])
    rate = flops["matrix"] / statistics.median(times[precision, "matrix"])  # operations per millisecond
    result = {
        "precision": precision,
        "step, ms": own,
        "images/s": 1e3 * FLAGS.batch_size / own,
        "limit, ms": flops[precision] / rate,
        "share of the limit": flops[precision] / rate / own,
    }
    if FLAGS.peer:
        peer, floats = times[precision, "torch"], times.get(("float32", "torch"))
        result["PyTorch, ms"] = statistics.median(peer)
        result["PyTorch / ours"] = _median_ratio(peer, times[precision, "ours"])
        if floats:
            result["PyTorch float32 / ours"] = _median_ratio(floats, times[precision, "ours"])
    return result


def _median_ratio(one, other):
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def _text(value):
    return value if isinstance(value, str) else f"{value:.0f}" if value > 1_000 else f"{value:.2f}"


if __name__ == "__main__":
    app.run(main)
