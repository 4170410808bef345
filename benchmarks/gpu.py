"""All that is asked of a GPU, in ten minutes: the step's pace, compiled and not, beside PyTorch's; and a whole run.

python benchmarks/gpu.py --peer=torch --json=out.json        (PyTorch: pip install -e ".[benchmark]")

For each recipe one table row: milliseconds of a step as TensorFlow runs it, compiled by XLA one at a time, and compiled
as one program of many; for MNIST's paper recipe PyTorch's as well, compiled and recorded as a CUDA graph, on the same
card. Then the same for a training of MNIST from the command to the export. Without a GPU it runs, and says so.
"""

import dataclasses
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags
from common import define_flags, in_turn, median, random_images, recipes, report, train_step

FLAGS = flags.FLAGS
define_flags(rounds=5, steps=50, recipes=None, at_once=50, peer=None)
flags.DEFINE_string("run", "--dataset=mnist --evaluation=quick", "Flags of the whole run; empty for none.")


def paces(name: str, config, image_shape) -> dict[str, object]:
    """A row of the table."""
    from infogan_tf.models.build import build_model
    from infogan_tf.precision import choose_precision

    precision = choose_precision("auto")[0]
    height, _, channels = image_shape
    images = random_images(height, channels=channels)
    contenders = {}
    for which, compiled, at_once in (("", "false", 1), ("XLA", "true", 1), ("program", "true", FLAGS.at_once)):
        model = build_model(dataclasses.replace(config, jit_compile=compiled), image_shape, precision)
        model.steps_per_execution = at_once
        contenders[which] = train_step(model, images, config.batch_size)
    # A program is as many calls of the others.
    calls = max(1, FLAGS.steps // FLAGS.at_once)
    many = median(in_turn({"program": contenders.pop("program")}, FLAGS.rounds, calls, warm_up=1)["program"])
    times = {which: median(each) for which, each in in_turn(contenders, FLAGS.rounds, FLAGS.steps).items()}
    row = {
        "recipe": name,
        "precision": precision,
        "step, ms": times[""],
        "with XLA, ms": times["XLA"],
        f"{FLAGS.at_once} at once, ms": many / FLAGS.at_once,
        "PyTorch, ms": "",
        "memory, MB": _device_memory(),
    }
    if FLAGS.peer and name == "mnist-paper":
        row["PyTorch, ms"] = _peer(images, config.batch_size, precision)
    return row


def _peer(images, batch_size, precision):
    """Milliseconds of a step of PyTorch, as fast as its own means make it."""
    import torch
    from torch_twin import TorchTwin

    device = "cuda" if torch.cuda.is_available() else "cpu"
    twin = TorchTwin(images, batch_size, bfloat16=precision == "mixed_bfloat16", device=device)
    step = twin.captured() if device == "cuda" else twin.step

    def waited():
        step()
        if device == "cuda":
            torch.cuda.synchronize()

    return median(in_turn({"torch": waited}, FLAGS.rounds, FLAGS.steps)["torch"])


def _device_memory():
    """The most that TensorFlow has taken of the first GPU's memory, in MB; empty where there is none."""
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        return ""
    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6


def whole_run(flags_of_run: str) -> None:
    """Prints how long a training takes from the command to the export, without and with XLA."""
    main = Path(__file__).resolve().parents[1] / "main.py"
    for compiled in ("false", "true"):
        with tempfile.TemporaryDirectory() as folder:
            given = [*shlex.split(flags_of_run), f"--jit_compile={compiled}", f"--run_dir={folder}/run"]
            started = time.perf_counter()
            subprocess.run([sys.executable, main, *given], check=True, stdout=subprocess.DEVNULL)
            print(f"\nmain.py {flags_of_run} --jit_compile={compiled}: {time.perf_counter() - started:.0f} s")


def main(_):
    """Prints the table and the two times."""
    if FLAGS.peer:
        import torch_twin  # noqa: F401, before TensorFlow: see there
    if FLAGS.run:  # first: TensorFlow in this process takes all of a GPU's memory
        whole_run(FLAGS.run)
    import tensorflow as tf

    known = recipes()
    rows = [paces(name, *known[name]) for name in FLAGS.recipes or known]
    where = [device.name for device in tf.config.list_physical_devices("GPU")] or "no GPU"
    report(f"{where}; median of {FLAGS.rounds} rounds of {FLAGS.steps} steps", rows)


if __name__ == "__main__":
    app.run(main)
