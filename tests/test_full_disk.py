"""A disk that is full at any moment: one line that says what was not written, and nothing that was there is lost."""

import contextlib
import functools
import importlib
import resource
import shlex
import shutil
import time

import pytest
from conftest import assert_same, logged, run_here, weights

from infogan_tf.runs.checkpoints import Checkpoints

FLAGS = ("--steps=6", "--eval_every=3", "--checkpoint_every=2", "--batch_size=8", "--precision=float32",
         "--latents=noise:6,cat:10", "--evaluation=none")  # fmt: skip


@contextlib.contextmanager
def full_disk(room):
    """Lets the system refuse every file of more than `room` bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def fill(monkeypatch, place, at, room=8):
    """Makes the disk full for the call of that number, from 1, of the function at module:name."""
    module, _, names = place.partition(":")
    *owners, name = names.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    function, calls = getattr(owner, name), []

    @functools.wraps(function)
    def called(*args, **kwargs):
        calls.append(1)
        with full_disk(room) if len(calls) == at else contextlib.nullcontext():
            return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, called)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    run_here(*FLAGS, "--run_dir=run", cwd=folder, exporting=False)
    return folder / "run"


# By what is being written, and the file or folder that the message names.
MOMENTS = {
    "infogan_tf.runs.checkpoints:Checkpoints._write": (2, "checkpoints/step_00000004.npz"),
    "infogan_tf.training.watching:MetricsFile.on_epoch_end": (1, "metrics.jsonl"),
    "infogan_tf.training.watching:TensorBoard.on_train_begin": (1, "tensorboard"),
    "infogan_tf.training.watching:TensorBoard.on_epoch_end": (2, "tensorboard"),
    "infogan_tf.training.watching:Pictures.on_epoch_end": (2, "samples/samples_00000006.png"),
    "infogan_tf.commands.train:write_animation": (1, "samples/training.gif"),
}


@pytest.mark.parametrize("place", MOMENTS)
def test_training_stops_in_one_line_and_goes_on_to_the_same_result(tmp_path, whole, monkeypatch, place):
    at, named = MOMENTS[place]
    with monkeypatch.context() as patch:
        fill(patch, place, at)
        done = run_here(*FLAGS, "--run_dir=run", cwd=tmp_path, check=False, exporting=False)
    assert done.returncode == 74, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"Stopped: run/{named}: File too large. What was saved before is whole. To go on: ")
    assert not list((tmp_path / "run").rglob(".*"))
    run_here(*shlex.split(line.partition("To go on: ")[2])[2:], cwd=tmp_path, exporting=False)
    assert_same(weights(tmp_path / "run", 6), weights(whole, 6))
    assert logged(tmp_path / "run") == logged(whole)


def test_a_stopped_run_waits_for_the_checkpoint_in_the_background(tmp_path, monkeypatch):
    write = Checkpoints._write

    def slowly(self, path, arrays):
        time.sleep(3 if path.name == "step_00000004.npz" else 0)
        write(self, path, arrays)

    monkeypatch.setattr(Checkpoints, "_write", slowly)
    fill(monkeypatch, "infogan_tf.training.watching:TensorBoard.on_epoch_end", 2)  # two steps after a checkpoint
    done = run_here(*FLAGS, "--run_dir=run", cwd=tmp_path, check=False, exporting=False)
    assert done.returncode == 74, done.stdout + done.stderr
    names = {path.name for path in (tmp_path / "run/checkpoints").iterdir()}
    assert names == {"step_00000002.npz", "step_00000004.npz"}


@pytest.mark.parametrize("mode", ["evaluate", "export"])
def test_a_finished_run_keeps_what_it_had(tmp_path, whole, monkeypatch, mode):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    place = {
        "evaluate": "infogan_tf.commands.evaluate:write_text",
        "export": "infogan_tf.commands.export:export_saved_model",
    }[mode]
    # An export's tracing needs small files of its own; the weights are larger.
    fill(monkeypatch, place, 1, room={"evaluate": 8, "export": 100_000}[mode])
    done = run_here(f"--mode={mode}", "--run_dir=run", cwd=tmp_path, check=False)
    assert done.returncode == 74, done.stdout + done.stderr
    named = {"evaluate": "evaluation.json", "export": "export/infogan"}[mode]
    assert done.stderr.strip().splitlines()[-1] == f"main.py: run/{named}: File too large"  # below the bars
    assert "Traceback" not in done.stderr
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert not list(run.rglob(".*"))


def test_a_new_run_leaves_no_empty_folder(tmp_path, monkeypatch):
    fill(monkeypatch, "infogan_tf.commands.train:begin", 1)
    done = run_here(*FLAGS, "--run_dir=run", cwd=tmp_path, check=False, exporting=False)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("main.py: --run_dir: cannot write there (")
    assert not list(tmp_path.iterdir())
