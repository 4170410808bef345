"""Files and folders that are written whole or not at all."""

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from infogan_tf.errors import UserError, first_line

_LEFTOVER = re.compile(r"\.(?P<name>.+)\.(?P<process>[0-9]+)\.partial", re.DOTALL)
# The folder may have gone, be a file or a link to itself, or be that of a process that has ended.
_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESRCH)
_VERSION = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)


def partial_name(path: Path) -> Path:
    """Returns a hidden name beside `path` for what this process still writes; `remove_leftovers` knows its form."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


@contextlib.contextmanager
def naming(path: str | os.PathLike) -> Iterator[None]:
    """Lets an OSError of the block name `path`, the file or folder that the block is about, if it is the system's."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def written_by_tensorflow(path: str | os.PathLike) -> Iterator[None]:
    """Turns what TensorFlow raises where it cannot write `path` into the OSError that Python raises then."""
    from tensorflow import errors  # takes seconds to import, and is imported by whoever writes with it

    try:
        yield
    except errors.OpError as error:
        # "{{node ...}} folder/file; No space left on device [Op:SaveV2]"
        reason = first_line(error).rpartition("; ")[2].partition(" [Op:")[0]
        raise OSError(errno.EIO, reason, str(path)) from error


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path`, where the block writes a file that replaces `path` on success.

    The replacement is atomic, and the bytes have reached the disk before it. After an error or a kill, `path` is as it
    was; a kill leaves the temporary file, which `remove_leftovers` deletes.
    """
    path = Path(path)
    temporary = partial_name(path)
    with naming(path):
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path as `whole_file` does, for a `path` where nothing exists; deletes what a kill left of it.

    Raises:
        FileExistsError: Where something exists at `path` before or after the block; it is left as it was.
    """
    _refuse_existing(path)
    remove_leftovers(path.parent, path.name)
    with whole_file(path) as temporary:
        yield temporary
        _refuse_existing(path)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yields a new temporary folder beside `path`, which is renamed to `path` on success.

    After an error nothing is left of it; a kill leaves the temporary folder, which `remove_leftovers` deletes.

    Raises:
        FileExistsError: Where something exists at `path` before or after the block; it is left as it was.
    """
    _refuse_existing(path)
    remove_leftovers(path.parent, path.name)
    with temporary_folder(path) as temporary:
        yield temporary
        _refuse_existing(path)
        temporary.rename(path)


@contextlib.contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yields a new folder beside `path`, to be moved to where it belongs; if it is still there, it is deleted.

    While the block lasts no other process's `remove_leftovers` takes the folder for one that a kill left.
    """
    temporary = partial_name(path)
    with naming(path):
        try:
            temporary.mkdir()
            with alone_in(temporary):
                yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def alone_in(folder: Path, wait: bool = False) -> Iterator[None]:
    """Lets one process at a time into blocks with the same folder; a killed process leaves no lock behind.

    Where there are no file locks, as on Windows and some network drives, it keeps nobody out.

    Args:
        folder: Existing folder to lock.
        wait: Whether to wait for a process inside such a block, rather than raise.

    Raises:
        BlockingIOError: Where another process is inside such a block, and `wait` is False.
        FileNotFoundError: Where the folder is gone, or another one is there, by the time that it would be this one's.
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
        if not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        yield
    finally:
        os.close(descriptor)


def skipped_beside(table: Path) -> Path:
    """Where the files that cannot be read are listed, beside a table of the others."""
    return table.with_name(f"{table.stem}_skipped.txt")


def sync_folder(folder: Path) -> None:
    """Waits until everything in `folder`, at any depth, and the folder's own entries have reached the disk.

    Windows opens no folders: there it waits for the files alone.
    """
    for path in (*folder.rglob("*"), folder):
        if os.name == "nt" and path.is_dir():
            continue
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def versions(base: Path) -> list[int]:
    """Returns the versions of an exported model, ascending: the folders in `base` whose names are numbers.

    They are as TF Serving writes them, and below what it counts to; a folder called 007 or notes is somebody else's.
    """
    return sorted(int(path.name) for path in entries(base) if _VERSION.fullmatch(path.name) and path.is_dir())


def newest_version(path: Path) -> Path:
    """The folder of an exported model: `path`, or the highest version below it, as TF Serving chooses."""
    found = versions(path)
    return path / str(found[-1]) if found else path


def _refuse_existing(path):
    if path.exists() or path.is_symlink():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes `text` to `path`, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def as_json(values: Any, indent: int | None = 2) -> str:
    """JSON that every reader takes, with a newline at its end.

    Raises:
        ValueError: Where a number is NaN or infinite, which JSON does not have.
    """
    return json.dumps(values, indent=indent, allow_nan=False) + "\n"


def entries(folder: Path) -> list[Path]:
    """Returns what lies in `folder`, sorted; [] where there is no such folder, or no longer.

    Raises:
        OSError: Where it cannot be read, which `Path.glob` takes for empty.
    """
    try:
        return sorted(Path(folder).iterdir())
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise
    return []


def is_empty(folder: Path) -> bool:
    """Whether `folder` holds nothing, or only what a killed process left there."""
    return not any(path for path in folder.iterdir() if not _LEFTOVER.fullmatch(path.name))


def remove_leftovers(folder: Path, of: str | None = None) -> None:
    """Deletes the temporary files and folders that a killed process left in `folder`.

    Folders that another process still fills are left alone.

    Args:
        folder: The folder. Without `of`, no other process may write files there.
        of: The name of what was to be written, for its leftovers alone; then files that a process of this machine still
            writes are left alone, too. None takes those of any name.
    """
    for leftover in entries(folder):
        found = _LEFTOVER.fullmatch(leftover.name)
        if not found or of not in (None, found["name"]):
            continue
        if leftover.is_dir():
            with contextlib.suppress(BlockingIOError, FileNotFoundError), alone_in(leftover):
                shutil.rmtree(leftover)
        elif of is None or not _is_alive(int(found["process"])):
            leftover.unlink(missing_ok=True)


def _is_alive(process):
    """Whether there is such a process on this machine; where that cannot be asked, as on Windows, it is held for so."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def parse_json(text: str) -> Any:
    """What a text holds as JSON, whose objects have each name once; a ValueError where it holds no such thing."""
    try:
        found = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if "\\ud" in text.lower():  # halves of characters, which no file can hold
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _object(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON file that holds one object.

    Raises:
        UserError: Where the file is missing, or holds something else.
    """
    try:
        values = parse_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a JSON object. Received: {type(values).__name__}")
    return values


def unfit_names(
    values: Mapping[str, Any], forms: Mapping[str, Callable[[Any], bool]], required: Iterable[str]
) -> list[str]:
    """The names in a JSON object that are unknown or hold another form; and those required that are missing.

    Args:
        values: What the object holds.
        forms: By each name that it may have, whether a value can be its.
        required: The names that it has to have.
    """
    wrong = [name for name in values if name not in forms or not forms[name](values[name])]
    return wrong + [name for name in required if name not in values]


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a number, no truth value, neither NaN nor near the end of what a float holds."""
    return type(value) in (int, float) and abs(value) < 1e300


def is_count(value: Any) -> bool:
    """Whether a value of JSON is an integer from 0, of 64 bits."""
    return type(value) is int and 0 <= value < 2**63
