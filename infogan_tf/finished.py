"""What is done with trained runs, a function for each --mode: measure, compare, draw, export again."""

import contextlib
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from infogan_tf import sampling
from infogan_tf.building import restored_model
from infogan_tf.comparison import compare_runs, find_runs
from infogan_tf.config import Config
from infogan_tf.data import load_data
from infogan_tf.errors import UserError
from infogan_tf.evaluate import evaluate_run
from infogan_tf.files import write_text
from infogan_tf.latents import LatentLayout
from infogan_tf.run_directory import existing_run
from infogan_tf.training import export_run

LARGEST_GRID = 10_000
# What an image takes on disk as a file of its own, at the least: most file systems give it a block of this size.
FILE_BYTES = 4096


def evaluate(config: Config, given: dict[str, object]) -> Path:
    """Measures a run's newest checkpoint and writes its report.

    Raises:
        UserError: for bad input; nothing was written then.
    """
    if config.evaluation == "none":
        raise UserError("--evaluation: expected quick or full with --mode=evaluate. Received: 'none'")
    run, kept = existing_run(config.run_dir, given, may_change=("data_dir",))
    model = restored_model(run, kept)
    data = load_data(kept.dataset, kept.data_dir)
    if data.image_shape != model.image_shape:
        raise UserError(
            f"--run_dir: expected a run on images of {kept.dataset}, {data.image_shape}. "
            f"Received: {str(run)!r}, of images {model.image_shape}"
        )
    evaluate_run(model, data, kept, run, "full" if config.evaluation == "auto" else config.evaluation)
    print(f"Wrote {run.report}.")
    return run.report


def compare(config: Config, given: dict[str, object]) -> Path:
    """Writes one page about several runs.

    Raises:
        UserError: for bad input; nothing was written then.
    """
    name = config.output or "compare.html"
    output = _new_output(name, (".html",), "a new .html file")
    page, _ = compare_runs(find_runs(config.runs))
    with _writing_to(name):
        write_text(output, page)
    print(f"Wrote {output}.")
    return output


def sample(config: Config, given: dict[str, object]) -> Path:
    """Draws `count` images from a run, some codes fixed if wanted: a grid, an array, or a folder of pictures.

    Raises:
        UserError: for bad input, or where the output cannot be written; nothing is left of it then.
    """
    run, kept = existing_run(config.run_dir, given, may_change=("seed",))
    name = config.output or "grid.png"
    output, write = _sample_output(name, config.count, run.image_shape())
    fixed = parse_codes(config.codes, LatentLayout.parse(kept.latents, kept.posterior_stddev))
    model = restored_model(run, kept)
    with _writing_to(name):
        written = write(output, model, config.count, fixed)
    print(f"Wrote {written}.")
    return output


def _sample_output(name: str, count: int, image_shape: tuple[int, int, int]) -> tuple[Path, Callable]:
    """Where samples are written and by which function, as --output's suffix says; checked before any work is done."""
    output = _new_output(name, (".png", ".npy", ""), "a new .png or .npy file, or a new folder NAME/,")
    if _suffix(name) == ".png":
        if count > LARGEST_GRID:
            raise UserError(
                f"--count: expected at most {LARGEST_GRID:,} for a grid; --output=NAME.npy and --output=NAME/ take "
                f"any number. Received: {count}"
            )
        return output, sampling.write_grid
    if _suffix(name) == ".npy":
        _new_output(str(output.with_suffix(".csv")), (".csv",), "a new .csv file, for the codes,")
        _require_space(output, count * math.prod(image_shape))
        return output, sampling.write_array
    _require_space(output, count * FILE_BYTES)
    return output, sampling.write_folder


def _new_output(name: str, suffixes: tuple[str, ...], wanted: str) -> Path:
    """`name` as a path where nothing lies yet; `wanted` says in words what is expected."""
    output = Path(name)
    with _writing_to(name):
        exists = output.exists() or output.is_symlink()
        if exists or _suffix(name) not in suffixes or not output.absolute().parent.is_dir():
            raise UserError(
                f"--output: expected {wanted} in a folder that exists. Received: {name!r}"
                + (", which exists" if exists else "")
            )
    return output


def _suffix(name: str) -> str:
    return "" if name.endswith("/") else Path(name).suffix


def _require_space(output: Path, size: int) -> None:
    with _writing_to(str(output)):
        free = shutil.disk_usage(output.absolute().parent).free
    if free < size:
        raise UserError(
            f"--output: expected at least {size / 1e6:,.1f} MB free on its disk. "
            f"Received: {str(output)!r}, where {free / 1e6:,.1f} MB are"
        )


@contextlib.contextmanager
def _writing_to(name: str) -> Iterator[None]:
    """Turns what the system has against writing there into a UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(f"--output: cannot write there ({error}). Received: {name!r}") from error


def export(config: Config, given: dict[str, object]) -> Path:
    """Exports a run's newest checkpoint as the next version.

    Raises:
        UserError: for bad input; nothing was written then.
    """
    run, kept = existing_run(config.run_dir, given, may_change=("export_precision",))
    path = export_run(restored_model(run, kept), kept, run)
    print(f"Exported {path}.")
    return path


def parse_codes(text: str, layout: LatentLayout) -> dict[str, float]:
    """Reads fixed codes such as "c1=3,c2=-1.5".

    Raises:
        UserError: where a code is unknown or a value is not one of its own.
    """
    fixed = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = item.partition("=")
        if name not in layout.entropy:
            raise UserError(
                f"--codes: expected NAME=VALUE with a name of {', '.join(layout.entropy)}. Received: {item!r}"
            )
        code = layout[name]
        try:
            number = int(value) if code.discrete else float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or (code.discrete and not 0 <= number < code.num_classes):
            wanted = f"a class from 0 to {code.num_classes - 1}" if code.discrete else "a number"
            raise UserError(f"--codes: expected {wanted} for {name}. Received: {item!r}")
        fixed[name] = number
    return fixed
