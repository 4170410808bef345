"""Images in an .npy or .npz file: read a row at a time, held out by their index, and kept as those of a folder are."""

import contextlib
import dataclasses
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from infogan_tf.data.cache import digest_of, kept_or_made, write_rows
from infogan_tf.data.decoding import LARGEST, SMALLEST, Form, fitted
from infogan_tf.data.folder import Wanted, side_of
from infogan_tf.data.images import ImageData
from infogan_tf.data.listing import held_out_share, place_of
from infogan_tf.errors import UserError

# The names that an .npz may have for its images, each with that of their labels; the last are a split.
WHOLE = (("images", "labels"), ("x", "y"), ("arr_0", "arr_1"))
SPLIT = (("x_train", "y_train"), ("x_test", "y_test"))


@dataclasses.dataclass(frozen=True)
class _Array:
    """An array in a file: its header, and how to open what follows it."""

    path: Path
    member: str | None
    shape: tuple[int, ...]
    dtype: np.dtype

    @contextlib.contextmanager
    def _stream(self) -> Iterator[BinaryIO]:
        with contextlib.ExitStack() as stack:
            if self.member is None:
                stream = stack.enter_context(self.path.open("rb"))
            else:
                stream = stack.enter_context(stack.enter_context(zipfile.ZipFile(self.path)).open(self.member))
            _read_header(stream)
            yield stream

    def rows(self) -> Iterator[np.ndarray]:
        """The array's rows, one after another; an EOFError where the file ends early."""
        size = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        with self._stream() as stream:
            for _ in range(self.shape[0]):
                content = stream.read(size)
                if len(content) < size:
                    raise EOFError("the file ends within an image")
                yield np.frombuffer(content, self.dtype).reshape(self.shape[1:])


def load_array(name: str, path: Path, wanted: Wanted, cache_dir: Path) -> ImageData:
    """The images of an .npy or .npz, uint8 [N, H, W] or [N, H, W, C], and their labels where there are any.

    An .npz has `images` and perhaps `labels` (or x and y), or x_train, y_train, x_test, y_test. The labels of NAME.npy
    are NAME_labels.npy beside it. Without a split a tenth is held out, by a hash of the index.

    Args:
        name: What the data set is called.
        path: The file.
        wanted: What the images are made to be.
        cache_dir: The folder of the cache, which is made.

    Raises:
        UserError: Where the file is another, or the cache cannot be written.
    """
    try:
        arrays = _arrays(path)
        images, labels = _chosen(arrays)
        labels = [None if each is None else np.fromiter((int(row) for row in each.rows()), np.int64) for each in labels]
    except (
        OSError,
        ValueError,
        EOFError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise _refused(path, error) from error
    for array, its_labels in zip(images, labels, strict=True):
        if array.dtype != np.uint8 or len(array.shape) not in (3, 4) or (*array.shape, 1)[3] not in (1, 3, 4):
            raise UserError(
                f"--dataset: expected uint8 images, [N, H, W] or [N, H, W, C] of 1, 3 or 4 channels. "
                f"Received: {str(path)!r}, {array.dtype} {list(array.shape)}"
            )
        if its_labels is not None and (len(its_labels) != array.shape[0] or its_labels.min(initial=0) < 0):
            raise UserError(
                f"--dataset: expected a label from 0 for each of {array.shape[0]:,} images. "
                f"Received: {str(path)!r}, with {len(its_labels):,} labels"
            )
    height, width, channels = (*images[0].shape, 1)[1:4]
    as_they_are = all(side % 4 == 0 and SMALLEST <= side <= LARGEST for side in (height, width))
    size = wanted.size or ((height, width) if as_they_are else (side_of(min(height, width)),) * 2)
    form = Form(*size, wanted.channels or (1 if channels == 1 else 3), wanted.crop, wanted.ground)
    train, test = _split([array.shape[0] for array in images])
    if not len(train) or not len(test):
        raise UserError(
            f"--dataset: expected two images or more. Received: {str(path)!r}, with {len(train) + len(test)}"
        )

    def make(target):
        places = np.empty(len(train) + len(test), np.int64)
        places[np.concatenate([train, test])] = np.arange(len(places))
        rows = (row for array in images for row in array.rows())
        images_of_form = ((place, fitted(_picture(row), form)) for place, row in zip(places, rows, strict=True))
        try:
            write_rows(target, len(places), (form.height, form.width, form.channels), images_of_form)
        except (EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise _refused(path, error) from error
        record = {"train": len(train), "test": len(test), "classes": [], "skipped": []}
        if labels[0] is not None:
            every = np.concatenate(labels)[np.concatenate([train, test])]
            record |= {"classes": list(map(str, range(int(every.max()) + 1))), "labels": every.tolist()}
        return record

    status = path.stat()
    facts = (str(path), wanted, status.st_size, status.st_mtime_ns)
    return kept_or_made(name, digest_of(facts), cache_dir, make)


def _arrays(path: Path) -> dict[str, _Array]:
    """The arrays of a file by name, their headers read; an .npy's is "images", and the labels beside it "labels"."""
    if path.suffix.lower() == ".npy":
        found = {"images": path}
        beside = path.with_name(f"{path.stem}_labels.npy")
        if beside.is_file():
            found["labels"] = beside
        arrays = {}
        for name, file in found.items():
            with file.open("rb") as stream:
                arrays[name] = _Array(file, None, *_read_header(stream))
        return arrays
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as stream:
                    arrays[member.removesuffix(".npy")] = _Array(path, member, *_read_header(stream))
    return arrays


def _read_header(stream) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("an array of Python objects, which is not read")
    if fortran_order and len(shape) > 1:
        raise ValueError("an array in Fortran order; np.ascontiguousarray makes it one that is read")
    return shape, dtype


def _chosen(arrays) -> tuple[list[_Array], list[_Array | None]]:
    """The images, whole or of both splits, and their labels."""
    if all(images in arrays for images, _ in SPLIT):
        return [arrays[images] for images, _ in SPLIT], [arrays.get(labels) for _, labels in SPLIT]
    for images, labels in WHOLE:
        if images in arrays:
            return [arrays[images]], [arrays.get(labels)]
    wanted = ", ".join([*(images for images, _ in WHOLE), "x_train with x_test"])
    raise ValueError(f"none of its arrays is called {wanted}: {', '.join(arrays) or 'it has none'}")


def _split(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The indices for training and for evaluation."""
    if len(counts) == 2:
        return np.arange(counts[0]), np.arange(counts[0], sum(counts))
    places, share = np.array([place_of(str(i)) for i in range(counts[0])]), held_out_share(counts[0])
    held_out = places < share
    if counts[0] and not held_out.any():
        held_out[places.argmin()] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _picture(row: np.ndarray) -> Image.Image:
    return Image.fromarray(row[..., 0] if row.ndim == 3 and row.shape[-1] == 1 else row)


def _refused(path, error):
    why = next(iter(str(error).splitlines()), type(error).__name__)
    return UserError(f"--dataset: expected images in {path.suffix} ({why}). Received: {str(path)!r}")
