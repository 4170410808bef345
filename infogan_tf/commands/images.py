"""The data set of a run, what its pictures were made to be, and other images that are brought to that form."""

import contextlib
import dataclasses

import numpy as np
from tqdm import tqdm

from infogan_tf.config.options import Config
from infogan_tf.data import LOADERS, OF_FILES, load_data
from infogan_tf.data.arrays import rows_in_order
from infogan_tf.data.captioned import captioned
from infogan_tf.data.decoding import Form, read_crop, read_ground
from infogan_tf.data.images import ImageData
from infogan_tf.data.in_order import FilesInOrder, RowsInOrder
from infogan_tf.data.sources import Source, is_fixed, read_source
from infogan_tf.errors import UserError
from infogan_tf.latents.language import read_latents


def images_of(config: Config) -> ImageData:
    """Loads what a run is trained on; `load_data` and `captioned` say what is raised."""
    options = {} if is_fixed(config.dataset, LOADERS) else {name: getattr(config, name) for name in OF_FILES}
    data = load_data(config.dataset, config.data_dir, **options)
    # Pictures of any origin, which are measured against the data, have no latents.
    grammar = read_latents(config.latents).grammar if config.latents else ""
    return captioned(data, grammar) if grammar else data


def form_of(config: Config, image_shape: tuple[int, int, int]) -> Form | None:
    """What pictures were made to be that a run is trained on; None of a data set that is as it is."""
    return None if is_fixed(config.dataset, LOADERS) else form_by_options(config, image_shape)


def form_by_options(config: Config, image_shape: tuple[int, int, int]) -> Form:
    """The form of pictures that are brought to a shape with --crop and --background."""
    return Form(*image_shape, read_crop(config.crop), read_ground(config.background))


def pictures_of(config: Config, image_shape: tuple[int, int, int], most: int) -> tuple[np.ndarray, int, int]:
    """Reads the pictures that --samples names, brought to the shape of the data set's images as those are.

    The part of each that --crop may name is not taken of them: they show that part already.

    Args:
        config: The options.
        image_shape: Of the data set.
        most: How many are kept, a fixed random choice.

    Returns:
        The pictures, uint8 [N, H, W, C], in a fixed random order; how many there are in all; and how many of those
        chosen could not be read.

    Raises:
        UserError: Where there are none, or they cannot be had.
    """
    form = form_by_options(config, image_shape)
    if not isinstance(form.crop, str):
        form = dataclasses.replace(form, crop="center")
    try:
        with contextlib.closing(_opened(read_source(config.samples, {}, "samples"))) as source:
            rng, chosen = np.random.default_rng(0), np.zeros(len(source), bool)
            chosen[rng.permutation(len(source))[:most]] = True
            shown = tqdm(source.images(form), desc="Pictures", total=len(source), unit="image", delay=1)
            found = [image for (_, image), keep in zip(shown, chosen, strict=True) if keep]
    except UserError as error:  # of loaders that otherwise serve --dataset
        raise UserError(str(error).replace("--dataset:", "--samples:", 1)) from error
    pictures = [image for image in found if not isinstance(image, str)]
    if not pictures:
        raise UserError(f"--samples: expected images that can be read. Received: {config.samples!r} ({found[0]})")
    # As they lie in folders they may be sorted, by class for one; figures of their first thousands are to be of all.
    shuffled = [pictures[i] for i in rng.permutation(len(pictures))]
    return np.stack(shuffled), len(chosen), len(found) - len(pictures)


def images_in_order(config: Config, form: Form) -> FilesInOrder | RowsInOrder:
    """Opens every image of the data set, of both splits, in its own order and as it lies there; to be closed.

    Args:
        config: The options.
        form: What they are to be made; those of tensorflow-datasets are made so here, and are in the order of training
            and evaluation.

    Raises:
        UserError: Where there are none, or they cannot be had.
    """
    source = read_source(config.dataset, LOADERS)
    if source.path:
        return _opened(source)
    made = source.kind == "tfds"
    if made:
        config = dataclasses.replace(
            config, labels="", image_size=f"{form.height}x{form.width}", channels=str(form.channels)
        )
    data = images_of(config)
    # Of a grid of factors the test images are some of the others.
    splits = {"train": data.train.images} | ({} if data.factors else {"test": data.test.images})
    rows = ((name, index, row) for name, images in splits.items() for index, row in enumerate(images))
    return RowsInOrder([images.shape for images in splits.values()], rows, made)


def _opened(source: Source) -> FilesInOrder | RowsInOrder:
    return RowsInOrder(*rows_in_order(source.path)) if source.kind == "array" else FilesInOrder(source.path)
