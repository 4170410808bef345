"""Images in an .npy or .npz file: read a row at a time, held out by their index, and kept as those of a folder are."""

import contextlib
import dataclasses
import hashlib
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from infogan_tf.data.cache import digest_of, kept_or_made, write_rows
from infogan_tf.data.decoding import MOST_PIXELS, Form, fitted
from infogan_tf.data.folder import Wanted, size_of
from infogan_tf.data.images import ImageData
from infogan_tf.data.labels import Table, with_labels
from infogan_tf.data.listing import DEFLATED, held_out_share, place_of
from infogan_tf.errors import UserError, first_line

# The names that an .npz may have for its images, each with that of their labels; SPLITS are those of a split.
WHOLE = (("images", "labels"), ("x", "y"), ("arr_0", "arr_1"))
SPLITS = (
    (("x_train", "y_train"), ("x_test", "y_test")),
    (("train_images", "train_labels"), ("test_images", "test_labels")),
)


# As many times its size is the most that deflated data becomes.
MOST_DEFLATED = 1_032


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
                    raise EOFError("it ends within an image")
                yield np.frombuffer(content, self.dtype).reshape(self.shape[1:])


def load_array(name: str, path: Path, wanted: Wanted, cache_dir: Path, table: Table | None = None) -> ImageData:
    """The images of an .npy or .npz, uint8 [N, H, W] or [N, H, W, C], and their labels where there are any.

    An .npz has `images` and perhaps `labels`, or other names: WHOLE and SPLITS have them all. The labels of NAME.npy
    are NAME_labels.npy beside it. Without a split a tenth is held out, by a hash of the index.

    Args:
        name: What the data set is called.
        path: The file.
        wanted: What the images are made to be.
        cache_dir: The folder of the cache, which is made.
        table: What is said of the images elsewhere, by their index; those of x_test count on from those of x_train.

    Raises:
        UserError: Where the file is another, the cache cannot be written, or the table is of other images.
    """
    try:
        images, labels = _chosen(path)
        for array, its_labels in zip(images, labels, strict=True):
            # Before they are read: there may be more of them than memory holds.
            if its_labels is not None and its_labels.shape[0] != array.shape[0]:
                raise ValueError(
                    f"expected a label for each of {array.shape[0]:,} images; it has {its_labels.shape[0]:,} labels"
                )
        labels = [each and _labels(each) for each in labels]
    except Exception as error:  # NumPy raises whatever a malformed header made of it
        raise _refused(path, error) from error
    height, width, channels = (*images[0].shape, 1)[1:4]
    form = Form(
        *(wanted.size or size_of(height, width)),
        wanted.channels or (1 if channels == 1 else 3),
        wanted.crop,
        wanted.ground,
    )
    train, test = split_of([array.shape[0] for array in images])
    if not len(train) or not len(test):
        raise UserError(
            f"--dataset: expected two images or more. Received: {str(path)!r}, with {len(train) + len(test)}"
        )
    order = np.concatenate([train, test])
    rows = None if table is None else table.rows_of([str(index) for index in order])

    def make(target):
        places = order.argsort()
        pictures = (picture_of(row) for array in images for row in array.rows())
        images_of_form = ((place, fitted(each, form)) for place, each in zip(places, pictures, strict=True))
        try:
            write_rows(target, len(places), (form.height, form.width, form.channels), images_of_form)
        except (EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise _refused(path, error) from error
        record = {"train": len(train), "test": len(test), "classes": [], "skipped": []}
        if labels[0] is not None:
            names, numbers = np.unique(np.concatenate(labels), return_inverse=True)
            record |= {"classes": list(map(str, names)), "labels": numbers[order].tolist()}
        return record

    files = [file for file in (path, _beside(path)) if file.is_file()]
    data = kept_or_made(name, digest_of([wanted, *map(_facts, files)]), cache_dir, make)
    return data if table is None else with_labels(data, table, rows)


def rows_in_order(path: Path) -> tuple[list[tuple[int, ...]], Iterator[tuple[str, int, np.ndarray]]]:
    """The images of an .npy or .npz as `load_array` splits them, in the order in which they lie there.

    Returns:
        The shapes of the arrays; and each image: "train" or "test", its index in its array, and its pixels.

    Raises:
        UserError: Where the file is another; it may be noticed while they are read.
    """
    try:
        arrays, _ = _chosen(path)
    except Exception as error:  # as in load_array
        raise _refused(path, error) from error
    counts = [array.shape[0] for array in arrays]
    held_out = set() if len(arrays) == 2 else set(split_of(counts)[1].tolist())

    def rows():
        for number, array in enumerate(arrays):
            try:
                for index, row in enumerate(array.rows()):
                    yield "test" if number or index in held_out else "train", index, row
            except (EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
                raise _refused(path, error) from error

    return [array.shape for array in arrays], rows()


def _facts(file: Path) -> tuple[int, int, bytes]:
    """A file's size, its time, and a digest of some of its content: arrays of one shape have one size."""
    status, digest = file.stat(), hashlib.sha256()
    with file.open("rb") as stream:
        for part in range(16):
            stream.seek(status.st_size * part // 16)
            digest.update(stream.read(4_096))
    return status.st_size, status.st_mtime_ns, digest.digest()


def _beside(path: Path) -> Path:
    """Where the labels of an .npy lie."""
    return path.with_name(f"{path.stem}_labels.npy")


def _chosen(path: Path) -> tuple[list[_Array], list[_Array | None]]:
    """The images, whole or of both splits, and their labels, or None; their headers are read, and no others."""
    if path.suffix.lower() == ".npy":
        beside = _beside(path)
        return [_array(path, None, True)], [_array(beside, None, False) if beside.is_file() else None]
    with zipfile.ZipFile(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
    kinds = [*SPLITS, *((pair,) for pair in WHOLE)]
    pairs = next((pairs for pairs in kinds if {images for images, _ in pairs} <= names), None)
    if not pairs:
        wanted = ", ".join(" with ".join(images for images, _ in pairs) for pairs in reversed(kinds))
        raise ValueError(f"none of its arrays is called {wanted}: {', '.join(sorted(names)) or 'it has none'}")
    missing = [labels for _, labels in pairs if labels not in names]
    if 0 < len(missing) < len(pairs):
        raise ValueError(f"expected the labels of both splits, or of neither; it has no {missing[0]}")
    return (
        [_array(path, images, True) for images, _ in pairs],
        [None if missing else _array(path, labels, False) for _, labels in pairs],
    )


def _array(path: Path, name: str | None, of_images: bool) -> _Array:
    """An array whose header is that of images, or of labels, and which is no larger than its file."""
    with contextlib.ExitStack() as stack:
        if name is None:
            member, size, stream = None, path.stat().st_size, stack.enter_context(path.open("rb"))
        else:
            archive = stack.enter_context(zipfile.ZipFile(path))
            info = archive.getinfo(f"{name}.npy")
            if info.compress_type not in DEFLATED:
                raise ValueError("an archive that is neither deflated nor stored")
            if info.file_size > MOST_DEFLATED * info.compress_size or info.compress_size > path.stat().st_size:
                raise ValueError("an archive that claims more than it can hold")
            member, size, stream = info.filename, info.file_size, stack.enter_context(archive.open(info))
        array = _Array(path, member, *_read_header(stream))
    if of_images:
        if len(array.shape) == 3 and array.shape[2] in (1, 3, 4):
            raise ValueError(f"expected images [N, H, W, C]; it has {list(array.shape)}, which is one image [H, W, C]")
        good = array.dtype == np.uint8 and len(array.shape) in (3, 4) and (*array.shape, 1)[3] in (1, 3, 4)
        good = good and 0 < array.shape[1] * array.shape[2] <= MOST_PIXELS
        wanted = "uint8 images, [N, H, W] or [N, H, W, C] of 1, 3 or 4 channels"
    else:
        good, wanted = (
            array.dtype.kind in "iu" and array.shape[:1] and array.shape[1:] in ((), (1,)),
            "labels that are integers [N]",
        )
    if not good:
        raise ValueError(f"expected {wanted}; it has {array.dtype} {list(array.shape)}")
    if math.prod(array.shape) * array.dtype.itemsize > size:
        raise ValueError("it ends within an image" if of_images else "it ends within its labels")
    return array


def _labels(array: _Array) -> np.ndarray:
    """All labels, int64 [N]."""
    return np.fromiter((row.item() for row in array.rows()), np.int64)


def _read_header(stream) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("an array of Python objects, which is not read")
    if fortran_order and len(shape) > 1:
        raise ValueError("an array in Fortran order; np.ascontiguousarray makes it one that is read")
    return shape, dtype


def split_of(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The indices for training and for evaluation, int64 each, of images that have numbers and no names.

    Those for evaluation are in an order that makes the first of them a sample of all.

    Args:
        counts: How many images there are, [N], a tenth of which is held out by a hash of the index; or of each split,
            [N, M], where those for evaluation count on from N.
    """
    if len(counts) == 2:
        test = np.arange(counts[0], sum(counts))
        return np.arange(counts[0]), np.random.default_rng(0).permutation(test)
    places, share = np.array([place_of(str(i)) for i in range(counts[0])]), held_out_share(counts[0])
    held_out = places < share
    if counts[0] > 1:
        held_out[places.argmin()], held_out[places.argmax()] = True, False
    test = np.flatnonzero(held_out)
    return np.flatnonzero(~held_out), test[places[test].argsort(kind="stable")]


def picture_of(row: np.ndarray) -> Image.Image:
    """An image of an array, uint8 [H, W] or [H, W, C] of 1, 3 or 4 channels, in Pillow's form."""
    return Image.fromarray(row[..., 0] if row.ndim == 3 and row.shape[-1] == 1 else row)


def _refused(path, error):
    return UserError(f"--dataset: expected images in {path.suffix} ({first_line(error)}). Received: {str(path)!r}")
