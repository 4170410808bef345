"""Files that are written whole or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


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
