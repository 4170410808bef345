"""The cache: images that were made once, in one memory-mapped file, and are found there again."""

import hashlib
import math
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import UserError
from infogan_tf.files import alone_in, as_json, partial_name, read_json, remove_leftovers, write_text

# To be raised with any change to how images are made: what another version kept is not used.
VERSION = 3
_LONGEST_NAME = 100  # bytes of the data set's name in a folder's; file systems take 255 in all
_HEADER = 128  # bytes of an .npy file's header, whatever the number of images


def cache_folder(cache_dir: str | Path | None = None) -> Path:
    """The folder given, by default infogan_tf under XDG_CACHE_HOME, which is ~/.cache where it is not set.

    Raises:
        UserError: Where it is that of a user whom there is not.
    """
    default = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "infogan_tf")
    try:
        return Path(cache_dir or default).expanduser()
    except RuntimeError as error:
        raise UserError(f"--cache_dir: expected a folder ({error}). Received: {str(cache_dir or default)!r}") from error


def digest_of(facts: Iterable[object]) -> str:
    """A name for the images that these facts describe: another one after any change of a fact, or of VERSION.

    Where the images lie is no fact: those that were moved are the same.
    """
    digest = hashlib.sha256(f"{VERSION}".encode())
    for fact in facts:
        digest.update(repr(fact).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def kept_or_made(name: str, digest: str, cache_dir: Path, make: Callable[[Path], dict[str, object]]) -> ImageData:
    """Returns the images that the cache has under a digest; what it does not have is made first, whole or not at all.

    Processes that need the same images at the same time wait for the first of them.

    Args:
        name: What the data set is called.
        digest: Of all that the images depend on.
        cache_dir: The folder of the cache, which is made.
        make: Writes the images to the path that it is given, and returns what is kept beside them: the numbers "train"
            and "test" of images, in this order; "classes", the names of the labels; "labels" where there are any;
            "attributes", their names, and "bits", those of each image packed into bytes and in hexadecimal, where there
            are any; and "skipped", the files that could not be read, each with why.

    Raises:
        UserError: Where the cache cannot be written, or is not what was kept.
    """
    plain = re.sub(r"[^\w.-]", "_", name).encode()[:_LONGEST_NAME].decode(errors="ignore")
    folder = cache_dir / "images" / f"{plain}-{digest[:20]}"
    if not (folder / "images.json").is_file():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with alone_in(folder.parent, wait=True):
                if not (folder / "images.json").is_file():
                    _make(folder, make)
        except OSError as error:
            raise UserError(
                f"--cache_dir: expected a folder that can be written, with room for the images. "
                f"Received: {str(cache_dir)!r} ({error})"
            ) from error
    return _opened(name, folder, digest)


def write_rows(
    target: Path, most: int, shape: tuple[int, int, int], rows: Iterable[tuple[int, np.ndarray] | None]
) -> int:
    """Writes images as an .npy file, with a progress bar; returns how many there are.

    Args:
        target: The file, which is new.
        most: How many rows there are.
        shape: Height, width and channels of every image.
        rows: The place of each image, from 0, and the image, uint8; None for one that is left out. No place is missing.

    Raises:
        OSError: Where it cannot be written; with too small a disk before any row is asked for.
    """
    count, needed = 0, most * math.prod(shape)
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise OSError(f"{needed / 1e6:,.2f} MB are needed, {free / 1e6:,.2f} MB free")
    # Not through a memory map: a disk that fills up meanwhile would end in a bus error, which nobody can catch.
    with tqdm(total=most, desc="Reading images, once", unit="image", disable=None) as bar, target.open("xb") as file:
        _write_header(file, (most, *shape))
        for row in rows:
            if row is not None:
                place, image = row
                file.seek(_HEADER + place * image.nbytes)
                file.write(image.tobytes())
                count += 1
            bar.update()
        file.seek(0)
        _write_header(file, (count, *shape))
        file.flush()
        os.fsync(file.fileno())
    return count


def _write_header(file, shape):
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    if file.tell() != _HEADER:
        raise ValueError(f"the header of {shape} has {file.tell()} bytes")


def _make(folder, make):
    remove_leftovers(folder.parent)
    temporary = partial_name(folder)
    temporary.mkdir()
    try:
        record = make(temporary / "images.npy")
        write_text(temporary / "images.json", as_json(record, indent=None))
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    size = (folder / "images.npy").stat().st_size
    print(f"Kept {record['train'] + record['test']:,} images in {folder}, {size / 1e6:,.0f} MB.")


def _opened(name: str, folder: Path, digest: str) -> ImageData:
    record = read_json(folder / "images.json")
    try:
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        count = record["train"]
        labels = np.asarray(record["labels"], np.int64) if "labels" in record else None
        if images.dtype != np.uint8 or len(images) != count + record["test"]:
            raise ValueError(f"{len(images)} images of {images.dtype}")
        names, attributes = tuple(record.get("attributes", ())), None
        if names:
            packed = np.frombuffer(bytes.fromhex("".join(record["bits"])), np.uint8).reshape(len(images), -1)
            attributes = np.unpackbits(packed, axis=1, count=len(names)).astype(np.int8)
        splits = [
            Split(images[part], *(None if each is None else each[part] for each in (labels, attributes)))
            for part in (slice(count), slice(count, None))
        ]
        skipped = tuple((file, why) for file, why in record["skipped"])
        return ImageData(
            name,
            *splits,
            label_names=tuple(record["classes"]),
            attribute_names=names,
            digest=digest,
            skipped=skipped,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder}: expected what was kept there. Received: {error}. Delete it, and it is made anew"
        ) from error
