"""Kills at random moments: whether every command, given again, comes to the result that it has without a kill.

    python benchmarks/kills.py --kills=100 --json=kills.json

Each of CASES runs once to its end; then it is begun anew, killed (SIGKILL) at a moment drawn from its whole time, and
the command that a user would give next is run. Looked at are: after the kill, that no file is broken that has its final
name; after the next command, that its result is the same, bit for bit, and that nothing of the kill is left. The table
has a row for each case; the exit status is 1 where anything went wrong.
"""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import app, flags
from common import define_flags, report
from PIL import Image

FLAGS = flags.FLAGS
define_flags()
flags.DEFINE_integer("kills", 100, "How many, in turn over the cases.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of the moments.")

MAIN = Path(__file__).resolve().parents[1] / "main.py"
TINY = ("--steps=12", "--eval_every=5", "--checkpoint_every=3", "--batch_size=8", "--precision=float32",
        "--strategy=one", "--latents=noise:6,cat:10")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """A command that is killed.

    Attributes:
        command: Its flags.
        again: The flags of the command that follows, where `begun` exists in the folder; else `command` is given again.
        begun: What tells that the first one has begun to write.
        prepare: Makes what it needs in a folder.
    """

    command: tuple[str, ...]
    again: tuple[str, ...]
    begun: str
    prepare: Callable[[Path, Path], None]


def _nothing(folder, runs):
    pass


def _finished_run(folder, runs):
    shutil.copytree(runs / "train" / "run", folder / "run")


def _photos(folder, runs):
    photos = folder / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for i in range(400):
        Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)).save(photos / f"{i}.png")


_DECODE = ("--dataset=photos", *TINY, "--steps=2", "--evaluation=none", "--run_dir=run")
_SWEEP = ("--mode=sweep", "--seeds=0,1", *TINY, "--evaluation=none", "--run_dir=run")
CASES = {
    "train": Case((*TINY, "--evaluation=quick", "--run_dir=run"),
                  ("--resume", "--run_dir=run", "--evaluation=quick"), "run/config.json", _nothing),
    "evaluate": Case(("--mode=evaluate", "--evaluation=quick", "--run_dir=run"),
                     ("--mode=evaluate", "--evaluation=quick", "--run_dir=run"), "run", _finished_run),
    "export": Case(("--mode=export", "--run_dir=run"), ("--mode=export", "--run_dir=run"), "run", _finished_run),
    "sweep": Case(_SWEEP, (*_SWEEP, "--resume"), "run/sweep.json", _nothing),
    "decode": Case(_DECODE, ("--resume", "--run_dir=run", "--evaluation=none"), "run/config.json", _photos),
}  # fmt: skip


def call(folder: Path, command: tuple[str, ...], seconds: float | None = None) -> tuple[int, str]:
    """Runs the program in `folder`, killed after so many seconds; returns its status and output once all ended."""
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    process = subprocess.Popen(
        [sys.executable, MAIN, *command],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if seconds is not None:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    # A run of a killed sweep saves and ends by itself: the output is at its end when that has.
    printed, _ = process.communicate()
    return process.returncode, printed


def facts_of(folder: Path) -> dict[str, str]:
    """What a result is, by file: digests of arrays, figures and pictures, without times.

    All versions of an export count as one: an export that was complete when the kill came is a version more.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = re.sub(r"(export/infogan)/\d+", r"\1", str(path.relative_to(folder)))
        if path.name.startswith("step_"):
            with np.load(path) as arrays:
                found[name] = _digest(
                    *(array for key in sorted(arrays.files) for array in (key, arrays[key].tobytes()))
                )
        elif path.name == "evaluation.json":
            found[name] = _digest(path.read_bytes())
        elif path.name == "metrics.jsonl":
            lines = map(json.loads, path.read_text().splitlines())
            timeless = [{key: value for key, value in line.items() if "second" not in key} for line in lines]
            found[name] = _digest(json.dumps(timeless))
        elif path.name == "metadata.json":
            found[name] = _together(found.get(name, ""), json.loads(path.read_text())["weights"])
        elif path.suffix in (".png", ".gif") and "photos" not in path.parts:
            found[name] = _together(found.get(name, ""), _digest(path.read_bytes()))
        elif path.name == "images.npy":
            found["decoded images"] = _digest(path.read_bytes())
    return found


def _together(known, another):
    """The digests of the versions of one file, each once."""
    return " ".join(sorted({*known.split(), another}))


def _digest(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
    return digest.hexdigest()


def broken_in(folder: Path) -> list[str]:
    """The files with a final name that cannot be read."""
    broken = []
    for path in folder.rglob("*"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts) or not path.is_file():
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".npz":
                with np.load(path) as arrays:
                    [arrays[name] for name in arrays.files]
            elif path.suffix in (".png", ".gif"):
                with Image.open(path) as image:
                    image.load()
        except Exception as error:
            broken.append(f"{path.relative_to(folder)}: {error}")
    return broken


def kill_and_go_on(case: Case, folder: Path, runs: Path, expected: dict[str, str], seconds: float) -> list[str]:
    """What went wrong after a kill, in words; nothing where all is as it should be."""
    folder.mkdir()
    case.prepare(folder, runs)
    call(folder, case.command, seconds)
    wrong = broken_in(folder)
    status, printed = call(folder, case.again if (folder / case.begun).exists() else case.command)
    if status:
        wrong.append(f"status {status}: {printed[-500:]}")
    found = facts_of(folder)
    wrong += [f"{name} differs" for name in sorted(set(found) | set(expected)) if found.get(name) != expected.get(name)]
    wrong += [f"left over: {path.relative_to(folder)}" for path in folder.rglob(".*.partial")]
    shutil.rmtree(folder)
    return wrong


def main(_):
    """Prints the table."""
    rng = np.random.default_rng(FLAGS.seed)
    results = {name: {"case": name, "kills": 0, "seconds": 0.0, "wrong": []} for name in CASES}
    with tempfile.TemporaryDirectory() as temporary:
        runs = Path(temporary)
        expected = {}
        for name in list(CASES)[: FLAGS.kills]:
            (runs / name).mkdir()
            CASES[name].prepare(runs / name, runs)
            started = time.monotonic()
            status, printed = call(runs / name, CASES[name].command)
            if status:
                raise SystemExit(printed)
            results[name]["seconds"] = time.monotonic() - started
            expected[name] = facts_of(runs / name)
        for number in range(FLAGS.kills):
            name = list(CASES)[number % len(CASES)]
            result = results[name]
            seconds = rng.uniform(0.0, result["seconds"])
            wrong = kill_and_go_on(CASES[name], runs / f"kill{number}", runs, expected[name], seconds)
            result["kills"] += 1
            result["wrong"] += [f"after {seconds:.1f} s: {what}" for what in wrong]
    rows = [row | {"wrong": "; ".join(row["wrong"]) or "nothing"} for row in results.values() if row["kills"]]
    report(f"{FLAGS.kills:,} kills, moments of seed {FLAGS.seed}", rows)
    return int(any(row["wrong"] != "nothing" for row in rows))


if __name__ == "__main__":
    app.run(main)
