"""Images of one's own in a folder or .zip, decoded once with all cores."""

import collections
import contextlib
import dataclasses
import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from infogan_tf.data.cache import digest_of, kept_or_made, write_rows
from infogan_tf.data.decoding import SMALLEST, Form, decode, look
from infogan_tf.data.images import ImageData
from infogan_tf.data.labels import Table, with_labels
from infogan_tf.data.listing import File, labels_of, list_images, reading, shown
from infogan_tf.errors import UserError, first_line

# The sizes that are taken where none is asked for.
SIZES = (28, 32, 48, 64)
# So many images are looked at to find out their size, and whether they are in colour.
LOOKED_AT = 500
# So many files are read to tell folders apart whose files are called alike, and have sizes and times alike: arrays of
# pixels that were unpacked from archives which state no times.
TOLD_BY = 16
# Each may hold a picture of MOST_PIXELS.
MOST_WORKERS = 8
# More than this share of files that cannot be read stops the work: most likely it is the wrong folder.
MOST_UNREADABLE = 0.1


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What was asked of the images; None is found out from them.

    Attributes:
        size: Height and width.
        channels: 1 or 3.
        crop: As `Form` has it.
        ground: As `Form` has it.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    crop: str | tuple[int, int, int, int] = "center"
    ground: tuple[int, int, int] = (255, 255, 255)


def side_of(shorter: float) -> int:
    """The side of the images that are made of pictures whose shorter side is that long."""
    return max((side for side in SIZES if side <= shorter), default=SIZES[0])


def size_of(height: int, width: int) -> tuple[int, int]:
    """The height and width of images that are made of pictures which are all this large: theirs, where these fit."""
    if all(side % 4 == 0 and SMALLEST <= side <= max(SIZES) for side in (height, width)):
        return height, width
    return (side_of(min(height, width)),) * 2


def load_folder(name: str, path: Path, wanted: Wanted, cache_dir: Path, table: Table | None = None) -> ImageData:
    """The images of a folder or .zip, decoded first where the cache has none; see `list_images` and `labels_of`.

    Args:
        name: What the data set is called.
        path: The folder or archive; nothing is written there.
        wanted: What the images are made to be.
        cache_dir: The folder of the cache, which is made.
        table: What is said of the files elsewhere.

    Raises:
        UserError: Where they cannot be listed, the system does not give one out, more than a tenth cannot be read, the
            cache cannot be written, or the table is of other files.
    """
    listing = list_images(path)
    files = (*listing.train, *listing.test)
    if listing.outside:
        print(
            f"{len(listing.outside):,} images lie outside of {'/ and '.join(listing.split)}/ and are left out, such as "
            f"{shown(listing.outside[0].name)}."
        )
    # Before anything is decoded, as this may take long.
    rows = None if table is None else table.rows_of([file.name for file in files])

    def make(target):
        skipped = []
        with reading(path) as read, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of files that are odd: here, as threads share the filters
            form = _form(wanted, path, files, read)
            rows = _rows(path, files, read, form, skipped)
            write_rows(target, len(files), (form.height, form.width, form.channels), rows)
        if len(skipped) > MOST_UNREADABLE * len(files):
            raise UserError(
                f"--dataset: expected images, of which at most a tenth cannot be read. Received: {str(path)!r}, where "
                f"{len(skipped):,} of {len(files):,} cannot, such as {shown(skipped[0][0].name)} ({skipped[0][1]})"
            )
        missing = {file for file, _ in skipped}
        train, test = ([file for file in split if file not in missing] for split in (listing.train, listing.test))
        if not train or not test:
            raise UserError(
                f"--dataset: expected images for training and for evaluation. Received: {str(path)!r}, with "
                f"{len(train):,} and {len(test):,} that can be read"
            )
        classes, labels = labels_of((*train, *test), listing.around + bool(listing.split))
        return {
            "train": len(train),
            "test": len(test),
            "classes": list(map(shown, classes)),
            **({"labels": labels} if classes else {}),
            "skipped": [[shown(file.name), why] for file, why in skipped],
        }

    data = kept_or_made(name, digest_of([wanted, *files, *_contents(path, files)]), cache_dir, make)
    if table is None:
        return data
    missing = {file for file, _ in data.skipped}
    return with_labels(data, table, rows[[shown(file.name) not in missing for file in files]])


def _contents(path: Path, files: tuple[File, ...]) -> Iterator[bytes]:
    """Those of a few files, as digests; of one that cannot be read it is empty."""
    with reading(path) as read:
        for file in files[:: max(1, len(files) // TOLD_BY)][:TOLD_BY]:
            try:
                yield hashlib.sha256(read(file)).digest()
            except (OSError, ValueError):
                yield b""


def _form(wanted: Wanted, path: Path, files: tuple[File, ...], read: Callable[[File], bytes]) -> Form:
    """What the images are made to be, found out from some of them where it was not asked for."""
    size, channels = wanted.size, wanted.channels
    if size is None or channels is None:
        found = []
        for file in files[:: max(1, len(files) // LOOKED_AT)]:
            with contextlib.suppress(OSError, ValueError):
                found.append(look(read(file), wanted.ground))
        if not found:
            raise UserError(
                f"--dataset: expected images. Received: {str(path)!r}, with files that are none, such as "
                f"{shown(files[0].name)}"
            )
        size = size or (side_of(np.median([min(height, width) for height, width, _ in found])),) * 2
        channels = channels or (3 if any(in_colour for *_, in_colour in found) else 1)
    return Form(*size, channels, wanted.crop, wanted.ground)


def _rows(path, files, read, form, skipped) -> Iterator[tuple[int, np.ndarray] | None]:
    """The images, each at the next place; those that cannot be read are left out, and put into `skipped` with why.

    One that the system does not give out now is refused: it would stay left out of what is kept when that has changed.
    """
    place, of_system = 0, {}

    def read_file(file):
        try:
            return read(file)
        except OSError as error:
            if error.errno is not None:
                of_system[file] = error
            raise

    for file, image in decoded(files, read_file, form):
        if file in of_system:
            raise UserError(
                f"--dataset: expected files that can be read ({of_system[file].strerror}). "
                f"Received: {str(path)!r}, with {shown(file.name)}"
            )
        if isinstance(image, str):
            skipped.append((file, image))
            yield None
        else:
            yield place, image
            place += 1


def decoded(
    files: Iterable[File | bytes], read: Callable[[File | bytes], bytes], form: Form
) -> Iterator[tuple[File | bytes, np.ndarray | str]]:
    """Every file in order, with its image or the reason why there is none; a bounded number at a time, on all cores.

    Args:
        files: Of a listing, or whatever else `read` takes.
        read: Gives a file's content, from several threads at once, as `reading` does.
        form: What the images are made to be.
    """

    def one(file):
        try:
            return file, decode(read(file), form)
        except (OSError, ValueError) as error:
            return file, first_line(error)

    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        waiting = collections.deque()
        try:
            for file in files:
                waiting.append(pool.submit(one, file))
                if len(waiting) >= 64 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
