"""Samples of a trained model, any number of them: one picture, an animation, an array, or a folder of pictures.

They are drawn in blocks of fixed size, each from a seed of its own: with the same seed, the first samples of many are
those of few, in whatever form they are written. Latents are written as a table, in the order of the images; what it
holds is drawn as the same images again.
"""

import contextlib
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from infogan_tf.files import new_file, new_folder
from infogan_tf.latents import table
from infogan_tf.latents.arithmetic import elected, weighted_sums
from infogan_tf.latents.language import read_latents
from infogan_tf.latents.plan import Plan, Sum
from infogan_tf.models.base import GenerativeModel
from infogan_tf.pictures import labelled, save_gif, tile, to_bytes, to_pil

BLOCK = 500
JPEG_QUALITY = 95
# Each frame of an animation is shown for so long, the last for three times as long.
SECONDS_PER_FRAME = 0.15


def draw(model: GenerativeModel, plan: Plan | Sum) -> Iterator[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]:
    """Draws images, at most BLOCK at a time, and says of which latents.

    What takes more than a second shows a progress bar until the iterator is exhausted or closed.

    Args:
        model: The trained model; inference statistics are used.
        plan: Which samples, and in which order.

    Yields:
        Images, uint8 [b, H, W, C]; their noise, float32 [b, noise.size]; and the values [b] of every code.

    Raises:
        UserError: Where `latents_file` is no table of the model's latents.
    """
    planned = _summed(model, plan) if isinstance(plan, Sum) else _planned(model, plan)
    with tqdm(total=plan.count, desc="Samples", unit="image", delay=1) as bar:
        for noise, values in planned:
            # The last block too is computed whole: its shape depends on nothing, and so do its bits.
            filled = np.pad(np.arange(len(noise)), (0, BLOCK - len(noise)))
            latents = model.layout.join(noise[filled], {name: value[filled] for name, value in values.items()})
            yield to_bytes(model.generate(latents, batch_size=BLOCK))[: len(noise)], noise, values
            bar.update(len(noise))


def _summed(model, summed):
    """The latents of a Sum, one block."""
    wanted = sorted({number for group in summed.groups for number in group})
    noise, rows, start = {}, {code.name: {} for code in model.layout.codes}, 0
    for block, values in _planned(model, summed.plan):
        for number in [number for number in wanted if start <= number < start + len(block)]:
            noise[number] = block[number - start]
            for name, value in values.items():
                rows[name][number] = value[number - start]
        start += len(block)
    combine = {code.name: elected if code.discrete else weighted_sums for code in model.layout.codes}
    yield weighted_sums(noise, summed.terms), {name: combine[name](row, summed.terms) for name, row in rows.items()}


def _planned(model, plan):
    """The latents of a Plan, at most BLOCK at a time: every draw with each value that codes go through."""
    cells = math.prod(plan.steps)
    first, second = np.unravel_index(np.arange(cells), plan.steps)
    several = [name for name, values in plan.codes.items() if len(values) > 1]
    steps = dict(zip(reversed(several), (second, first), strict=False))
    for noise, values in _draws(model, plan):
        for start in range(0, len(noise) * cells, BLOCK):
            row, cell = np.divmod(np.arange(start, min(start + BLOCK, len(noise) * cells)), cells)
            here = {name: value[row] for name, value in values.items()}
            for name, given in plan.codes.items():
                place = steps[name][cell] if name in steps else np.zeros_like(cell)
                here[name] = np.asarray(given, here[name].dtype)[place]
            yield noise[row], here


def _draws(model, plan):
    """Noise and the values of every code, at most BLOCK draws at a time."""
    layout = model.layout
    if plan.latents_file is None:
        for start in range(0, plan.draws, BLOCK):
            noise, values = layout.sample_parts(BLOCK, model.stream_seed("sample", start // BLOCK))
            taken = min(BLOCK, plan.draws - start)
            yield noise.numpy()[:taken], {name: value.numpy()[:taken] for name, value in values.items()}
        return
    rows = table.read_rows(plan.latents_file, read_latents(layout.text))
    while block := list(itertools.islice(rows, BLOCK)):
        columns = np.array(block, np.float64)
        values = {code.name: columns[:, i].astype(code.dtype.as_numpy_dtype) for i, code in enumerate(layout.codes)}
        yield columns[:, len(layout.codes) :].astype(np.float32), values


def write_grid(path: Path, model: GenerativeModel, plan: Plan | Sum) -> str:
    """Writes samples into one new PNG or JPEG file; returns what was written, in words."""
    with new_file(path) as temporary:
        images = _all(model, plan)
        if plan.labels:
            images = labelled(images, plan.labels)
        picture = to_pil(tile(images, plan.columns, cells=plan.cells))
        if path.suffix == ".png":
            picture.save(temporary, format="PNG")
        else:
            picture.save(temporary, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
    return f"{path}: {plan.words}, in rows of {plan.columns}"


def write_animation(path: Path, model: GenerativeModel, plan: Plan) -> str:
    """Writes samples into a new GIF, a frame for each value of the last code; returns what was written, in words."""
    with new_file(path) as temporary:
        images = _all(model, plan)
        images = images.reshape(plan.draws, *plan.steps, *images.shape[1:])
        # [value of the last, value of the first, draw]
        frames = images.transpose(2, 1, 0, 3, 4, 5).reshape(plan.steps[1], -1, *images.shape[3:])
        pictures = [to_pil(tile(frame, plan.frame_columns)) for frame in frames]
        save_gif(temporary, pictures, SECONDS_PER_FRAME * (len(pictures) + 2))
    return f"{path}: {plan.steps[1]} frames of {plan.draws * plan.steps[0]:,} samples"


def write_array(path: Path, model: GenerativeModel, plan: Plan | Sum) -> str:
    """Writes samples into a new .npy, uint8 [count, H, W, C], and their latents into a new .csv beside it.

    Both appear whole or not at all, and one block is all that is held in memory. Returns what was written, in words.
    """
    listed = path.with_suffix(".csv")
    shape = (plan.count, *model.image_shape)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with (
        new_file(listed) as temporary_table,
        new_file(path) as temporary,
        _table(temporary_table, model) as write,
        temporary.open("wb") as array,
        contextlib.closing(draw(model, plan)) as blocks,
    ):
        # Not through a memory map, which on a full disk ends in a bus error that nobody can catch.
        np.lib.format.write_array_header_1_0(array, header)
        for images, noise, values in blocks:
            array.write(images.tobytes())
            write(noise, values)
    return f"{path}: {plan.words}, uint8 {list(shape)}; their latents are in {listed}"


def write_folder(path: Path, model: GenerativeModel, plan: Plan | Sum) -> str:
    """Writes samples as 000000.png, 000001.png, ... and their latents as latents.csv into a new folder.

    The folder appears complete or not at all. Returns what was written, in words.
    """
    digits = max(6, len(str(plan.count - 1)))
    names = (f"{number:0{digits}}.png" for number in itertools.count())
    with (
        new_folder(path) as temporary,
        _table(temporary / "latents.csv", model) as write,
        contextlib.closing(draw(model, plan)) as blocks,
    ):
        for images, noise, values in blocks:
            for image in images:
                to_pil(image).save(temporary / next(names))
            write(noise, values)
    return f"{path}: {plan.words}, a PNG each; their latents are in {path / 'latents.csv'}"


# How samples are written, by the suffix of --output.
WRITERS = {
    ".png": write_grid,
    ".jpg": write_grid,
    ".jpeg": write_grid,
    ".gif": write_animation,
    ".npy": write_array,
    "": write_folder,
}


def _all(model, plan):
    return np.concatenate([images for images, *_ in draw(model, plan)])


@contextlib.contextmanager
def _table(path, model):
    """Gives a function that writes the latents of a block."""
    described = read_latents(model.layout.text)
    with path.open("w", encoding="utf-8") as file:
        table.write_header(file, described)

        def write(noise, values):
            columns = [values[code.name].astype(np.float64) for code in model.layout.codes]
            rows = np.concatenate([np.stack(columns, axis=1), noise], axis=1) if columns else noise
            table.write_rows(file, described, rows.tolist())

        yield write
