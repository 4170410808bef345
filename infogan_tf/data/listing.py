"""Which images a folder or a .zip holds, which are for training and which for evaluation, and how they are labelled."""

import contextlib
import dataclasses
import hashlib
import itertools
import math
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from infogan_tf.errors import UserError, printable

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff")
# A file of more bytes is not read: no image needs them, and an archive may only claim that it is small.
LARGEST_FILE = 2**28
# Of these, reading a part gives no more than that part, whatever an archive may hold.
DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The share held out where there is no split, and the most images; it is halved until it is no more than these.
HELD_OUT, MOST_HELD_OUT = 0.1, 10_000
# What the folders of a split are called, in lower case: that for training, and that for evaluation, the first of these
# that is there.
TRAIN, TEST = "train", ("test", "val", "valid", "validation")


@dataclasses.dataclass(frozen=True)
class File:
    """One file of a listing.

    Attributes:
        name: Its path within the folder or archive, with slashes; a name that is no UTF-8 has surrogates.
        size: In bytes.
        changed: When it was changed, a number that differs after a change.
    """

    name: str
    size: int
    changed: int


@dataclasses.dataclass(frozen=True)
class Listing:
    """The images of a folder or archive, in an order that depends on their names alone.

    Attributes:
        train: What is for training.
        test: What is for evaluation.
        around: How many folders lie around all of them, one within another, as `zip -r` puts one into an archive.
        split: What the folders of the split are called, in lower case; empty where there is none.
        outside: What is for neither, as it lies outside of the split's folders.
    """

    train: tuple[File, ...]
    test: tuple[File, ...]
    around: int = 0
    split: tuple[str, ...] = ()
    outside: tuple[File, ...] = ()


def list_files(path: Path) -> list[File]:
    """Lists the image files of a folder, however deep, or of a .zip, in the order of their names.

    Hidden files are left alone, and links are followed, but no folder twice.

    Raises:
        UserError: Where the folder or archive cannot be read.
    """
    files = _of_archive(path) if path.is_file() else _of_folder(path)
    return sorted(files, key=lambda file: os.fsencode(file.name))


def list_images(path: Path) -> Listing:
    """Says which of the files that `list_files` lists are for training, and which for evaluation.

    `train/` and `test/` at the top are the split, or `train/` and the first of TEST that is there; a folder that all
    images lie in is not counted. Without both a tenth, about 10,000 at most, is held out by a hash of each file's name
    within the folder, so that an added file moves no other; above 100,000 files, 200,000, and so on, the share is
    halved.

    Raises:
        UserError: Where the folder or archive cannot be read, or has fewer than two images.
    """
    files = list_files(path)
    around = _folders_around(files)
    # Of a file that lies in no folder it is its name, which has a suffix.
    tops = [_parts(file.name, around)[0].lower() for file in files]
    split, outside = _split_of(tops), []
    if split:
        train, test = ([file for file, top in zip(files, tops, strict=True) if top == name] for name in split)
        outside = [file for file, top in zip(files, tops, strict=True) if top not in split]
    else:
        share = held_out_share(len(files))
        test = [file for file in files if place_of(file.name) < share]
        if files and not test:
            test = [min(files, key=lambda file: place_of(file.name))]
        if len(test) == len(files) > 1:
            test.remove(max(test, key=lambda file: place_of(file.name)))
        kept_out = set(test)
        train = [file for file in files if file not in kept_out]
    # Measures that take the first of these take a sample of all, and not one class.
    test = sorted(test, key=lambda file: place_of(file.name))
    if not train or not test:
        raise UserError(
            f"--dataset: expected a folder or archive with two images or more, {', '.join(SUFFIXES)}. "
            f"Received: {str(path)!r}, with {len(files)}"
        )
    return Listing(tuple(train), tuple(test), around, split, tuple(outside))


def labels_of(files: Iterable[File], above: int = 0) -> tuple[tuple[str, ...], list[int]]:
    """Returns the names of the class folders, sorted, and the number of each file's; nothing where there are none.

    A class folder is the first one below the split. All files have to lie in one, of two or more.

    Args:
        files: Of a listing.
        above: How many folders lie above those of the classes: around all, and that of the split.
    """
    found = [_class_of(file.name, above) for file in files]
    classes = set(found)
    if None in classes or len(classes) < 2:
        return (), []
    names = tuple(sorted(classes))
    numbers = {name: number for number, name in enumerate(names)}
    return names, [numbers[name] for name in found]


def held_out_share(count: int) -> float:
    """The share of `count` images that is held out."""
    halvings = max(0, math.ceil(math.log2(max(count, 1) * HELD_OUT / MOST_HELD_OUT)))
    return HELD_OUT / 2**halvings


def place_of(name: str) -> float:
    """A number in [0, 1) by which a file, or an image of an array, is held out or not; a function of its name alone."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], "big") / 2**64


def written(name: str) -> str:
    """A file's name as text that can be written; bytes that are no UTF-8 stand by their numbers."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def shown(name: str) -> str:
    """A file's name as a part of one line: as `written`, and so do line breaks and what else steers a terminal."""
    return printable(written(name))


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Callable[[File], bytes]]:
    """Gives a function that reads a file of the listing, from several threads at once; at most LARGEST_FILE bytes.

    It raises an OSError or ValueError, in words, where the file cannot be read.
    """
    if not path.is_file():

        def read_file(file):
            place = path / file.name
            if not place.is_file():  # a pipe would be waited for
                raise ValueError("no file")
            return _bounded(place.open("rb"))

        yield read_file
        return
    with zipfile.ZipFile(path) as archive:
        own_names = {_with_slashes(name): name for name in archive.namelist()}

        def read(file):
            try:
                return _bounded(archive.open(own_names[file.name]))
            except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, KeyError, EOFError) as error:
                raise ValueError(str(error)) from error

        yield read


def _bounded(stream):
    with stream:
        content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"more than {LARGEST_FILE:,} bytes")
    return content


def _of_folder(folder: Path) -> list[File]:
    found, seen, pending = [], set(), [""]
    while pending:
        inner = pending.pop()
        place = folder / inner
        try:
            status = place.stat()
            if (status.st_dev, status.st_ino) in seen:  # a link back to a folder that was listed
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(place) as entries:
                for entry in entries:
                    name = f"{inner}/{entry.name}" if inner else entry.name
                    if _is_hidden(entry.name):
                        continue
                    if _is_folder(entry):
                        pending.append(name)
                    elif name.lower().endswith(SUFFIXES):
                        found.append(_file(name, entry))
        except OSError as error:
            raise UserError(
                f"--dataset: expected a folder that can be read ({error}). Received: {str(folder)!r}"
            ) from error
    return found


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _file(name, entry):
    try:
        status = entry.stat()
    except OSError:  # a link to nothing: it is counted with the files that cannot be read
        return File(name, 0, 0)
    return File(name, status.st_size, status.st_mtime_ns)


def _of_archive(path: Path) -> list[File]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(f"--dataset: expected a .zip that can be read ({error}). Received: {str(path)!r}") from error
    found = {}
    for info in infos:
        name = _with_slashes(info.filename)
        if info.is_dir() or not name.lower().endswith(SUFFIXES) or any(map(_is_hidden, PurePosixPath(name).parts)):
            continue
        if info.compress_type not in DEFLATED:
            raise UserError(
                f"--dataset: expected a .zip that is deflated or stored, as zip makes it. Received: {str(path)!r}"
            )
        if info.flag_bits & 1:
            raise UserError(f"--dataset: expected a .zip without a password. Received: {str(path)!r}")
        found[name] = File(name, info.file_size, info.CRC)
    return list(found.values())


def _with_slashes(name):
    """A name in an archive as it ought to be; some programs on Windows write backslashes."""
    return name.replace("\\", "/")


def _is_hidden(name):
    """Whether a system put it there, and not the images' owner; `..` in an archive counts as such."""
    return name.startswith(".") or name == "__MACOSX" or name == "/"


def _parts(name, around=0):
    return name.split("/")[around:]


def _folders_around(files: list[File]) -> int:
    """How many folders all files lie in, one within another; the files are sorted."""
    # What the first and the last have in common, those between have as well.
    ends = [_parts(file.name)[:-1] for file in (*files[:1], *files[-1:])]
    return len(list(itertools.takewhile(lambda folders: len(set(folders)) == 1, zip(*ends, strict=False))))


def _split_of(tops: Iterable[str]) -> tuple[str, ...]:
    """The folders of a split among those at the top, both in lower case; empty where there are not both."""
    found = set(tops)
    return next(((TRAIN, test) for test in TEST if {TRAIN, test} <= found), ())


def _class_of(name: str, above: int) -> str | None:
    """The folder that labels a file: the first below so many others; None where it lies in none."""
    parts = _parts(name, above)
    return parts[0] if len(parts) > 1 else None
