"""Files appear whole or not at all."""

import errno
import json
import os
from pathlib import Path

import pytest

from infogan_tf.errors import UserError
from infogan_tf.files import as_json, entries, new_file, new_folder, remove_leftovers, whole_file, write_text
from infogan_tf.runs.checkpoints import Checkpoints
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import folders_of_runs, require_checkpoint


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def fail():
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_left_is_removed_and_nothing_else(tmp_path):
    for name in (".file.txt.12.partial", "file.txt", ".hidden", "other.partial"):
        (tmp_path / name).write_text("")
    (tmp_path / ".infogan.12.partial" / "variables").mkdir(parents=True)
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "file.txt", "other.partial"]


def test_what_is_still_written_is_left_alone(tmp_path):
    """Beside a user's own files: only leftovers of the same name, of processes that are gone."""
    gone = 2**30
    path = tmp_path / "grid.png"
    with new_folder(tmp_path / "samples") as filling, new_file(path) as writing:
        writing.write_text("half")
        for name in (f".grid.png.{gone}.partial", f".other.png.{gone}.partial"):
            (tmp_path / name).write_text("")
        (tmp_path / f".samples.{gone}.partial").mkdir()
        remove_leftovers(tmp_path, "grid.png")
        remove_leftovers(tmp_path, "samples")
        assert {found.name for found in tmp_path.iterdir()} == {
            filling.name,
            writing.name,
            f".other.png.{gone}.partial",
        }
    (tmp_path / f".next.png.{gone}.partial").write_text("")
    with new_file(tmp_path / "next.png") as writing:
        writing.write_text("whole")
    assert not (tmp_path / f".next.png.{gone}.partial").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_has_no_nan_and_no_infinity(value):
    assert as_json({"a": 1.5, "b": None}) == '{\n  "a": 1.5,\n  "b": null\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"a": [value]})


def fail_in(monkeypatch, folder, number):
    """Lets the system refuse to list a folder, as it refuses nothing to root."""
    iterdir = Path.iterdir

    def refused(path):
        if path == folder:
            raise OSError(number, os.strerror(number), str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refused)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_folder_that_cannot_be_read_is_not_held_for_empty(tmp_path, monkeypatch, number):
    run = RunDirectory(tmp_path / "a" / "run")
    run.checkpoints.mkdir(parents=True)
    (run.checkpoints / "step_00000002.npz").write_text("not looked into")
    run.config_file.write_text(json.dumps({"image_shape": [8, 8, 1], "config": {}}))
    require_checkpoint(run)
    with monkeypatch.context() as patch:
        fail_in(patch, run.checkpoints, number)
        with pytest.raises(OSError, match="checkpoints"):
            require_checkpoint(run)
        with pytest.raises(OSError, match="checkpoints"):
            Checkpoints(run.checkpoints).paths()
    fail_in(monkeypatch, tmp_path / "a", number)
    with pytest.raises(UserError, match=f"--runs: expected folders that can be read .*{tmp_path}/a'"):
        folders_of_runs(str(tmp_path))


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESRCH])
def test_a_folder_that_goes_while_it_is_looked_into_is_passed_over(tmp_path, monkeypatch, number):
    for name in ("a", "b", "gone"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        (tmp_path / name / "config.json").write_text('{"config": {}}')
    fail_in(monkeypatch, tmp_path / "gone", number)
    assert folders_of_runs(str(tmp_path)) == [tmp_path / "a", tmp_path / "b"]


def test_a_folder_is_a_list_and_all_else_holds_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    assert entries(tmp_path) == [tmp_path / "file", tmp_path / "loop"]
    assert [entries(tmp_path / name) for name in ("file", "loop", "nowhere")] == [[], [], []]
