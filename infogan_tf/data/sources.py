"""What --dataset names: a data set, or images of one's own."""

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path

from infogan_tf.errors import UserError

ARCHIVES, ARRAYS = (".zip",), (".npy", ".npz")
# What begins with it names a data set of tensorflow-datasets: tfds:NAME, NAME/CONFIG or NAME:VERSION.
TFDS = "tfds:"
_OF_TFDS = re.compile(r"[a-z0-9_]+(/[\w.-]+)?(:\d+\.\d+\.\d+)?", re.ASCII | re.IGNORECASE)
# What the name of a folder may hold for it to stand as it is in paths, on pages and in the titles of charts.
_PLAIN = re.compile(r"[^\w .,+=@()&'-]")


@dataclasses.dataclass(frozen=True)
class Source:
    """Where images come from.

    Attributes:
        kind: "named", "tfds", "folder", "zip" or "array".
        name: What runs and pages call it, see `name_of`.
        path: The absolute path of images of one's own; None of a data set by name.
        builder: The name that tensorflow-datasets has for it; empty of all others.
    """

    kind: str
    name: str
    path: Path | None = None
    builder: str = ""


def name_of(text: str) -> str:
    """What runs and pages call a data set that `read_source` reads, which need not be there any more.

    It is the data set's name, or that of the folder or file without its suffix, as far as it is plain text.
    """
    if text.startswith(TFDS):
        return re.sub("[/:]", "-", text.removeprefix(TFDS))
    if not Path(text).is_absolute():
        return text
    path = Path(text)
    is_file = path.suffix.lower() in ARCHIVES + ARRAYS and not path.is_dir()
    return _PLAIN.sub("_", path.stem if is_file else path.name) or "images"


def expanded(text: str, flag: str) -> str:
    """The path that a flag names, ~ or ~USER at its beginning spelled out; a UserError where there is no such user."""
    path = os.path.expanduser(text)  # noqa: PTH111  NAME/ keeps its slash
    if path.startswith("~"):
        raise UserError(f"--{flag}: expected a user that there is; ./~NAME is a file. Received: {text!r}")
    return path


def absolute(path: str, flag: str) -> Path:
    """The absolute path that a flag names; a UserError where it cannot be told."""
    try:
        return Path(path).absolute()
    except OSError as error:  # the folder in which the command was called is gone
        raise UserError(f"--{flag}: cannot be looked at ({error}). Received: {path!r}") from error


def refuse_within(text: str, images: str, flag: str) -> None:
    """Refuses, by a UserError, what would be written into a folder of images; it may be there or not.

    What lay there would be an image of the next run, and another fingerprint of this one.

    Args:
        text: The path of what is to be written.
        images: As --dataset has it once it is an absolute path; a data set by name is no folder.
        flag: That has it, for the message.
    """
    if Path(images).is_absolute() and Path(text).resolve().is_relative_to(Path(images).resolve()):
        raise UserError(
            f"--{flag}: expected a place outside the folder of images, into which nothing is written. "
            f"Received: {text!r}, in {images}"
        )


def is_fixed(text: str, names: Mapping[str, str]) -> bool:
    """Whether the images of a data set are as they are, and no option makes them of another size or crop.

    Args:
        text: As `read_source` takes it; it need not be there any more.
        names: As `read_source` takes them.
    """
    return text in names and not names[text].startswith(TFDS)


def read_source(text: str, names: Mapping[str, str], flag: str = "dataset") -> Source:
    """Reads what --dataset names.

    A name is always the data set: `./mnist` is a folder.

    Args:
        text: A name, tfds:NAME, a folder, a .zip, an .npy or an .npz.
        names: Of the data sets that are known by name; none, where only images of one's own will do. What such a name
            stands for may be another, tfds:NAME.
        flag: That has the text, for the message.

    Raises:
        UserError: Where it is none of these, or is not there.
    """
    known = names.get(text, text)
    if names and known.startswith(TFDS):
        builder = known.removeprefix(TFDS)
        if not _OF_TFDS.fullmatch(builder):
            raise UserError(
                f"--dataset: expected tfds:NAME, such as tfds:cifar10 or tfds:emnist/letters. Received: {text!r}"
            )
        return Source("tfds", name_of(text), builder=builder)
    if text in names:
        return Source("named", text)
    try:
        path = Path(text).expanduser()
        # Without `.` and `..`; a link keeps its name.
        path = Path(os.path.abspath(path)) if text else path  # noqa: PTH100
        str(path).encode()
        is_folder, is_file = path.is_dir(), path.is_file()
    except UnicodeEncodeError as error:
        raise UserError(
            "--dataset: expected a path whose name is UTF-8; a link to the images with another name will do. "
            f"Received: {text!r}"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"--{flag}: cannot be looked at ({error}). Received: {text!r}") from error
    if text and is_folder:
        return Source("folder", name_of(str(path)), path)
    suffix = path.suffix.lower()
    if is_file and suffix in ARCHIVES + ARRAYS:
        return Source("zip" if suffix in ARCHIVES else "array", name_of(str(path)), path)
    known = f"one of {', '.join(names)}; or tfds:NAME; or " if names else ""
    wanted = f"{known}a folder, a .zip, an .npy or an .npz of images"
    why = ", which is a file of another kind" if is_file else ""
    raise UserError(f"--{flag}: expected {wanted}. Received: {text!r}{why}")
