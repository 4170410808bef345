"""Samples of a trained model, any number of them: a grid in one picture, an array, or a folder of pictures.

They are drawn in blocks of fixed size, each from a seed of its own: with the same seed, the first samples of many are
those of few, in whatever form they are written. Codes, where the model has any, are written as a table: a column for
each code, under its name, and a row for each image, in order.
"""

import contextlib
import itertools
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from infogan_tf.files import new_file, new_folder
from infogan_tf.models.base import GenerativeModel
from infogan_tf.pictures import tile, to_bytes, to_pil

BLOCK = 500
# Where the codes of a model without any are written.
NOWHERE = Path(os.devnull)


def draw(
    model: GenerativeModel, count: int, fixed: Mapping[str, float] | None = None
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Draws images and the codes that they were made of, at most BLOCK at a time.

    What takes more than a second shows a progress bar until the iterator is exhausted or closed.

    Args:
        model: The trained model; inference statistics are used.
        count: How many images in all, from 1.
        fixed: Values of the codes that are not to be drawn, by name.

    Yields:
        Images, uint8 [b, H, W, C], and the values [b] of every code.
    """
    with tqdm(total=count, desc="Samples", unit="image", delay=1) as bar:
        for start in range(0, count, BLOCK):
            # The last block too is drawn and computed whole: neither its seed nor its shape depends on `count`.
            noise, values = model.layout.sample_parts(BLOCK, model.stream_seed("sample", start // BLOCK))
            values = {name: value.numpy() for name, value in values.items()}
            for name, value in (fixed or {}).items():
                values[name] = np.full_like(values[name], value)
            images = to_bytes(model.generate(model.layout.join(noise, values), batch_size=BLOCK))
            taken = min(BLOCK, count - start)
            yield images[:taken], {name: value[:taken] for name, value in values.items()}
            bar.update(taken)


def write_grid(path: Path, model: GenerativeModel, count: int, fixed: Mapping[str, float] | None = None) -> str:
    """Writes samples into one new PNG, about as many rows as columns; returns what was written, in words."""
    columns = math.ceil(math.sqrt(count))
    with new_file(path) as temporary:
        images = np.concatenate([images for images, _ in draw(model, count, fixed)])
        to_pil(tile(images, columns)).save(temporary, format="PNG")
    return f"{path}: {count:,} samples in rows of {columns}"


def write_array(path: Path, model: GenerativeModel, count: int, fixed: Mapping[str, float] | None = None) -> str:
    """Writes samples into a new .npy, uint8 [count, H, W, C], and their codes, if any, into a new .csv beside it.

    Both appear whole or not at all, and one block is all that is held in memory. Returns what was written, in words.
    """
    table = path.with_suffix(".csv")
    shape = (count, *model.image_shape)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with (
        new_file(table) if model.layout.codes else contextlib.nullcontext(NOWHERE) as temporary_table,
        new_file(path) as temporary,
        temporary_table.open("w", encoding="utf-8") as rows,
        temporary.open("wb") as array,
        contextlib.closing(draw(model, count, fixed)) as blocks,
    ):
        # Not through a memory map, which on a full disk ends in a bus error that nobody can catch.
        np.lib.format.write_array_header_1_0(array, header)
        _write_header(rows, model)
        for images, values in blocks:
            array.write(images.tobytes())
            _write_rows(rows, values)
    return f"{path}: {count:,} samples, uint8 {list(shape)}" + _where(model, table)


def write_folder(path: Path, model: GenerativeModel, count: int, fixed: Mapping[str, float] | None = None) -> str:
    """Writes samples as 000000.png, 000001.png, ... and their codes, if any, as codes.csv into a new folder.

    The folder appears complete or not at all. Returns what was written, in words.
    """
    digits = max(6, len(str(count - 1)))
    names = (f"{number:0{digits}}.png" for number in itertools.count())
    with (
        new_folder(path) as temporary,
        (temporary / "codes.csv" if model.layout.codes else NOWHERE).open("w", encoding="utf-8") as rows,
        contextlib.closing(draw(model, count, fixed)) as blocks,
    ):
        _write_header(rows, model)
        for images, values in blocks:
            for image in images:
                to_pil(image).save(temporary / next(names))
            _write_rows(rows, values)
    return f"{path}: {count:,} samples, a PNG each" + _where(model, path / "codes.csv")


# How samples are written, by the suffix of --output.
WRITERS = {".png": write_grid, ".npy": write_array, "": write_folder}


def _where(model: GenerativeModel, table: Path) -> str:
    return f"; their codes are in {table}" if model.layout.codes else ""


def _write_header(rows: TextIO, model: GenerativeModel) -> None:
    rows.write(",".join(code.name for code in model.layout.codes) + "\n")


def _write_rows(rows: TextIO, values: Mapping[str, np.ndarray]) -> None:
    """A row for each image: its codes' values, as few digits as give the same float32 back."""
    columns = [value.astype(str) for value in values.values()]
    rows.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))
