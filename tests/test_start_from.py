"""--start_from: a new run that begins with another's weights."""

import json
import shutil

import numpy as np
import pytest
from conftest import TINY, assert_same, logged, run_here, weights

from infogan_tf.runs.metrics_file import read_lines

FLAGS = ("--steps=3", "--eval_every=1", "--checkpoint_every=1", "--keep_checkpoints=9", "--evaluation=none")


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    """A run with averages of its weights. Not to be changed."""
    folder = tmp_path_factory.mktemp("averaged")
    run_here(*TINY, "--steps=12", "--average_decay=0.9", "--run_dir=run", cwd=folder, exporting=False)
    return folder / "run"


def networks_of(checkpoint, averages=False):
    """The arrays of the networks, or of their averages, in the order of the model's weights."""
    names = sorted(name for name in checkpoint if name.startswith("model/"))
    return [checkpoint[name] for name in names if ("average_" in name) is averages and not name.endswith("step")]


def test_it_begins_with_the_averages_and_with_the_other_runs_options(tmp_path, averaged):
    run_here(
        f"--start_from={averaged}", *FLAGS, "--g_learning_rate=0.0005", "--run_dir=new", cwd=tmp_path, exporting=False
    )
    begun, ended = weights(tmp_path / "new", 0), weights(averaged, 12)
    kept = networks_of(ended, averages=True)
    assert len(kept) > 30
    for own in (networks_of(begun), networks_of(begun, averages=True)):
        for one, other in zip(own, kept, strict=True):
            np.testing.assert_array_equal(one, other)
    assert all(not array.any() for name, array in begun.items() if "optimizer" in name and "momentum" in name)
    config = json.loads((tmp_path / "new" / "config.json").read_text())["config"]
    old = json.loads((averaged / "config.json").read_text())["config"]
    changed = {"start_from", "steps", "eval_every", "checkpoint_every", "keep_checkpoints", "g_learning_rate"}
    assert {name for name in config if config[name] != old.get(name)} == changed
    assert config["start_from"] == str(averaged)
    assert [line["step"] for line in read_lines(tmp_path / "new" / "metrics.jsonl")] == [1, 2, 3]


def test_other_images_are_made_to_be_of_its_size(tmp_path, averaged):
    images = np.random.default_rng(0).integers(0, 256, (60, 40, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "mine.npy", images)
    flags = ("--dataset=mine.npy", "--cache_dir=cache", "--run_dir=new")
    run_here(f"--start_from={averaged}", *FLAGS, *flags, cwd=tmp_path, exporting=False)
    record = json.loads((tmp_path / "new" / "config.json").read_text())
    assert record["image_shape"] == [16, 16, 1]
    assert record["config"]["dataset"] == str(tmp_path / "mine.npy")


def test_it_resumes_when_the_other_run_is_gone(tmp_path, averaged):
    other = tmp_path / "other"
    shutil.copytree(averaged, other)
    run_here("--start_from=other", *FLAGS, "--run_dir=new", cwd=tmp_path, exporting=False)
    shutil.rmtree(other)
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path / "new", killed)
    shutil.rmtree(killed / "export")
    for step in (1, 2, 3):
        (killed / "checkpoints" / f"step_{step:08d}.npz").unlink()
    done = run_here("--resume", "--run_dir=killed", "--evaluation=none", cwd=tmp_path, exporting=False)
    assert "Going on at step 0, from" in done.stdout
    assert_same(weights(killed, 3), weights(tmp_path / "new", 3))
    assert logged(killed) == logged(tmp_path / "new")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--latents=noise:6,cat:10"],
            "--start_from: expected a run whose latents are the new one's, noise:6,cat:10",
        ),
        (["--recipe=invariant"], "--recipe: expected none with --start_from"),
        (["--starts=2", "--invariance_weight=1"], "--starts: expected 1 with --start_from"),
        (["--start_from=nowhere"], "--start_from: expected the folder of a run, with a config.json"),
        (
            ["--dataset=sprites"],
            "--start_from: expected a run whose networks are the new one's; they differ in generator",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path, averaged, flags, message):
    done = run_here(f"--start_from={averaged}", *FLAGS, *flags, "--run_dir=new", cwd=tmp_path, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert message in line
    assert not (tmp_path / "new").exists()


def test_labels_that_its_weights_were_told_are_not_forgotten(tmp_path):
    run_here(*TINY, "--labelled=20", "--run_dir=told", cwd=tmp_path, exporting=False)
    done = run_here("--start_from=told", "--labelled=0", "--run_dir=new", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--labelled: expected 20 or more with --start_from=" in done.stderr
    # Another seed would tell those of other images besides.
    done = run_here("--start_from=told", "--labelled=30", "--seed=1", "--run_dir=new", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--seed: expected 0 with --start_from=" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_run_without_a_checkpoint_is_refused(tmp_path, averaged):
    shutil.copytree(averaged, tmp_path / "other")
    shutil.rmtree(tmp_path / "other" / "checkpoints")
    done = run_here("--start_from=other", *FLAGS, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--start_from: expected a run with a checkpoint" in done.stderr
