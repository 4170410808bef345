"""What --output names: where nothing lies yet, and where there is room for it."""

import contextlib
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

from infogan_tf.errors import UserError

LARGEST_GRID = 10_000
# What an image takes on disk as a file of its own, at the least: most file systems give it a block of this size.
FILE_BYTES = 4096


def new_output(name: str, suffixes: tuple[str, ...], wanted: str) -> Path:
    """`name` as a path where nothing lies yet; `wanted` says in words what is expected."""
    output = Path(name)
    with writing_to(name):
        exists = output.exists() or output.is_symlink()
        if exists or suffix_of(name) not in suffixes or not output.absolute().parent.is_dir():
            raise UserError(
                f"--output: expected {wanted} in a folder that exists. Received: {name!r}"
                + (", which exists" if exists else "")
            )
    return output


def sample_output(
    name: str, count: int, image_shape: tuple[int, int, int], with_codes: bool = True
) -> tuple[Path, str]:
    """Where samples are to be written, and the suffix that says how; grid.png if no name is given.

    Args:
        name: As --output has it.
        count: Of images.
        image_shape: Of each.
        with_codes: Whether the model has codes, of which a .csv is written beside a .npy.

    Raises:
        UserError: Where that is not possible.
    """
    name = name or "grid.png"
    output, suffix = (
        new_output(name, (".png", ".npy", ""), "a new .png or .npy file, or a new folder NAME/,"),
        suffix_of(name),
    )
    if suffix == ".png" and count > LARGEST_GRID:
        raise UserError(
            f"--count: expected at most {LARGEST_GRID:,} for a grid; --output=NAME.npy and --output=NAME/ take any "
            f"number. Received: {count}"
        )
    if suffix == ".npy":
        if with_codes:
            new_output(str(output.with_suffix(".csv")), (".csv",), "a new .csv file, for the codes,")
        require_space(output, count * math.prod(image_shape))
    if suffix == "":
        require_space(output, count * FILE_BYTES)
    return output, suffix


def suffix_of(name: str) -> str:
    """The suffix of an output's name; empty for a folder, NAME/."""
    return "" if name.endswith("/") else Path(name).suffix


def require_space(output: Path, size: int) -> None:
    """Refuses, by a UserError, what needs more than the `size` bytes that are free there."""
    with writing_to(str(output)):
        free = shutil.disk_usage(output.absolute().parent).free
    if free < size:
        raise UserError(
            f"--output: expected at least {size / 1e6:,.1f} MB free on its disk. "
            f"Received: {str(output)!r}, where {free / 1e6:,.1f} MB are"
        )


@contextlib.contextmanager
def writing_to(name: str) -> Iterator[None]:
    """Turns what the system has against writing there into a UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(f"--output: cannot write there ({error}). Received: {name!r}") from error
