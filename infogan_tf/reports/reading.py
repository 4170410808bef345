"""The codes that a model reads in images, any number of them: a table, or the images sorted by class.

Images are read in blocks of fixed size, so that memory does not grow with their number and what is read in one does
not depend on the others. A row of the table has what the image is called by, and for every code its most probable
value under the code's name: of a discrete code with what the class is called, where that is known, and with how
probable it is; of a continuous one with the standard deviation where that is learnt.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from infogan_tf.data.decoding import Form
from infogan_tf.data.in_order import FilesInOrder, RowsInOrder
from infogan_tf.data.listing import shown
from infogan_tf.errors import UserError
from infogan_tf.files import new_file, new_folder, skipped_beside
from infogan_tf.latents.codes import Code
from infogan_tf.models.base import GenerativeModel
from infogan_tf.reports.class_folders import ClassFolders

BLOCK = 500
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def read_codes(
    model: GenerativeModel, source: FilesInOrder | RowsInOrder, form: Form, skipped: list[tuple[str, str]]
) -> Iterator[tuple[object, np.ndarray, dict[str, dict[str, np.ndarray]]]]:
    """Reads the codes of every image of a source, at most BLOCK at a time.

    What takes more than a second shows a progress bar until the iterator is exhausted or closed.

    Args:
        model: The trained model; inference statistics are used.
        source: Where the images come from.
        form: What they are made to be: the model's height, width and channels.
        skipped: Where those that cannot be read are put, each with why.

    Yields:
        Items of the source, b of them; their images, uint8 [b, H, W, C]; and Q(c|x) by code, as
        `GenerativeModel.encode` gives it.

    Raises:
        UserError: At the end, where no image could be read.
    """
    any_read = False
    with tqdm(total=len(source), desc="Codes", unit="image", delay=1) as bar:
        block = np.zeros((BLOCK, form.height, form.width, form.channels), np.uint8)
        items = []

        def encoded():
            # The last block too is computed whole: what is read in an image does not depend on how many there are.
            posterior = model.encode(block, batch_size=BLOCK)
            taken = {code: {part: values[: len(items)] for part, values in q.items()} for code, q in posterior.items()}
            return items, block[: len(items)].copy(), taken

        for item, image in source.images(form):
            bar.update()
            if isinstance(image, str):
                skipped.append((shown(", ".join(source.name(item))), image))
                continue
            any_read, block[len(items)] = True, image
            items.append(item)
            if len(items) == BLOCK:
                yield encoded()
                items = []
        if items:
            yield encoded()
    if not any_read:
        raise UserError(f"--dataset: expected images that can be read. Received: none, such as {': '.join(skipped[0])}")


Names = Mapping[str, Sequence[str]]


def write_table(
    path: Path, model: GenerativeModel, source: FilesInOrder | RowsInOrder, form: Form, names: Names
) -> str:
    """Writes the codes of all images into a new .csv; returns what was written, in words.

    What cannot be read is listed in NAME_skipped.txt beside NAME.csv; without such there is no such file.

    Args:
        path: The .csv.
        model: The trained model.
        source: Where the images come from.
        form: What they are made to be.
        names: By code, what each class is called, or "".
    """
    skipped = []
    with (
        new_file(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as table,
        contextlib.closing(read_codes(model, source, form, skipped)) as blocks,
    ):
        _write_header(table, model, source, names)
        count = 0
        for items, _, posterior in blocks:
            _write_rows(table, model, source, names, items, posterior)
            count += len(items)
        # Both or neither: an error here leaves no table.
        table.flush()
        if skipped:
            with new_file(skipped_beside(path)) as listed:
                _list_skipped(listed, skipped)
    return f"{path}: the codes of {count:,} images{_left_out(skipped, skipped_beside(path))}"


def write_class_folders(
    path: Path, model: GenerativeModel, source: FilesInOrder | RowsInOrder, form: Form, names: Names
) -> str:
    """Sorts all images by class into a new folder, with the table as codes.csv; returns what was written, in words.

    `ClassFolders` says what is in it. What cannot be read is listed in its skipped_files.txt. The arguments are those
    of `write_table`.
    """
    skipped = []
    discrete = [code for code in model.read_codes if code.discrete]
    with (
        new_folder(path) as temporary,
        (temporary / "codes.csv").open("w", encoding="utf-8", newline="") as table,
        contextlib.closing(read_codes(model, source, form, skipped)) as blocks,
    ):
        folders = ClassFolders(temporary, discrete, names, source)
        _write_header(table, model, source, names)
        for items, images, posterior in blocks:
            _write_rows(table, model, source, names, items, posterior)
            for code in discrete:
                q = posterior[code.name]
                folders.add(code, items, images, code.most_probable(q), code.greatest_probability(q))
        folders.write_sheets()
        if skipped:
            _list_skipped(temporary / "skipped_files.txt", skipped)
    return f"{path}: {folders.in_words()}{_left_out(skipped, path / 'skipped_files.txt')}"


# How codes are written, by the suffix of --output.
WRITERS = {".csv": write_table, "": write_class_folders}


def _left_out(skipped, where):
    return f"; left out are {len(skipped):,} that cannot be read, listed in {where}" if skipped else ""


def _list_skipped(path, skipped):
    path.write_text("".join(f"{name}: {why}\n" for name, why in skipped), encoding="utf-8")


def _write_header(table: TextIO, model, source, names) -> None:
    columns = _columns(model, model.encode(np.zeros((0, *model.image_shape), np.uint8)), names)
    table.write(",".join([*source.columns, *columns]) + "\n")


def _write_rows(table: TextIO, model, source, names, items, posterior) -> None:
    columns = _columns(model, posterior, names).values()
    texts = zip(*(column.astype(str) for column in columns), strict=True)  # as few digits as give the float32 back
    for item, values in zip(items, texts, strict=True):
        table.write(",".join([*map(cell, source.name(item)), *values]) + "\n")


def _columns(model, posterior, names) -> dict[str, np.ndarray]:
    """What the table says of images, by column."""
    if model.READS == "noise":
        return {
            f"z{i + 1}{ending}": posterior["noise"][part][:, i]
            for i in range(model.layout.noise.size)
            for part, ending in (("mean", ""), ("stddev", "_stddev"))
        }
    columns = {}
    for code in model.read_codes:
        columns |= _columns_of(code, posterior[code.name], names)
    return columns


def _columns_of(code: Code, posterior: Mapping[str, np.ndarray], names: Names) -> dict[str, np.ndarray]:
    """What the table says of a code, by column."""
    columns = {code.name: code.most_probable(posterior)}
    if code.name in names:
        columns[f"{code.name}_name"] = np.array([quoted(name) for name in names[code.name]])[columns[code.name]]
    if code.discrete:
        columns[f"{code.name}_probability"] = code.greatest_probability(posterior)
    elif not code.fixed_stddev:
        columns[f"{code.name}_stddev"] = posterior["stddev"]
    return columns


def cell(name: str) -> str:
    """A file's name as a table's cell, never a formula: `=1.png` is `./=1.png`, the same file to whoever opens it."""
    return quoted(f"./{name}" if name.startswith(_FORMULA) else name)


def quoted(name: str) -> str:
    """A name as a table's cell: quoted where it has to be, and never a formula, but for numbers as they are.

    A name that a spreadsheet took for a formula has an apostrophe before it, which says that it is text.
    """
    if name.startswith(_FORMULA) and not re.fullmatch(r"[+-]?\d+(\.\d+)?", name):
        name = f"'{name}"
    return '"' + name.replace('"', '""') + '"' if re.search('[",\r\n]', name) else name
