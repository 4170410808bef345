"""How long the command takes to answer: its help page, a mistyped flag, the first train step.

python benchmarks/start_up.py --dataset=mnist --json=out.json

Every answer is that of a fresh process, and they take turns. The first step's time is split up by what the process was
doing; its parts are medians, which need not sum up to the median of the whole.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from common import define_flags, report

FLAGS = flags.FLAGS
define_flags(rounds=5)
flags.DEFINE_string("dataset", "digits", "Data set, by its file in configs/.")

ROOT = Path(__file__).resolve().parents[1]
WHOLE = "first step done"


def seconds(*flags_given: str, status: int) -> float:
    """From a command of main.py to its end, with this exit status."""
    started = time.time()
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), *flags_given], capture_output=True)
    assert done.returncode == status, done.stderr.decode()
    return time.time() - started


def first_step() -> dict[str, float]:
    """Seconds from the command to the end of its first step, after the parts that they are made of."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "benchmarks" / "first_step.py")]
        started = time.time()
        done = subprocess.run(
            [*command, f"--dataset={FLAGS.dataset}", f"--run_dir={folder}"], capture_output=True, text=True, check=True
        )
    moments = json.loads(done.stdout.splitlines()[-1])
    times = [started, *moments.values()]
    parts = {f"... {name}": end - start for name, start, end in zip(moments, times, times[1:], strict=False)}
    return {**parts, WHOLE: times[-1] - started}


def one_round() -> dict[str, float]:
    """Seconds of every answer."""
    answers = {"--help": seconds("--help", status=0), "a mistyped flag": seconds("--step=1", status=2)}
    return answers | first_step()


def main(_):
    """Prints the table."""
    rounds = [one_round() for _ in range(FLAGS.rounds)]
    rows = []
    for name in rounds[0]:
        found = [values[name] for values in rounds]
        shares = [values[name] / values[WHOLE] for values in rounds]
        row = {"what": name, "seconds": float(np.median(found)), "least": min(found), "most": max(found)}
        rows.append(row | {"share of the first step": float(np.median(shares))})
    report(f"{FLAGS.dataset}, {FLAGS.rounds} rounds", rows)


if __name__ == "__main__":
    app.run(main)
