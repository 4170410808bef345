"""Images that are made to be of a wanted form, by the texts that the options have for it."""

import dataclasses

from infogan_tf.data.arrays import load_array
from infogan_tf.data.cache import cache_folder
from infogan_tf.data.decoding import read_crop, read_ground, read_size
from infogan_tf.data.folder import Wanted, load_folder
from infogan_tf.data.images import ImageData
from infogan_tf.data.labels import read_table
from infogan_tf.data.sources import Source, refuse_within
from infogan_tf.data.tfds_images import load_tfds_images
from infogan_tf.errors import UserError


def load_own(
    source: Source,
    image_size: str,
    channels: str,
    crop: str,
    background: str,
    cache_dir: str | None,
    labels: str,
    data_dir: str | None,
) -> ImageData:
    """Loads the images of any source but a fixed data set; `load_data` says what the others are, and what is raised."""
    wanted = read_wanted(image_size, channels, crop, background)
    table, folder = read_table(labels) if labels else None, cache_folder(cache_dir)
    if source.kind == "tfds":
        return load_tfds_images(source.name, source.builder, wanted, folder, data_dir, table)
    refuse_within(str(folder), str(source.path), "cache_dir")
    load = load_array if source.kind == "array" else load_folder
    return dataclasses.replace(load(source.name, source.path, wanted, folder, table), own=True)


def read_wanted(image_size: str, channels: str, crop: str, background: str) -> Wanted:
    """What is asked of the images, by the texts that `load_data` takes, which also says what is raised."""
    if channels not in ("auto", "1", "3"):
        raise UserError(f"--channels: expected auto, 1 or 3. Received: {channels!r}")
    return Wanted(
        read_size(image_size), None if channels == "auto" else int(channels), read_crop(crop), read_ground(background)
    )
