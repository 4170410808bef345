"""Whether this commit trains to the very weights, and exports the very images, of another one.

    python benchmarks/same_weights.py --commit=4fe2c5e

trains each of RUNS with both, in float32 on the CPU, in processes of their own, and prints a table; the exit status is
1 where anything differs. MNIST has to be at hand, as for main.py.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
from absl import app, flags

ROOT = Path(__file__).resolve().parents[1]
RUNS = {
    "mnist-paper": ("--dataset=mnist",),
    "mnist-invariant": ("--dataset=mnist", "--recipe=invariant"),
    "mnist-lambda-0": ("--dataset=mnist", "--lambda_info=0"),
    "digits-invariant": ("--dataset=digits", "--recipe=invariant"),
}
SHARED = ("--seed=0", "--precision=float32", "--strategy=one", "--evaluation=none")

flags.DEFINE_string("commit", "4fe2c5e", "What this working tree is compared with.")
flags.DEFINE_integer("steps", 60, "Of each run.", lower_bound=1)
flags.DEFINE_list("runs", list(RUNS), "Which of them.")


def train(tree: Path, folder: Path, run: tuple[str, ...], steps: int) -> Path:
    """Trains and exports with the program in `tree`; returns the run's folder."""
    length = (f"--steps={steps}", f"--eval_every={steps}", f"--checkpoint_every={steps}", f"--run_dir={folder}")
    subprocess.run([sys.executable, tree / "main.py", *run, *SHARED, *length], check=True, stdout=subprocess.DEVNULL)
    return folder


def weights_of(run: Path) -> dict[str, np.ndarray]:
    """The last checkpoint's arrays by group and variable, whatever their place in it."""
    with np.load(sorted((run / "checkpoints").glob("step_*.npz"))[-1]) as file:
        named = {}
        for name in file.files:
            group, _, path = name.split("/", 2)
            named[f"{group}/{path}"] = file[name]
        return named


def images_of(run: Path) -> np.ndarray:
    """What the exported model draws from one draw of latents."""
    import tensorflow as tf

    generate = tf.saved_model.load(str(run / "export" / "infogan" / "1")).signatures["generate"]
    rng = np.random.default_rng(0)
    inputs = {}
    for name, spec in generate.structured_input_signature[1].items():
        shape = [size or 64 for size in spec.shape]
        drawn = rng.integers(0, 10, shape) if spec.dtype.is_integer else rng.uniform(-1.0, 1.0, shape)
        inputs[name] = tf.constant(drawn, spec.dtype)
    return generate(**inputs)["images"].numpy()


def compare(ours: Path, theirs: Path) -> dict[str, object]:
    """How many arrays of the networks differ in any bit, by how much at the most, and the same of the images."""
    one, other = weights_of(ours), weights_of(theirs)
    # Networks and optimizers; what else a checkpoint holds, such as the epoch's means, is not what is trained.
    names = [name for name in other if name.split("/")[0] != "metrics"]
    missing = [name for name in names if name not in one]
    differing = {name: np.abs(one[name] - other[name]).max() for name in names if name in one}
    differing = {name: value for name, value in differing.items() if value or one[name].dtype != other[name].dtype}
    drawn = np.abs(images_of(ours) - images_of(theirs)).max()
    return {
        "arrays": len(names),
        "missing": ", ".join(missing) or 0,
        "differing": len(differing),
        "largest difference": float(max(differing.values(), default=0.0)),
        "images' largest difference": float(drawn),
    }


def main(_):
    """Trains everything twice and says what differs."""
    asked = flags.FLAGS
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        subprocess.run(["git", "clone", "-q", "-s", ROOT, tree], check=True)
        subprocess.run(["git", "-C", tree, "checkout", "-q", asked.commit], check=True)
        for name in asked.runs:
            trees = {"ours": ROOT, "theirs": tree}
            folders = [train(trees[who], Path(folder, name, who), RUNS[name], asked.steps) for who in trees]
            rows.append({"run": name, **compare(*folders)})
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")
    return int(any(row["missing"] or row["differing"] or row["images' largest difference"] for row in rows))


if __name__ == "__main__":
    app.run(main)
