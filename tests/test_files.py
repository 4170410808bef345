"""Files appear whole or not at all."""

import pytest

from infogan_tf.files import as_json, new_file, new_folder, remove_leftovers, whole_file, write_text


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
