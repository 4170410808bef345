"""Labels that you have of images of your own, in a .csv: they serve evaluation alone.

The table is read and checked by itself, then joined to the images by their names; the images and their cache know
nothing of it.
"""

import array
import collections
import csv
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TextIO

import numpy as np

from infogan_tf.data.images import ImageData, Split
from infogan_tf.data.listing import SUFFIXES, shown
from infogan_tf.errors import UserError

DELIMITERS = (",", ";", "\t")
# What a cell without a value may hold, in any case.
MISSING = ("", "na", "n/a", "nan")
# A column of more values is taken for a name, a time or a measurement.
MOST_CLASSES = 200
# What a column of two values may hold to be an attribute: no, yes.
ATTRIBUTE_VALUES = ((0.0, 1.0), (-1.0, 1.0))
_TRUTHS = {"false": 0.0, "true": 1.0}
# A longer first line is no header.
_LONGEST_HEADER = 2**20


@dataclasses.dataclass(frozen=True)
class Table:
    """What a .csv says of files.

    Attributes:
        path: The .csv.
        names: What each row calls its file.
        attributes: By column, 1 where the row says yes, 0 no, -1 nothing: int8 [rows].
        classes: By column, the classes in order, and the number of each row's, -1 where it says nothing: int32 [rows].
        notes: The columns that are left out, and why.
    """

    path: Path
    names: tuple[str, ...]
    attributes: dict[str, np.ndarray]
    classes: dict[str, tuple[tuple[str, ...], np.ndarray]]
    notes: tuple[str, ...]

    def rows_of(self, files: Sequence[str]) -> np.ndarray:
        """The row of each file, int64 [files], -1 where it has none.

        A row names a file by its path within the folder, with slashes; or by its bare name, with or without the suffix,
        where no other file has this name.

        Raises:
            UserError: Where no row names a file, or one names several, or several name one.
        """
        places = [
            _places(files),
            _places([file.rpartition("/")[2] for file in files]),
            _places([PurePosixPath(file).stem for file in files]),
        ]
        rows = np.full(len(files), -1, np.int64)
        for row, name in enumerate(self.names):
            plain = name.replace("\\", "/").removeprefix("./")
            found = next((place[plain] for place in places if plain in place), ())
            if len(found) > 1:
                raise _refused(
                    self.path,
                    "each file's path within the folder, where several have one name",
                    f"{name!r}, which is {shown(files[found[0]])} and {shown(files[found[1]])}",
                )
            if found and rows[found[0]] >= 0:
                raise _refused(self.path, "one row for each file", f"two for {shown(files[found[0]])}")
            if found:
                rows[found[0]] = row
        if (rows < 0).all():
            raise _refused(
                self.path,
                f"names of the images in its first column, such as {shown(files[0])}",
                f"others, such as {self.names[0]!r}",
            )
        return rows


def read_table(text: str) -> Table:
    """Reads a .csv of labels: UTF-8, or UTF-16 with its mark; separated by commas, semicolons or tabs.

    The first line has the columns' names, the first column those of the files. A column of 0 and 1, -1 and 1, or true
    and false, is an attribute; one of 2 to MOST_CLASSES other values holds classes; others are left out.

    Raises:
        UserError: Where it cannot be read, or is no such table.
    """
    try:
        path = Path(text).expanduser()
        if not path.is_file():  # a pipe would be waited for
            raise UserError(f"--labels: expected a .csv that is there. Received: {text!r}")
        with path.open("rb") as file:
            encoding = "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        with path.open(encoding=encoding, newline="") as file:
            return _read(path, file)
    except UnicodeError as error:
        raise UserError(f"--labels: expected a .csv in UTF-8 ({error}). Received: {text!r}") from error
    except (OSError, RuntimeError, csv.Error) as error:
        raise UserError(f"--labels: expected a .csv that can be read ({error}). Received: {text!r}") from error


def with_labels(data: ImageData, table: Table, rows: np.ndarray) -> ImageData:
    """The data set with what a table says of its images.

    Every attribute is one of the data set. The one column of classes, where every image has one, is the label; classes
    of other columns are an attribute each, called COLUMN=CLASS.

    Args:
        data: The data set.
        table: What is said of its files.
        rows: The row of each image in the table, those for training first; -1 where it has none.
    """
    notes = list(table.notes)
    if unnamed := np.count_nonzero(rows < 0):
        notes.append(f"{table.path.name} has no row for {unnamed:,} of {len(rows):,} images.")
    if idle := len(table.names) - np.count_nonzero(rows >= 0):
        notes.append(f"{table.path.name} has {idle:,} rows that name no image.")
    columns = {name: np.where(rows < 0, np.int8(-1), values[rows]) for name, values in table.attributes.items()}
    label_names, labels = data.label_names, None
    for column, (names, numbers) in table.classes.items():
        own = np.where(rows < 0, -1, numbers[rows])
        if len(table.classes) == 1 and own.min() >= 0:
            used, labels = np.unique(own, return_inverse=True)
            label_names = tuple(names[number] for number in used)
            continue
        if len(table.classes) == 1:
            notes.append(f"{column} is no label, as {np.count_nonzero(own < 0):,} images have none; it is attributes.")
        for number, name in enumerate(names):
            columns[f"{column}={name}"] = np.where(own < 0, -1, own == number).astype(np.int8)
    attributes, count = np.stack([*columns.values()], axis=1) if columns else None, len(data.train.images)
    train, test = (
        Split(
            split.images,
            split.labels if labels is None else labels[part].astype(np.int64),
            None if attributes is None else attributes[part],
        )
        for split, part in ((data.train, slice(count)), (data.test, slice(count, None)))
    )
    return dataclasses.replace(
        data, train=train, test=test, label_names=label_names, attribute_names=tuple(columns), notes=tuple(notes)
    )


def _read(path: Path, file: TextIO) -> Table:
    names, columns = [], []
    for line, cells in _lines(file):
        if not columns:
            columns = _header(path, cells)
            continue
        if len(cells) != len(columns) + 1:
            raise _refused(path, f"{len(columns) + 1} cells in each line", f"{len(cells)} in line {line:,}")
        name = cells[0].strip()
        if not name:
            raise _refused(path, "a file's name in each line", f"none in line {line:,}")
        names.append(name)
        for column, cell in zip(columns, cells[1:], strict=True):
            column.add(cell)
    if not names:
        raise _refused(path, "a header, and below it a line for each file", "no such line")
    name, count = collections.Counter(names).most_common(1)[0]
    if count > 1:
        raise _refused(path, "one row for each file", f"{count:,} for {name!r}")
    attributes, classes, notes = {}, {}, []
    for column in columns:
        if reason := column.left_out():
            notes.append(f"{path.name}: the column {column.name} is left out; it has {reason}.")
        elif column.is_attribute():
            attributes[column.name] = column.as_attribute()
        else:
            classes[column.name] = column.as_classes()
    if not attributes and not classes:
        raise _refused(
            path, f"a column of 0 and 1, or of 2 to {MOST_CLASSES} classes", "; ".join(notes).rstrip(".") or "none"
        )
    return Table(path, tuple(names), attributes, classes, tuple(notes))


def _lines(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold anything, each with its number."""
    first = file.readline(_LONGEST_HEADER)
    file.seek(0)
    delimiter = max(DELIMITERS, key=lambda each: len(next(csv.reader([first], delimiter=each), ())))
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    yield from ((reader.line_num, cells) for cells in reader if any(map(str.strip, cells)))


def _header(path, cells):
    first, *names = map(str.strip, cells)
    if first.lower().endswith(SUFFIXES) or first.isdecimal():
        raise _refused(path, "the columns' names in its first line", f"a line that begins with {first!r}")
    if not names or not all(names):
        raise _refused(path, "a header: the file's name, and the name of each other column", ",".join(cells))
    if len(set(names)) < len(names):
        raise _refused(path, "columns of different names", f"{max(names, key=names.count)!r} twice")
    return [_Column(name) for name in names]


class _Column:
    """A column while it is read: the number of each row's value, in the order in which values were first met."""

    def __init__(self, name):
        self.name, self.numbers, self.texts, self.found = name, array.array("i"), [], {}

    def add(self, cell):
        number = self.found.get(cell)
        if number is None:
            if len(self.texts) > MOST_CLASSES:  # as it is, it will be left out
                return
            text = cell.strip()
            if text.lower() in MISSING:
                number = -1
            elif text in self.texts:
                number = self.texts.index(text)
            else:
                number = len(self.texts)
                self.texts.append(text)
            self.found[cell] = number
        self.numbers.append(number)

    def left_out(self) -> str:
        """What it has that no labels have; empty where it has labels."""
        if len(self.texts) > MOST_CLASSES:
            return f"more than {MOST_CLASSES} values"
        return f"one value, {self.texts[0]!r}" if len(self.texts) == 1 else "" if self.texts else "no value"

    def is_attribute(self):
        return set(map(_number, self.texts)) in map(set, ATTRIBUTE_VALUES)

    def as_attribute(self):
        return self._renumbered([int(_number(text) == 1.0) for text in self.texts]).astype(np.int8)

    def as_classes(self):
        """In the order of numbers, where all are."""
        numbers = None not in map(_number, self.texts)
        names = sorted(self.texts, key=_number if numbers else str)
        return tuple(names), self._renumbered([names.index(text) for text in self.texts])

    def _renumbered(self, others):
        return np.array([*others, -1], np.int32)[np.frombuffer(self.numbers, np.int32)]


def _number(text):
    try:
        return _TRUTHS[text.lower()] if text.lower() in _TRUTHS else float(text)
    except ValueError:
        return None


def _places(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """By name, where it stands; two places are enough of one that stands in many."""
    found = {}
    for place, name in enumerate(names):
        found[name] = (*found.get(name, ()), place)[:2]
    return found


def _refused(path, wanted, received):
    return UserError(f"--labels: expected {wanted}. Received: {str(path)!r}, with {received}")
