"""Drawing and reading images by the hundred thousand: images per second, and memory beside the size of the result.

python benchmarks/sampling.py --count=100000 --json=out.json

`generate` makes float32 images of latents in memory, `encode` reads codes from uint8 images in memory, `write_array`
draws latents, makes images and writes them as uint8, with their codes, into files. Each runs in a fresh process, after
a first block that compiles, and they take turns. The memory is what the process's peak rose by meanwhile: of `generate`
the array that it returns has to be in it, of `write_array` no more than a block.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from common import define_flags, in_fresh_process, paper_model, peak_memory, random_images, report

FLAGS = flags.FLAGS
define_flags(rounds=3, count=100_000, image_size=28)

WARM_UP = 500


def measure(name: str, size: int, count: int) -> dict[str, float]:
    """Seconds that `count` images take, bytes of the result, and bytes by which the peak memory rose."""
    model = paper_model(size, "float32")
    with tempfile.TemporaryDirectory() as folder:
        function = _functions(model, size, count, Path(folder))[name]
        function(min(WARM_UP, count))
        before, started = peak_memory(), time.perf_counter()
        result = function(count)
        return {"seconds": time.perf_counter() - started, "bytes": result, "peak": peak_memory() - before}


def _functions(model, size, count, folder):
    """What is measured, by name: functions of a number of images that return the bytes of their result."""
    import tensorflow as tf

    from infogan_tf.latents.plan import Plan
    from infogan_tf.reports.drawing import write_array

    def generate(number):
        return model.generate(latents[:number]).nbytes

    def encode(number):
        return sum(array.nbytes for array in tf.nest.flatten(model.encode(images[:number])))

    def write(number):
        path = folder / f"{len(list(folder.iterdir()))}.npy"  # a new name each time
        write_array(path, model, Plan(number))
        return path.stat().st_size

    latents = model.layout.sample(count, model.stream_seed("sample")).numpy()
    images = random_images(size, count)
    return {"generate": generate, "encode": encode, "write_array": write}


def main(_):
    """Prints the table."""
    names = ("generate", "encode", "write_array")
    arguments = FLAGS.image_size, FLAGS.count
    rounds = [{name: in_fresh_process(measure, name, *arguments) for name in names} for _ in range(FLAGS.rounds)]
    rows = []
    for name in names:
        keys = ("seconds", "bytes", "peak")
        seconds, size, peak = (float(np.median([found[name][key] for found in rounds])) for key in keys)
        row = {"what": name, "seconds": seconds, "images/s": FLAGS.count / seconds}
        rows.append(row | {"result, MB": size / 1e6, "memory, MB": peak / 1e6, "memory / result": peak / size})
    report(f"{FLAGS.count:,} images, float32, median of {FLAGS.rounds} rounds", rows)


if __name__ == "__main__":
    app.run(main)
