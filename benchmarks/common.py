"""What the benchmarks share: flags, the model that they measure, timing in turn, memory, and a table with its JSON."""

import importlib.metadata
import importlib.util
import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from absl import flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the package has it, before anything imports TensorFlow
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# The program that asks for a flag shows it in its --help, as if it had defined it itself.
flags.disclaim_key_flags()
FLAGS = flags.FLAGS

PRECISIONS = ["float32", "mixed_bfloat16"]

_SHARED = {
    "rounds": (flags.DEFINE_integer, "How often all that is measured takes its turn.", {"lower_bound": 1}),
    "steps": (flags.DEFINE_integer, "Calls in a turn.", {"lower_bound": 1}),
    "count": (flags.DEFINE_integer, "Images in all.", {"lower_bound": 1}),
    "batch_size": (flags.DEFINE_integer, "Images in a batch.", {"lower_bound": 2}),
    "image_size": (flags.DEFINE_integer, "Height and width of an image, a multiple of 4.", {"lower_bound": 8}),
    "precisions": (flags.DEFINE_list, "Of float32 and mixed_bfloat16.", {}),
    "seeds": (flags.DEFINE_list, "Seeds, one after another.", {}),
    "recipes": (flags.DEFINE_list, "Which of `common.recipes`; all if not given.", {}),
    "at_once": (flags.DEFINE_integer, "Steps of a program.", {"lower_bound": 2}),
    "peer": (flags.DEFINE_enum, "A twin to time beside ours.", {"enum_values": ["torch"]}),
}


def define_flags(**defaults: object) -> None:
    """Defines --json, and those of the shared flags that are named, with these defaults."""
    flags.DEFINE_string("json", None, "A file to write the figures to.")
    for name, default in defaults.items():
        define, text, options = _SHARED[name]
        define(name=name, default=default, help=text, **options)
    if "precisions" in defaults:
        flags.register_validator("precisions", lambda given: set(given) <= set(PRECISIONS), f"of {PRECISIONS}")
    if "seeds" in defaults:
        flags.register_validator("seeds", lambda given: all(seed.isdecimal() for seed in given), "integers from 0")
    if "peer" in defaults:
        flags.register_validator(
            "peer",
            lambda peer: peer is None or importlib.util.find_spec(peer) is not None,
            'PyTorch is not installed; pip install -e ".[benchmark]"',
        )


# === What is measured ===


def random_images(size: int, count: int = 10_000, channels: int = 1) -> np.ndarray:
    """Images of noise, uint8 [count, size, size, channels]: what is in them costs nothing."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def paper_model(size: int, precision: str):
    """The model of `main.py --dataset=mnist`, compiled, for images [size, size, 1]."""
    from infogan_tf.models.build import build_model

    return build_model(config_of("mnist"), (size, size, 1), precision)


def photo_model(size: int, precision: str):
    """The model of colour images of one's own, [size, size, 3], compiled: `main.py --dataset=FOLDER`."""
    from infogan_tf.models.build import build_model

    return build_model(config_of("images"), (size, size, 3), precision)


def config_of(dataset: str, recipe: str = "paper"):
    """The Config of `main.py --dataset=... --recipe=...`."""
    import configs
    from infogan_tf.command_line import recipe_of
    from infogan_tf.models.choices import resolve

    return resolve(recipe_of(configs, dataset, recipe), {})


def recipes() -> dict[str, tuple[object, tuple[int, int, int]]]:
    """By name a Config and the shape of its images: MNIST's two recipes, and the invariant one of colour images."""
    import dataclasses

    from configs.images import PAPER
    from configs.invariant import invariant
    from infogan_tf.data.facts import ImageFacts
    from infogan_tf.models.choices import resolve
    from infogan_tf.objectives.declarations import FIGURES, FRAMED, PHOTOS, usual_changes, with_usual

    def with_changes(config, kind, colour):
        config = resolve(config, {})
        return dataclasses.replace(config, invariances=with_usual(config.invariances, usual_changes(kind, colour)))

    faces = invariant(PAPER, ImageFacts(10_000, 64, 64, figures=False, framed=True))
    photos = invariant(PAPER, ImageFacts(50_000, 32, 32, figures=False))
    return {
        "mnist-paper": (config_of("mnist"), (28, 28, 1)),
        "mnist-invariant": (with_changes(config_of("mnist", "invariant"), FIGURES, False), (28, 28, 1)),
        "faces64-invariant": (with_changes(faces, FRAMED, True), (64, 64, 3)),
        "cifar10-invariant": (with_changes(photos, PHOTOS, True), (32, 32, 3)),
    }


def train_step(model, images: np.ndarray, batch_size: int) -> Callable[[], object]:
    """A function that runs one compiled step of `fit`, on a batch of the stream that a run reads."""
    from infogan_tf.data.stream import stream

    model.make_train_function()
    batches = iter(stream(images, batch_size))
    return lambda: model.train_function(batches)


# === Measuring ===


def in_turn(
    functions: Mapping[Hashable, Callable[[], object]], rounds: int, calls: int, warm_up: int = 3
) -> dict[Hashable, np.ndarray]:
    """Milliseconds of every call, [rounds, calls] for each function.

    In each round every function is called `calls` times in a row, one function after another: what slows the machine
    down for a while slows all of them. The calls before the first round, which compile and fill caches, do not count.
    """
    finish = _wait_for_devices()
    for function in functions.values():
        for _ in range(warm_up):
            function()
            finish()
    times = {key: np.empty((rounds, calls)) for key in functions}
    for i in range(rounds):
        for key, function in functions.items():
            for j in range(calls):
                started = time.perf_counter()
                function()
                finish()
                times[key][i, j] = 1e3 * (time.perf_counter() - started)
    return times


def _wait_for_devices():
    """A function that returns when all work is done: on a GPU, a call of TensorFlow returns before."""
    import tensorflow as tf

    return tf.test.experimental.sync_devices if tf.config.list_physical_devices("GPU") else lambda: None


def median(times: np.ndarray) -> float:
    """The median round's mean milliseconds of a call."""
    return float(np.median(times.mean(axis=1)))


def median_ratio(one: np.ndarray, other: np.ndarray) -> float:
    """The median of the rounds' own ratios, which a shared machine disturbs less than it does the times."""
    return float(np.median(one.mean(axis=1) / other.mean(axis=1)))


def in_fresh_process(function: Callable, *args: object) -> object:
    """`function(*args)`, of a program's top level, in a new Python process that has imported nothing yet."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        return executor.submit(function, *args).result()


def peak_memory() -> int:
    """The most bytes that this process has had resident so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# === Reporting ===


def machine() -> str:
    """The processor, its cores and the versions, in one line."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    packages = {"tensorflow": "TensorFlow", "keras": "Keras"} | ({"torch": "PyTorch"} if "torch" in sys.modules else {})
    versions = [f"{title} {importlib.metadata.version(package)}" for package, title in packages.items()]
    return ", ".join([name, f"{os.cpu_count()} cores", *versions])


def report(title: str, rows: list[dict[str, object]], times: Mapping[Hashable, np.ndarray] | None = None) -> None:
    """Prints a Markdown table and writes the figures to --json.

    Args:
        title: The table's title.
        rows: The rows, each by column; all have the same columns.
        times: What `in_turn` gives; each round's mean is written too.
    """
    print(f"\n{machine()}; {title}\n")
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(_text(value) for value in row.values()) + " |")
    if FLAGS.json:
        settings = {flag.name: flag.value for flag in FLAGS.get_key_flags_for_module(sys.argv[0])}
        record = {"machine": machine(), "settings": settings, "results": rows}
        if times is not None:
            record["milliseconds"] = {_name(key): values.mean(axis=1).tolist() for key, values in times.items()}
        Path(FLAGS.json).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _name(key):
    return " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def _text(value):
    """Four digits of what was measured, all of what was counted."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
