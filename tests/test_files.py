"""Files appear whole or not at all."""

import pytest

from infogan_tf.files import remove_leftovers, whole_file, write_text


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
