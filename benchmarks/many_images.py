"""What the stream of a run costs with ever more images: opening it, a batch, and memory.

python benchmarks/many_images.py --counts=10000,1000000,100000000 --json=out.json

The images lie in a file that is as large as it would be, but has holes in place of pixels, which take no room on the
disk and are read as zeros: all is as with real ones but for the disk's own work.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from common import define_flags, in_fresh_process, peak_memory, report

FLAGS = flags.FLAGS
define_flags(steps=200, batch_size=64, image_size=64)
flags.DEFINE_list("counts", ["10000", "1000000", "100000000"], "How many images, one number after another.")
flags.register_validator("counts", lambda counts: all(count.isdecimal() for count in counts), "integers from 1")


def measure(count: int, size: int, batch_size: int, batches: int, folder: str) -> dict[str, object]:
    """A row of the table, by a process of its own."""
    from infogan_tf.data.stream import stream

    path = Path(folder, f"{count}.npy")
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, size, size, 3))
    next(iter(stream(np.zeros((batch_size, 1, 1, 1), np.uint8), batch_size)))  # what TensorFlow does once
    before = peak_memory()
    started = time.perf_counter()
    read = iter(stream(np.load(path, mmap_mode="r"), batch_size))
    next(read)
    opened = time.perf_counter() - started
    started = time.perf_counter()
    for _ in range(batches):
        next(read)
    taken = time.perf_counter() - started
    return {
        "images": count,
        "GB": path.stat().st_size / 1e9,
        "to the first batch, s": opened,
        "batch, ms": 1e3 * taken / batches,
        "images/s": batches * batch_size / taken,
        "memory, MB": (peak_memory() - before) / 1e6,
        "pixels read, MB": (batches + 1) * batch_size * size * size * 3 / 1e6,
    }


def main(_):
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        given = (FLAGS.image_size, FLAGS.batch_size, FLAGS.steps, folder)
        rows = [in_fresh_process(measure, int(count), *given) for count in FLAGS.counts]
    report(f"{FLAGS.steps} batches of {FLAGS.batch_size} images {FLAGS.image_size}x{FLAGS.image_size} in colour", rows)


if __name__ == "__main__":
    app.run(main)
