"""A run's folder is one process's: two that begin at once share none, and nothing is left of what was never begun."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import MAIN, NO_EXPORT, ROOT, TINY, run_here

from infogan_tf import files
from infogan_tf.commands import sweep
from infogan_tf.config.options import Config
from infogan_tf.errors import RunStopped, UserError
from infogan_tf.files import alone_in
from infogan_tf.runs.claims import at_work, new_run
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import read_lines

# Claims a new run's folder once its input says so, and keeps it until the input ends. It imports no TensorFlow.
CLAIM = """
import sys
from types import SimpleNamespace
sys.argv[0] = sys.argv[1]
sys.path.insert(0, sys.argv[3])
from infogan_tf.errors import UserError
from infogan_tf.runs.claims import new_run
from infogan_tf.runs.records import begin
print("ready", flush=True)
sys.stdin.readline()
try:
    with new_run(sys.argv[2], "digits") as run:
        begin(run, {}, SimpleNamespace(image_shape=(16, 16, 1), digest="", skipped=()), ["main.py"])
        print(run, flush=True)
        sys.stdin.read()
except UserError as error:
    print(error, flush=True)
assert "tensorflow" not in sys.modules
"""


def claimants(count, run_dir, folder):
    """Processes that claim a run's folder at the same moment, and what each of them said."""
    command = [sys.executable, "-c", CLAIM, str(MAIN), run_dir, str(ROOT)]
    processes = [
        subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * count
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    return processes, [process.stdout.readline().strip() for process in processes]


def let_go(processes):
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0


def test_processes_that_begin_at_once_get_a_folder_each(tmp_path):
    processes, said = claimants(6, "", tmp_path)
    let_go(processes)
    assert len(set(said)) == 6
    for folder in said:
        assert len(json.loads((tmp_path / folder / "config.json").read_text())["commands"]) == 1
    assert sorted(said) == sorted(f"runs/digits/{path.name}" for path in (tmp_path / "runs" / "digits").iterdir())


def test_of_processes_with_one_new_name_the_first_gets_it(tmp_path):
    processes, said = claimants(5, "mine", tmp_path)
    let_go(processes)
    assert said.count("mine") == 1
    for line in set(said) - {"mine"}:
        assert line.startswith("--run_dir: expected a")
        assert "'mine'" in line
    assert len(json.loads((tmp_path / "mine" / "config.json").read_text())["commands"]) == 1


def test_a_killed_process_leaves_no_lock(tmp_path):
    (holder,), (said,) = claimants(1, "mine", tmp_path)
    assert said == "mine"
    run = RunDirectory(tmp_path / "mine")
    with pytest.raises(UserError, match="in which no other process works"), at_work(run):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with at_work(run):
        pass


def test_threads_that_begin_at_once_get_a_folder_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    together, count = threading.Barrier(16), 16

    def claim(_):
        together.wait()
        with new_run("", "digits") as run:
            (run.path / "config.json").write_text("")
            together.wait()
        return str(run)

    with ThreadPoolExecutor(count) as pool:
        assert len(set(pool.map(claim, range(count)))) == count


def fail_in(run_dir, write=None):
    with new_run(run_dir, "digits") as run:
        if write:
            (run.path / write).write_text("kept")
        raise RuntimeError


@pytest.mark.parametrize("run_dir", ["", "new", "deep/er/new"])
def test_nothing_is_left_of_a_run_that_wrote_nothing(tmp_path, monkeypatch, run_dir):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError):
        fail_in(run_dir)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_or_holds_something_stays(tmp_path):
    for name in ("empty", "above"):
        (tmp_path / name).mkdir()
    for run_dir, write in (("empty", None), ("above/new", None), ("begun/here", "config.json")):
        with pytest.raises(RuntimeError):
            fail_in(str(tmp_path / run_dir), write)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert found == {"empty", "above", "begun", "begun/here", "begun/here/config.json"}


def test_a_folder_that_another_process_removed_meanwhile_is_made_again(tmp_path, monkeypatch):
    import fcntl

    lock, path, times = fcntl.flock, tmp_path / "new", []

    def too_late(*arguments):
        times.append(1)
        if len(times) < 3:
            path.rmdir()
        if len(times) == 2:
            path.mkdir()  # somebody else's
        lock(*arguments)

    monkeypatch.setattr(fcntl, "flock", too_late)
    with new_run(str(path), "digits") as run:
        monkeypatch.setattr(fcntl, "flock", lock)
        assert len(times) == 3
        with pytest.raises(BlockingIOError), alone_in(run.path):
            pass


def test_what_a_kill_left_of_a_file_is_no_reason_to_refuse_the_folder(tmp_path):
    (tmp_path / ".config.json.12.partial").write_text("{")
    with new_run(str(tmp_path), "digits"):
        pass
    (tmp_path / "thesis.partial").write_text("mine")
    assert not files.is_empty(tmp_path)
    with pytest.raises(UserError, match="new or empty"), new_run(str(tmp_path), "digits"):
        pass


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything may be written by root")
def test_a_folder_in_which_nobody_may_write_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="--run_dir: cannot write"), new_run(str(tmp_path / "new"), "digits"):
        pass


def test_sweeps_that_begin_at_once_get_a_folder_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config(mode="sweep")
    with sweep._folder(config, {"steps": 1}) as one, sweep._folder(config, {}) as other:
        assert one != other
        assert json.loads((one / "sweep.json").read_text()) == {"flags": ["--steps=1"]}
        assert json.loads((other / "sweep.json").read_text()) == {"flags": []}
    taken = Config(mode="sweep", resume=True, run_dir=str(one))
    with (
        sweep._folder(taken, {"steps": 1}),
        pytest.raises(UserError, match="no other process"),
        sweep._folder(taken, {"steps": 1}),
    ):
        pass


@pytest.mark.parametrize(
    ("status", "exit_code", "message", "left"),
    [(2, 2, "^$", False), (130, 130, "To go on: .*--resume --run_dir=all", True), (-9, 137, "To go on", True)],
)
def test_a_sweep_ends_as_its_run_did(tmp_path, monkeypatch, status, exit_code, message, left):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sweep, "_call", lambda command: status)
    with pytest.raises(RunStopped, match=message) as info:
        sweep.sweep(Config(mode="sweep", run_dir="all"), {"mode": "sweep"}, ["main.py", "--mode=sweep"])
    assert info.value.exit_code == exit_code
    assert (tmp_path / "all" / "sweep.json").exists() == left
    assert (tmp_path / "all").exists() == left


@pytest.mark.parametrize("flags", [["--resume"], ["--mode=evaluate"], ["--mode=export"]])
def test_a_run_in_which_another_process_works_is_left_alone(tmp_path, tiny_run, flags):
    shutil.copytree(tiny_run[0], tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    with at_work(RunDirectory(tmp_path / "run")):
        done = run_here(*flags, "--run_dir=run", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--run_dir: expected a run in which no other process works. Received: 'run'" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


@pytest.mark.slow
@pytest.mark.parametrize("count", [10])
def test_trainings_that_begin_at_once_are_whole_each(tmp_path, count):
    command = [sys.executable, NO_EXPORT, *TINY, "--networks=mlp"]
    processes = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(count)
    ]
    for process in processes:
        printed, _ = process.communicate(timeout=1800)
        assert process.returncode == 0, printed
    runs = list((tmp_path / "runs" / "digits").iterdir())
    assert len(runs) == count
    for run in runs:
        assert len(json.loads((run / "config.json").read_text())["commands"]) == 1
        assert [line["step"] for line in read_lines(run / "metrics.jsonl")] == [2, 4]
        assert [path.name for path in (run / "export" / "infogan").iterdir()] == ["1"]


@pytest.mark.slow
def test_what_the_data_refuses_leaves_nothing_of_a_run_or_a_sweep(tmp_path):
    for flags in ((), ("--mode=sweep",)):
        done = subprocess.run(
            [sys.executable, MAIN, "--batch_size=5000", *flags], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].endswith("images of digits. Received: 5000")
        assert list(tmp_path.iterdir()) == []
