"""What --dataset names: a data set, or images of one's own."""

import dataclasses
from collections.abc import Collection
from pathlib import Path

from infogan_tf.errors import UserError

ARCHIVES, ARRAYS = (".zip",), (".npy", ".npz")


@dataclasses.dataclass(frozen=True)
class Source:
    """Where images come from.

    Attributes:
        kind: "named", "folder", "zip" or "array".
        name: What runs and pages call it: the data set's name, or that of the folder or file without its suffix.
        path: The absolute path of images of one's own; None of a data set by name.
    """

    kind: str
    name: str
    path: Path | None = None


def name_of(text: str) -> str:
    """What runs and pages call a data set that `read_source` reads, which need not be there any more."""
    if not Path(text).is_absolute():
        return text
    path = Path(text)
    is_file = path.suffix.lower() in ARCHIVES + ARRAYS and not path.is_dir()
    return (path.stem if is_file else path.name) or "images"


def absolute(text: str, flag: str) -> Path:
    """The absolute path that a flag names; a UserError where it cannot be one."""
    try:
        return Path(text).expanduser().absolute()
    except (OSError, RuntimeError) as error:
        raise UserError(f"--{flag}: cannot be looked at ({error}). Received: {text!r}") from error


def read_source(text: str, names: Collection[str], flag: str = "dataset") -> Source:
    """Reads what --dataset names.

    Names win: `mnist` is the data set, `./mnist` a folder.

    Args:
        text: A name, a folder, a .zip, an .npy or an .npz.
        names: Of the data sets that are known by name; none, where only images of one's own will do.
        flag: That has the text, for the message.

    Raises:
        UserError: Where it is none of these, or is not there.
    """
    if text in names:
        return Source("named", text)
    try:
        path = Path(text).expanduser()
        path = path.absolute() if text else path
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"--{flag}: cannot be looked at ({error}). Received: {text!r}") from error
    if text and is_folder:
        path = path.resolve()
        return Source("folder", name_of(str(path)), path)
    suffix = path.suffix.lower()
    if is_file and suffix in ARCHIVES + ARRAYS:
        path = path.resolve()
        return Source("zip" if suffix in ARCHIVES else "array", name_of(str(path)), path)
    known = f"one of {', '.join(names)}; or " if names else ""
    wanted = f"{known}a folder, a .zip, an .npy or an .npz of images"
    why = ", which is a file of another kind" if is_file else ""
    raise UserError(f"--{flag}: expected {wanted}. Received: {text!r}{why}")
