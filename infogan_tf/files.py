"""Files and folders that are written whole or not at all."""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infogan_tf.errors import UserError


def partial_name(path: Path) -> Path:
    """A hidden name beside `path` for what is still being written; `remove_leftovers` knows it."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary path beside `path`; what was written there takes `path`'s place on success.

    The move is atomic, and the bytes have reached the disk before it. After an error, or a kill, `path` is
    as it was (a kill leaves the temporary file, which `remove_leftovers` deletes).
    """
    path = Path(path)
    temporary = partial_name(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """As `whole_file`, for a path where nothing lies.

    Raises:
        FileExistsError: where something does, or came to lie there meanwhile; it is as it was.
    """
    _refuse_existing(path)
    with whole_file(path) as temporary:
        yield temporary
        _refuse_existing(path)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, where nothing lies; it gets the name `path` on success.

    After an error nothing is left of it; a kill leaves the temporary folder.

    Raises:
        FileExistsError: where something lies there, or came to lie there meanwhile; it is as it was.
    """
    _refuse_existing(path)
    temporary = partial_name(path)
    temporary.mkdir()
    try:
        yield temporary
        _refuse_existing(path)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def alone_in(folder: Path, wait: bool = False) -> Iterator[None]:
    """Keeps other processes out of this block with the same folder; one that is killed leaves no lock behind.

    Where the file system has no locks, as on Windows and some network drives, it keeps nobody out.

    Args:
        folder: Which exists.
        wait: Whether to wait until the other is done.

    Raises:
        BlockingIOError: Where another process is in it, and this one does not wait.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:  # no locks there
            pass
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Waits until all that lies in `folder` has reached the disk, the folder's own entries too."""
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def versions(base: Path) -> list[int]:
    """The numbers that folders in `base` are named by, ascending: the versions of an exported model."""
    return sorted(int(path.name) for path in Path(base).glob("*") if path.name.isdigit() and path.is_dir())


def _refuse_existing(path):
    if path.exists() or path.is_symlink():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes `text` to `path`, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_leftovers(folder: Path) -> None:
    """Deletes the temporary files and folders that a killed process left in `folder`."""
    for leftover in folder.glob(".*.partial"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        UserError: where the file is missing or holds something else.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a JSON object. Received: {type(values).__name__}")
    return values
