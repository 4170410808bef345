"""The file in which a data set's images are put in order once."""

import resource
import shutil
import signal
import threading

import numpy as np
import pytest

from infogan_tf.data.image_file import images_in_file
from infogan_tf.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    """Where the file is to be; its folder is not there yet."""
    return tmp_path / "ours" / "images.npy"


def in_any_order():
    for places in np.array_split(np.random.default_rng(1).permutation(len(IMAGES)), 7):
        yield places, IMAGES[places]


def never():
    pytest.fail("the images were read again")


def left(path):
    """The names in the file's folder, but for the lock."""
    return sorted(file.name for file in path.parent.iterdir() if file.name != ".lock")


def test_it_holds_the_images_in_order_for_everyone(path):
    images = images_in_file(path, IMAGES.shape, in_any_order)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(np.load(path), IMAGES)
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable
    assert left(path) == ["images.npy"]


def test_it_is_written_once(path):
    images_in_file(path, IMAGES.shape, in_any_order)
    np.testing.assert_array_equal(images_in_file(path, IMAGES.shape, never), IMAGES)


@pytest.mark.parametrize("error", [UserError("incomplete"), KeyboardInterrupt()])
def test_an_error_on_the_way_leaves_nothing(path, error):
    def half():
        yield from list(in_any_order())[:3]
        assert not path.exists()
        raise error

    with pytest.raises(type(error)):
        images_in_file(path, IMAGES.shape, half)
    assert left(path) == []


def test_what_a_kill_left_is_removed_and_not_used(path):
    path.parent.mkdir()
    (path.parent / ".images.npy.12.partial").write_bytes(b"half")
    np.testing.assert_array_equal(images_in_file(path, IMAGES.shape, in_any_order), IMAGES)
    assert left(path) == ["images.npy"]


def test_of_two_who_need_it_the_second_waits_for_the_first(path):
    begun, go_on, found = threading.Event(), threading.Event(), {}

    def slowly():
        begun.set()
        assert go_on.wait(60)
        yield from in_any_order()

    def need(who, read):
        found[who] = images_in_file(path, IMAGES.shape, read)

    first, second = (threading.Thread(target=need, args=who) for who in (("first", slowly), ("second", never)))
    first.start()
    assert begun.wait(60)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    for thread in (first, second):
        thread.join(60)
    np.testing.assert_array_equal(found["first"], IMAGES)
    np.testing.assert_array_equal(found["second"], IMAGES)


WRONG = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "of another shape": lambda path: np.save(path, IMAGES[1:]),
    "of floats": lambda path: np.save(path, IMAGES.astype(np.float32)),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_file_that_is_not_whole_is_named_and_left_alone(path, how):
    images_in_file(path, IMAGES.shape, in_any_order)
    WRONG[how](path)
    before = path.read_bytes()
    with pytest.raises(
        UserError, match=r"images\.npy: expected .*uint8 \[50, 16, 16, 3\]\. Received: .*Delete"
    ) as info:
        images_in_file(path, IMAGES.shape, never)
    assert "\n" not in str(info.value)
    assert path.read_bytes() == before


def test_too_small_a_disk_is_said_before_anything_is_read(path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10_000))
    with pytest.raises(UserError, match=r"--data_dir: .*Received: .*ours' \(0\.04 MB are needed, 0\.01 MB free\)"):
        images_in_file(path, IMAGES.shape, never)
    assert left(path) == []


def test_a_disk_that_fills_up_on_the_way_is_said_in_one_line(path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = np.ones((100, 256, 256, 1), np.uint8)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, limits[1]))
    try:
        with pytest.raises(UserError, match=r"--data_dir: expected .*Received: .*File too large"):
            images_in_file(path, large.shape, lambda: [(np.arange(100), large)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert left(path) == []


def test_a_folder_that_cannot_be_is_said_in_one_line(path):
    path.parent.write_text("a file in its place")
    with pytest.raises(UserError, match=r"--data_dir: expected a folder that can be written.*Received: .*ours'"):
        images_in_file(path, IMAGES.shape, never)
