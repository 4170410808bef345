"""The command as its user called it, in what is printed and in what is run; and an end in good order."""

import errno
import io
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import MAIN, ROOT, TINY, run_here

import configs
import infogan_tf
from infogan_tf import command_line
from infogan_tf.commands import sweep
from infogan_tf.config.options import Config
from infogan_tf.environment import invocation
from infogan_tf.environment.invocation import command_words, end_with_parent, environment_of_child
from infogan_tf.environment.terminal import unread_is_dropped
from infogan_tf.errors import RunStopped
from infogan_tf.runs.metrics_file import read_lines

# In place of `python -m` and the like: a process in which importing the package imports no TensorFlow.
BARE = f"import sys; sys.argv[0] = {str(MAIN)!r}; sys.path.insert(0, {str(ROOT)!r})\n"
BIN = Path(sys.executable).parent


@pytest.fixture
def python(monkeypatch):
    """The interpreter's own name, which the user typed and which finds it."""
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    name = Path(sys.executable).name
    monkeypatch.setattr(sys, "orig_argv", [name, "main.py"])
    return name


@pytest.mark.parametrize("program", ["main.py", "../main.py", "/some/where/main.py"])
def test_a_script_is_called_as_it_was(python, program):
    assert command_words(program) == [python, program]


def test_a_module_is_called_as_it_was(python):
    assert command_words(str(ROOT / "infogan_tf" / "__main__.py")) == [python, "-m", "infogan_tf"]


def test_a_word_that_finds_another_interpreter_is_not_repeated(tmp_path, monkeypatch, python):
    (tmp_path / python).symlink_to(sys.executable)  # without the packages of this one's environment
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_words("main.py") == [sys.executable, "main.py"]
    monkeypatch.setattr(sys, "orig_argv", [""])
    assert command_words("main.py") == [sys.executable, "main.py"]


def test_the_installed_command_is_named_where_the_name_finds_it(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "infogan"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert command_words(str(program)) == ["infogan"]
    (tmp_path / "link").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_words(str(program)) == [str(program)]


@pytest.mark.parametrize("call", ["{python} main.py", "{python} -m infogan_tf", "{bin}/{python} main.py"])
def test_help_names_the_command_as_it_was_called(call):
    call = call.format(python=Path(sys.executable).name, bin=BIN)
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        f"{call} --help", shell=True, cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"\n  {call} --resume --run_dir=RUN" in done.stdout


def test_a_summary_names_commands_that_work_here(tiny_run):
    commands = [line.split(maxsplit=1)[1] for line in tiny_run[1].splitlines() if "--mode=" in line]
    assert len(commands) == 3
    for command in commands:
        program, mode, run_dir = shlex.split(command)[1:4]
        assert program == "main.py"
        assert mode in ("--mode=evaluate", "--mode=sample", "--mode=explore")
        assert run_dir == "--run_dir=run"


def test_a_sweep_says_how_to_go_on_as_it_was_called(tmp_path, monkeypatch, python):
    monkeypatch.chdir(tmp_path)
    called = []
    monkeypatch.setattr(sweep, "_call", lambda command: called.append(command) or 130)
    argv = ["main.py", "--mode=sweep", "--seeds=3", "--steps=4", "--run_dir=a b"]
    with pytest.raises(RunStopped) as info:
        sweep.sweep(Config(mode="sweep", seeds="3", run_dir="a b"), {"mode": "sweep", "steps": 4}, argv)
    command = shlex.split(str(info.value).split("To go on: ")[1])
    assert command == [python, *argv, "--resume", "--run_dir=a b"]
    assert called == [[python, "main.py", "--steps=4", "--seed=3", "--run_dir=a b/seed=3"]]


def test_a_comparison_says_how_to_measure_a_run(tmp_path, tiny_run, monkeypatch, python):
    for name in ("one", "other run"):
        (tmp_path / name).symlink_to(tiny_run[0])
    # The same run twice is one; two of its copies are not.
    done = run_here("--mode=compare", "--runs=one,other run", cwd=tmp_path, check=False)
    assert "--runs: expected two folders" in done.stderr
    (tmp_path / "other run").unlink()
    (tmp_path / "other run").mkdir()
    for path in tiny_run[0].iterdir():
        (tmp_path / "other run" / path.name).symlink_to(path)
    done = run_here("--mode=compare", "--runs=one,other run", cwd=tmp_path)
    assert f"  one: no evaluation yet; to measure it: {python} main.py --mode=evaluate --run_dir=one\n" in done.stdout
    assert f"{python} main.py --mode=evaluate '--run_dir=other run'\n" in done.stdout
    assert "--mode=evaluate --run_dir=one" in (tmp_path / "compare.html").read_text()


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (MAIN, True),
        ("/usr/bin/infogan", True),
        ("infogan.exe", True),
        ("infogan.py", False),
        ("/some/where/main.py", False),
        ("", False),
    ],
)
def test_who_loads_models_by_keras_finds_the_classes_registered(monkeypatch, program, expected):
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert infogan_tf._is_the_command() == expected


@pytest.mark.parametrize("flags", [["--help"], ["--dry_run"]])
def test_a_reader_that_has_gone_is_no_traceback(flags):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, MAIN, *flags], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(("call", "status"), [("--help >&-", 0), ("--dry_run >&-", 0), ("--batch_size=1 2>&-", 2)])
def test_a_stream_that_is_closed_is_no_traceback(call, status):
    command = f"{shlex.join([sys.executable, str(MAIN)])} {call}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


def test_what_cannot_be_written_keeps_no_file_open(monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "full")

    def next_descriptor():
        found = os.dup(2)
        os.close(found)
        return found

    monkeypatch.setattr(sys, "stdout", Full())
    before = next_descriptor()
    with unread_is_dropped("stdout"):
        for _ in range(3):
            print("a line")
        assert next_descriptor() == before


def test_a_process_of_nobodys_watches_nobody(monkeypatch):
    monkeypatch.delenv(invocation._STARTED_BY, raising=False)
    monkeypatch.setattr(invocation.threading, "Thread", lambda **_: pytest.fail("a watcher"))
    end_with_parent()


def test_what_a_child_starts_is_not_its_parents(monkeypatch):
    monkeypatch.setenv(invocation._STARTED_BY, str(os.getppid()))
    end_with_parent(seconds=3600.0)
    assert invocation._STARTED_BY not in os.environ
    assert environment_of_child()[invocation._STARTED_BY] == str(os.getpid())


def test_every_command_watches_for_its_parent(monkeypatch, capsys):
    called = []
    monkeypatch.setattr(command_line, "end_with_parent", lambda: called.append(True))
    assert command_line.main(["main.py", "--dry_run"], configs) == 0
    assert called == [True]


CHILD = """
import signal, time
from infogan_tf.environment.invocation import end_with_parent
def stop(*_):
    print("stopped", flush=True)
    raise SystemExit
signal.signal(signal.SIGTERM, stop)
end_with_parent(seconds=0.05)
print("watching", flush=True)
time.sleep(600)
"""
PARENT = """
import subprocess, time
from infogan_tf.environment.invocation import environment_of_child
subprocess.Popen([sys.executable, "-c", sys.argv[1]], env=environment_of_child())
time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="orphans have another parent on POSIX alone")
def test_a_child_whose_parent_is_killed_is_sent_sigterm():
    parent = subprocess.Popen(
        [sys.executable, "-c", BARE + PARENT, BARE + CHILD], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert parent.stdout.readline() == "watching\n"
        assert select.select([parent.stdout], [], [], 0.5)[0] == []  # it goes on while its parent is there
        parent.kill()
        assert parent.communicate(timeout=120)[0] == "stopped\n"  # the pipe ends with the child
    finally:
        kill_all_of(parent)


@pytest.mark.slow
def test_the_run_of_a_killed_sweep_saves_and_stops(tmp_path):
    flags = ("--mode=sweep", "--seeds=5", *TINY, "--run_dir=all")
    parent = subprocess.Popen(
        [sys.executable, MAIN, *flags, "--steps=1000000000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    run = tmp_path / "all" / "seed=5"
    try:
        deadline = time.monotonic() + 600
        while not list((run / "checkpoints").glob("step_*.npz")):
            assert parent.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        parent.send_signal(signal.SIGKILL)
        printed, _ = parent.communicate(timeout=300)  # the pipe ends with the run
    finally:
        kill_all_of(parent)
    assert "Stopped by SIGTERM at step" in printed
    command = printed.rpartition("To go on: ")[2].strip()
    assert "--resume --run_dir=all/seed=5" in command
    steps = [line["step"] for line in read_lines(run / "metrics.jsonl")]
    assert steps == sorted(set(steps))
    assert int(max(path.stem for path in (run / "checkpoints").iterdir()).partition("_")[2]) >= steps[-1]


def kill_all_of(parent):
    """Ends a process and what it started, where they are not gone."""
    try:
        os.killpg(parent.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    parent.communicate()
