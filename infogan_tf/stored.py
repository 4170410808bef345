"""Arrays in an .npz file of our own, of which names, shapes and types are known: whole, or not at all."""

import io
import math
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from infogan_tf.errors import first_line

# An array's header in the file is 64 bytes, or some more of many dimensions.
_HEADER = 2**10


class UnfitError(Exception):
    """Raised where a file does not hold what it should; the message says why."""


class Like(Protocol):
    """What says which array is expected: another one, or a Keras variable."""

    shape: tuple[int, ...]
    dtype: str | np.dtype


def read_arrays(path: Path, like: Mapping[str, Like]) -> dict[str, np.ndarray]:
    """Reads arrays that `np.savez` wrote, and verifies their checksums.

    Names and sizes are compared before an array is read: a damaged file is not to ask for more memory than a whole one.
    Nothing is loaded with pickle.

    Args:
        path: The file.
        like: By name, arrays of the shapes and types that those in the file have.

    Returns:
        The arrays by name, all of finite numbers.

    Raises:
        UnfitError: Where the file cannot be read, or holds other arrays than these.
    """
    try:
        with zipfile.ZipFile(path) as file:
            members = {member.filename.removesuffix(".npy"): member for member in file.infolist()}
            _require_same(set(like) ^ set(members))
            _require_same(name for name, member in members.items() if not _may_hold(member, like[name]))
            arrays = {name: _array(file.read(member)) for name, member in members.items()}
    except UnfitError:
        raise
    except Exception as error:  # what a parser meets in a damaged file has no end of kinds
        raise UnfitError(first_line(error)) from error
    _require_same(
        name
        for name, wanted in like.items()
        if (arrays[name].shape, arrays[name].dtype) != (tuple(wanted.shape), np.dtype(wanted.dtype))
    )
    broken = next((name for name, array in arrays.items() if not np.isfinite(array).all()), None)
    if broken:
        raise UnfitError(f"{broken} is not finite")
    return arrays


def _may_hold(member, wanted):
    """Whether a file of the archive is as large as the array is, and not compressed, as none of ours is."""
    size = np.dtype(wanted.dtype).itemsize * math.prod(wanted.shape)
    return member.compress_type == zipfile.ZIP_STORED and size < member.file_size <= size + _HEADER


def _array(content):
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _require_same(differing: Iterable[str]) -> None:
    found = min(differing, default=None)
    if found is not None:
        raise UnfitError(f"it is of another model; they differ in {found}")
