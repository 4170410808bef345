"""--mode=sweep: which runs it makes, that it goes on where it stopped, and what it says at the end."""

import json
import re
import shlex
import shutil

import numpy as np
import pytest
from conftest import TINY, assert_same, run_here, run_main, weights
from PIL import Image

from infogan_tf.commands import sweep
from infogan_tf.config import grid as grids
from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.reports.comparison import Run
from infogan_tf.runs.directory import RunDirectory

FLAGS = ("--mode=sweep", "--seeds=3,4", *TINY)


def test_every_choice_of_options_meets_every_seed():
    grid = grids.parse_grid("lambda_info=0.3,1; batch_size=64,128", {})
    assert grid == {"lambda_info": ["0.3", "1"], "batch_size": ["64", "128"]}
    runs = dict(grids.combinations(grid, [0, 5]))
    assert len(runs) == 8
    assert runs["lambda_info=0.3-batch_size=128-seed=5"] == ["--lambda_info=0.3", "--batch_size=128", "--seed=5"]


def test_values_that_hold_commas_are_parted_by_bars():
    grid = grids.parse_grid("latents=noise:62,cat:8 | noise:62,cat:10;batch_size=64,128", {})
    assert grid == {"latents": ["noise:62,cat:8", "noise:62,cat:10"], "batch_size": ["64", "128"]}
    flags = dict(grids.combinations(grid, [0]))["latents=noise:62,cat:10-batch_size=64-seed=0"]
    assert flags == ["--latents=noise:62,cat:10", "--batch_size=64", "--seed=0"]


@pytest.mark.parametrize("text", ["", "a", "1,1", "-1", "0.5", "1,,2"])
def test_bad_seeds_are_refused(text):
    with pytest.raises(UserError, match="--seeds: expected different integers from 0"):
        grids.parse_seeds(text)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ("lambda=1", "'lambda' is no option of a run"),
        ("seed=1,2", "'seed' is no option of a run"),
        ("mode=train", "'mode' is no option of a run"),
        ("lambda_info=1;lambda_info=2", "'lambda_info' is given twice"),
        ("steps=1,2", "'steps' is given twice"),
        ("lambda_info=1,-1", "--lambda_info: expected a number from 0"),
        ("spectral_norm=yes", "--spectral_norm: expected true or false"),
        ("batch_size", "--batch_size: expected an integer"),
        ("batch_size=64|", "--batch_size: expected an integer"),
        ("latents=noise:62,cat:8|noise:62,cat:8", "expected different values of latents"),
    ],
)
def test_bad_grids_are_refused(grid, message):
    with pytest.raises(UserError, match=message):
        grids.parse_grid(grid, {"steps": 4})


def sweep_here(*flags, cwd):
    """A sweep whose runs are made in this process too, which saves the seconds of importing TensorFlow."""

    def call(command):
        done = run_here(*command[2:], cwd=cwd, check=False, exporting=False)  # without Python and main.py
        print(done.stdout, done.stderr)
        return done.returncode

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "_call", call)
        return run_here(*FLAGS, *flags, cwd=cwd).stdout


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The folder with a sweep, all/, and what it printed. Not to be changed."""
    folder = tmp_path_factory.mktemp("swept")
    return folder, sweep_here("--run_dir=all", cwd=folder)


def test_a_sweep_makes_the_runs_and_a_table(swept):
    folder, told = swept
    for seed in (3, 4):
        kept = json.loads((folder / "all" / f"seed={seed}" / "config.json").read_text())["config"]
        assert (kept["seed"], kept["steps"], kept["batch_size"]) == (seed, 4, 8)
    errors = [
        json.loads((folder / "all" / f"seed={seed}" / "metrics.jsonl").read_text().splitlines()[-1])["c1_error"]
        for seed in (3, 4)
    ]
    table = (folder / "all" / "sweep.md").read_text()
    assert table in told
    rows = {cells[1].strip(): cells[2:] for cells in (line.split("|") for line in table.splitlines() if "|" in line)}
    assert rows["run"][0].strip() == "c1_error"
    assert float(rows["seed=3"][0]) == pytest.approx(errors[0], abs=1e-4)
    assert float(rows["mean, all"][0]) == pytest.approx(sum(errors) / 2, abs=1e-4)
    assert float(rows["worst, all"][0]) == pytest.approx(max(errors), abs=1e-4)
    assert "seed=4" in (folder / "all" / "compare.html").read_text()


def test_a_sweep_goes_on_where_it_stopped(swept, tmp_path):
    whole, _ = swept
    shutil.copytree(whole / "all", tmp_path / "all")
    # What a kill in the second run's training leaves.
    shutil.rmtree(tmp_path / "all" / "seed=4" / "export")
    (tmp_path / "all" / "sweep.md").unlink()
    (tmp_path / "all" / "seed=4" / "checkpoints" / "step_00000004.npz").unlink()
    first = (tmp_path / "all" / "seed=3" / "config.json").read_bytes()
    told = sweep_here("--resume", "--run_dir=all", cwd=tmp_path)
    assert told.count("Done before.") == 1
    assert "Going on at step 2" in told
    assert (tmp_path / "all" / "seed=3" / "config.json").read_bytes() == first
    assert (tmp_path / "all" / "sweep.md").read_text() == (whole / "all" / "sweep.md").read_text()


def test_a_dry_run_prints_the_commands_of_the_runs_that_are_not_done(swept, tmp_path):
    folder, _ = swept
    dry = (*FLAGS, "--dry_run", "--grid=lambda_info=0.5,1")
    lines = run_here(*dry, "--run_dir=new", cwd=tmp_path).stdout.splitlines()
    assert len(lines) == 4
    words = shlex.split(lines[2])
    assert words[-2:] == ["--seed=3", "--run_dir=new/lambda_info=1-seed=3"]
    assert "--lambda_info=1" in words
    assert not any(word.startswith(("--mode", "--seeds", "--grid", "--dry_run")) for word in words)
    assert not (tmp_path / "new").exists()
    # Of a sweep that is done none is left, and of one that a kill cut short the rest.
    assert run_here(*FLAGS, "--dry_run", "--resume", "--run_dir=all", cwd=folder).stdout == ""
    shutil.copytree(folder / "all", tmp_path / "all")
    shutil.rmtree(tmp_path / "all" / "seed=4" / "export")
    left = run_here(*FLAGS, "--dry_run", "--resume", "--run_dir=all", cwd=tmp_path).stdout.splitlines()
    assert len(left) == 1
    assert left[0].endswith("--seed=4 --run_dir=all/seed=4 --resume")
    # One that was exported by hand before its end is not done.
    metrics = tmp_path / "all" / "seed=3" / "metrics.jsonl"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:-1]))
    left = run_here(*FLAGS, "--dry_run", "--resume", "--run_dir=all", cwd=tmp_path).stdout.splitlines()
    assert len(left) == 2


def test_a_sweep_gathers_runs_that_were_made_one_by_one(swept, tmp_path):
    folder, _ = swept
    shutil.copytree(folder / "all", tmp_path / "all")
    for name in ("sweep.json", "sweep.md", "compare.html"):
        (tmp_path / "all" / name).unlink()
    gathered = sweep_here("--resume", "--run_dir=all", cwd=tmp_path)
    assert gathered.count("Done before.") == 2
    assert (tmp_path / "all" / "sweep.md").read_text() == (folder / "all" / "sweep.md").read_text()
    # What was made with other options is not taken for what was asked for.
    (tmp_path / "all" / "sweep.md").unlink()
    done = run_here(*FLAGS, "--resume", "--run_dir=all", "--lambda_info=2", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--lambda_info" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "all" / "sweep.md").exists()


def test_a_sweep_over_images_goes_on_by_the_paths_that_began_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for i in range(12):
            noise = np.random.default_rng(i).integers(0, 256, (16, 16), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / name / f"{i}.png")
    own = ("--seeds=3", "--grid=dataset=./one|~/two", "--image_size=16", "--cache_dir=cache", "--run_dir=all")
    sweep_here(*own, cwd=tmp_path)
    assert sweep_here(*own, "--resume", cwd=tmp_path).count("Done before.") == 2
    for name in ("sweep.json", "sweep.md", "compare.html"):
        (tmp_path / "all" / name).unlink()
    assert sweep_here(*own, "--resume", cwd=tmp_path).count("Done before.") == 2  # as gathered


def test_seeds_of_the_invariant_recipe_are_swept_over(tmp_path):
    told = sweep_here("--recipe=invariant", "--starts=1", "--run_dir=all", cwd=tmp_path)
    assert told.count("Done: 4 steps") == 2


def test_a_sweep_with_auto_goes_on_by_its_own_command(tmp_path):
    asked = ("--recipe=invariant", "--starts=1", "--invariances=auto; c2~shear:0.4", "--precision=auto")
    sweep_here(*asked, "--run_dir=all", cwd=tmp_path)
    assert sweep_here(*asked, "--resume", "--run_dir=all", cwd=tmp_path).count("Done before.") == 2
    # What auto never stands for is still another run.
    for other in ("--invariances=auto; c2~shear:0.5", "--precision=mixed_float16"):
        done = run_here("--resume", "--run_dir=all/seed=3", other, cwd=tmp_path, check=False)
        assert done.returncode == 2
        assert re.search(rf"{other.partition('=')[0]}: the run in .* keeps it\.", done.stderr)


def test_what_is_gathered_is_what_was_asked_for_and_nothing_is_written_over(swept, tmp_path):
    shutil.copytree(swept[0] / "all", tmp_path / "all")
    for name in ("sweep.json", "compare.html"):
        (tmp_path / "all" / name).unlink()
    (tmp_path / "all" / "sweep.md").write_text("mine")

    def refused(*flags):
        done = run_here(*FLAGS, "--resume", "--run_dir=all", *flags, cwd=tmp_path, check=False)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert (tmp_path / "all" / "sweep.md").read_text() == "mine"
        return done.stderr

    assert "--run_dir: expected runs made one by one, without a sweep.md among them" in refused()
    assert "--steps: the run in all/seed=3 has 4 and keeps it. Received: 9" in refused("--steps=9")
    # One of another model, of which the command says nothing.
    config = tmp_path / "all" / "seed=4" / "config.json"
    record = json.loads(config.read_text())
    record["config"] |= {"model": "gan", "latents": "noise:6"}
    config.write_text(json.dumps(record))
    assert "all/seed=4" in (told := refused())
    assert "--model" in told or "--latents" in told


@pytest.mark.slow
def test_each_run_is_made_in_a_process_of_its_own(swept, tmp_path):
    told = run_main(*FLAGS, "--run_dir=all", cwd=tmp_path).stdout
    assert told.count("Done: 4 steps") == 2
    for seed in (3, 4):
        one, other = (weights(folder / "all" / f"seed={seed}", 4) for folder in (tmp_path, swept[0]))
        assert_same(one, other)
    assert (tmp_path / "all" / "sweep.md").read_text() == (swept[0] / "all" / "sweep.md").read_text()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seed=1", "--run_dir=new"], "--seed: expected --seeds=0,1,2"),
        (["--resume", "--run_dir=nowhere"], "--run_dir: expected a sweep's folder"),
        (["--resume", "--run_dir=all", "--lambda_info=2"], "--resume: expected the flags of the sweep"),
        (["--run_dir=all"], "--run_dir: expected a new or empty folder"),
        (["--grid=stepz=1", "--run_dir=new"], "'stepz' is no option of a run"),
    ],
)
def test_bad_sweeps_are_refused_in_one_line(swept, flags, message):
    folder, _ = swept
    done = run_here(*FLAGS, *flags, cwd=folder, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "new").exists()


def test_of_runs_of_which_some_are_evaluated_the_others_show_no_figures_of_training(tmp_path):
    lines = [{"step": 2, "c1_error": 0.5, "mutual_info/c1": 1.2}]
    found = Evaluation("quick", 2, figures={"mutual_info/c1": 0.2})
    config = Config(steps=2, latents="noise:6,cat:10")
    one, other = (
        Run(name, RunDirectory(tmp_path / name), config, lines, each) for name, each in (("a", found), ("b", None))
    )
    rows = [line.split("|") for line in sweep.sweep_table([one, other]).splitlines()]
    by_name = {row[1].strip(): [cell.strip() for cell in row[2:-1]] for row in rows}
    assert by_name["a"] == ["0.5000", "0.2000"]
    assert by_name["b"] == ["0.5000", ""]
    assert by_name["mean, all"] == ["0.5000", "0.2000"]
    assert "1.2000" in sweep.sweep_table([other, other])


def test_figures_over_runs():
    assert sweep.over("worst", "c1_error", [0.1, 0.3, 0.2]) == 0.3
    assert sweep.over("worst", "fid", [1.0, 3.0]) == 3.0
    assert sweep.over("worst", "mig", [0.1, 0.3]) == 0.1
    assert sweep.over("median", "mig", [0.1, 0.3, 0.9]) == 0.3


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--grid=steps=1,2", "--seeds=" + ",".join(map(str, range(501)))], "at most 1,000 runs. Received: 1,002"),
        (["--grid=data_dir=a/b,a_b"], "'data_dir=a_b-seed=3', which is that of two runs"),
        (["--grid=invariances=" + "rotate:5" * 40], "has more than 255 bytes"),
        # Of the second run, what its images alone tell.
        (
            ["--seeds=3", "--grid=model=infogan,gan;d_updates=1,2", "--batch_size=2000"],
            "1,437 training images of digits",
        ),
    ],
)
def test_a_sweep_none_of_whose_runs_may_begin_writes_nothing(tmp_path, flags, message):
    own = [flag for flag in TINY if "latents" not in flag and "batch_size" not in flag and "steps" not in flag]
    done = run_here("--mode=sweep", "--seeds=3,4", *own, *flags, "--run_dir=new", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_sweep_whose_second_run_is_refused_by_its_images_begins_none(tmp_path):
    done = run_here("--mode=sweep", "--grid=batch_size=64,2000", "--run_dir=new", cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--batch_size: expected at most the 1,437 training images of digits. Received: 2000" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_sweep_that_goes_on_looks_into_all_its_runs_first(swept, tmp_path):
    shutil.copytree(swept[0] / "all", tmp_path / "all")
    (tmp_path / "all" / "seed=4" / "metrics.jsonl").write_text('{"step": "many"}\n')
    done = run_here(*FLAGS, "--resume", "--run_dir=all", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "all/seed=4/metrics.jsonl" in done.stderr
