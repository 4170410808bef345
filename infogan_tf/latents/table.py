"""Latents as a table, told without TensorFlow: a column for each code and, as z1, z2, ..., for the noise.

A caption stands there in words.

A number has nine digits, which give the same float32 back; a row that was written is drawn as the same image again.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from infogan_tf.errors import UserError
from infogan_tf.latents.captions import GRAMMARS
from infogan_tf.latents.language import CAPTION, Described, read_value


def columns_of(described: Described) -> list[str]:
    """The names of a table's columns."""
    return [*described.codes, *(f"z{i}" for i in range(1, described.noise + 1))]


def write_header(file: TextIO, described: Described) -> None:
    """Writes the first line."""
    file.write(",".join(columns_of(described)) + "\n")


def write_rows(file: TextIO, described: Described, rows: Iterable[Sequence[float]]) -> None:
    """Writes rows of numbers, in the order of the columns."""
    forms = ["%d" if num_classes else "%.9g" for _, num_classes in described.codes.values()]
    place = list(described.codes).index(CAPTION) if described.grammar else None
    if place is not None:
        forms[place], grammar = '"%s"', GRAMMARS[described.grammar]
        rows = ([*row[:place], grammar.write(int(row[place])), *row[place + 1 :]] for row in rows)
    line = ",".join([*forms, *["%.9g"] * described.noise]) + "\n"
    file.writelines(line % tuple(row) for row in rows)


def read_rows(path: Path, described: Described) -> Iterator[list[float]]:
    """Reads rows of numbers in the order of `columns_of`, whatever the file's order is, one at a time.

    Raises:
        UserError: Where the file is no such table of these columns; it names the line.
    """
    names = columns_of(described)
    kinds = [(read_value, described.codes.get(name, ("", 0))[1]) for name in names]

    def caption(text, _):
        try:
            return GRAMMARS[described.grammar].read(text)
        except UserError as error:
            words = str(error).removeprefix("--caption: ")
            raise UserError(f"--latents_file: {words} in line {reader.line_num} of {str(path)!r}") from error

    if described.grammar:
        kinds[names.index(CAPTION)] = caption, 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            if sorted(header) != sorted(names):
                raise _refused(path, f"the columns {_listed(names)}", f"{_listed(header) or 'none'}")
            places = [header.index(name) for name in names]
            for cells in filter(None, reader):
                if len(cells) != len(names):
                    raise _refused(path, f"{len(names)} numbers", f"{len(cells)} in line {reader.line_num}")
                row = [read(cells[place].strip(), k) for place, (read, k) in zip(places, kinds, strict=True)]
                if None in row:
                    wrong = row.index(None)
                    k = kinds[wrong][1]
                    wanted = f"a class from 0 to {k - 1}" if k else "a number"
                    found = f"{cells[places[wrong]]!r} in line {reader.line_num}"
                    raise _refused(path, f"{wanted} for {names[wrong]}", found)
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refused(path, "a table of codes and noise, as a .csv", str(error)) from error


def count_rows(path: Path, described: Described) -> int:
    """Reads the whole file, and returns how many rows there are, one or more; raises as `read_rows`."""
    count = sum(1 for _ in read_rows(path, described))
    if not count:
        raise _refused(path, "a row or more", "none")
    return count


def _listed(names):
    return ",".join(names) if len(names) < 8 else f"{','.join(names[:4])},...,{names[-1]} ({len(names)} of them)"


def _refused(path, expected, received):
    return UserError(f"--latents_file: expected {expected}. Received: {received}, of {str(path)!r}")
