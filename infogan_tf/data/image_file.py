"""Images written once, in order, to a file that is then memory-mapped: memory holds only those in use."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from infogan_tf.data.cache import write_rows
from infogan_tf.errors import UserError
from infogan_tf.files import alone_in, remove_leftovers, whole_file


def images_in_file(
    path: Path, shape: tuple[int, int, int, int], read: Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]
) -> np.memmap:
    """Opens the images in `path`; where there is no such file, writes it first, whole or not at all.

    Writing shows a progress bar. Processes that need the same file at the same time wait for the first one to write it.

    Args:
        path: The .npy file. Its folder is created if missing; the folder above has to exist.
        shape: Shape of all images together, (N, H, W, C).
        read: Function that returns all images in pieces, in any order: pairs of places in the file, integers [B] from
            0, and images, uint8 [B, H, W, C]. It is called only to write the file.

    Returns:
        A read-only memory map, uint8 [N, H, W, C].

    Raises:
        UserError: Where the file cannot be written, or holds another dtype or shape.
    """
    if not path.exists():
        try:
            path.parent.mkdir(exist_ok=True)
            with alone_in(path.parent, wait=True):
                if not path.exists():
                    _write(path, shape, read)
        except OSError as error:
            raise UserError(
                "--data_dir: expected a folder that can be written, with room to put images in order there, once. "
                f"Received: {str(path.parent)!r} ({error})"
            ) from error
    return _open(path, shape)


def _write(path, shape, read):
    remove_leftovers(path.parent)
    with whole_file(path) as temporary:
        write_rows(temporary, shape[0], shape[1:], _rows(read))


def _rows(read):
    for places, images in read():
        yield from zip(places.tolist(), images, strict=True)


def _open(path, shape):
    try:
        images = np.lib.format.open_memmap(path, mode="r")
        found = f"{images.dtype} {list(images.shape)}"
    except (OSError, ValueError) as error:
        found = str(error)
    expected = f"uint8 {list(shape)}"
    if found != expected:
        raise UserError(
            f"{path}: expected a whole .npy file, {expected}. Received: {found}. Delete it, and it will be written anew"
        )
    return images
