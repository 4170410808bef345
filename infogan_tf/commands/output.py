"""What --output names: where nothing lies yet, and where there is room for it."""

import contextlib
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from infogan_tf.config.options import LONGEST_NAME
from infogan_tf.data.sources import refuse_within
from infogan_tf.errors import UserError
from infogan_tf.files import partial_name, skipped_beside
from infogan_tf.latents.plan import Plan, Sum

LARGEST_GRID = 10_000
PICTURES = (".png", ".jpg", ".jpeg", ".gif")
# Of a JPEG or GIF file, in pixels.
LONGEST_SIDE = 65_535
# What an image takes on disk as a file of its own, at the least: most file systems give it a block of this size.
FILE_BYTES = 4096
# What a number takes in a table, at most: sign, digits, exponent, comma.
NUMBER_BYTES = 17
# And a file's name there, roughly.
NAME_BYTES = 64


def new_output(name: str, suffixes: tuple[str, ...], wanted: str) -> Path:
    """`name` as a path where nothing lies yet; `wanted` says in words what is expected."""
    output = Path(name)
    with writing_to(name):
        exists = output.exists() or output.is_symlink()
        is_fit = suffix_of(name) in suffixes and output.name not in suffixes  # .png alone is a name, and no suffix
        if exists or not is_fit or not output.absolute().parent.is_dir():
            raise UserError(
                f"--output: expected {wanted} in a folder that exists. Received: {name!r}"
                + (", which exists" if exists else "")
            )
        if len(os.fsencode(partial_name(output).name)) > LONGEST_NAME:  # under which it is written
            raise UserError(f"--output: expected a shorter name of the file. Received: {name!r}")
    return output


def sample_output(name: str, plan: Plan | Sum, image_shape: tuple[int, int, int], numbers: int) -> tuple[Path, str]:
    """Where samples are to be written, and the suffix that says how; grid.png if no name is given.

    Args:
        name: As --output has it.
        plan: What is drawn.
        image_shape: Of each image.
        numbers: Of its latents, which are written as a table beside a .npy and into a folder.

    Raises:
        UserError: Where that is not possible.
    """
    name = name or "grid.png"
    wanted = "a new .png, .jpg, .gif or .npy file, or a new folder NAME/,"
    output, suffix = new_output(name, (*PICTURES, ".npy", ""), wanted), suffix_of(name)
    if suffix in PICTURES and plan.count > LARGEST_GRID:
        raise UserError(
            f"--count: expected at most {LARGEST_GRID:,} for a picture; --output=NAME.npy and --output=NAME/ take any "
            f"number. Received: {plan.count}"
        )
    if isinstance(plan, Sum) and suffix in PICTURES and suffix != ".png":
        raise UserError(f"--output: expected a .png, a .npy or a folder with --arithmetic. Received: {name!r}")
    if isinstance(plan, Plan) and plan.numbered and suffix != ".png":
        raise UserError(f"--output: expected a .png with --numbered, which writes into it. Received: {name!r}")
    if suffix == ".gif" and not plan.varies:
        raise UserError(f"--output: expected a .gif with --codes=NAME=START:END, which it shows. Received: {name!r}")
    columns = plan.frame_columns if suffix == ".gif" else plan.columns
    across, down = columns * (image_shape[1] + 1), -(-plan.count // columns) * (image_shape[0] + 1)
    if suffix in PICTURES and suffix != ".png" and max(across, down) >= LONGEST_SIDE:
        raise UserError(
            f"--output: expected a .png of a picture of {across:,} x {down:,} pixels. Received: {name!r}, which takes "
            f"{LONGEST_SIDE:,} at most"
        )
    if suffix == ".npy":
        new_output(str(output.with_suffix(".csv")), (".csv",), "a new .csv file, for the latents,")
        require_space(output, plan.count * (math.prod(image_shape) + NUMBER_BYTES * numbers))
    if suffix == "":
        require_space(output, plan.count * (FILE_BYTES + NUMBER_BYTES * numbers))
    return output, suffix


def codes_output(name: str, dataset: str, codes: Mapping[str, tuple[str, int]]) -> tuple[Path, str]:
    """Where the codes of images are to be written, and the suffix that says how; codes.csv if no name is given.

    Args:
        name: As --output has it.
        dataset: As --dataset has it; nothing is written into a folder of images.
        codes: Those of the run, as `read_latents` has them.

    Raises:
        UserError: Where that is not possible.
    """
    name = name or "codes.csv"
    output, suffix = new_output(name, (".csv", ""), "a new .csv file, or a new folder NAME/,"), suffix_of(name)
    if suffix == "" and not any(classes and kind != "label" for kind, classes in codes.values()):
        raise UserError(
            f"--output: expected a .csv file, of a run whose codes are numbers and no classes. Received: {name!r}"
        )
    if suffix:
        new_output(str(skipped_beside(output)), (".txt",), "a new .txt file, for what cannot be read,")
    refuse_within(name, dataset, "output")
    return output, suffix


def comparison_output(name: str) -> Path:
    """Where a comparison of runs is to be written; compare.html if no name is given.

    Args:
        name: As --output has it.

    Raises:
        UserError: Where that is not possible.
    """
    return new_output(name or "compare.html", (".html", ".json"), "a new .html or .json file")


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
