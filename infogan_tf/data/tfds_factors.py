"""Data sets of tensorflow-datasets that hold one image of each combination of known factors."""

import math
from collections.abc import Iterator

import numpy as np

from infogan_tf.data.image_file import images_in_file
from infogan_tf.data.images import Factors, ImageData
from infogan_tf.data.tfds import data_folder, prepared_builder
from infogan_tf.errors import UserError

# The factors in the order of the original files. Hues and dSprites' orientation are cyclic, but count as ordered.
FACTORS = {
    "dsprites": ("shape", "scale", "orientation", "x_position", "y_position"),
    "shapes3d": ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"),
}
SHAPES = {
    "dsprites": ("square", "ellipse", "heart"),
    "shapes3d": ("cube", "cylinder", "sphere", "capsule"),
}
READ_BATCH = 1_000


def load_tfds_factors(name: str, data_dir: str | None = None) -> ImageData:
    """Opens a data set of all combinations of factors; `ImageData.of_grid` says how it is split.

    The labels are the shape. tensorflow-datasets stores such data shuffled: on first use the images are written in the
    order of their factors to a file of 3.0 GB (dsprites) or 5.9 GB (shapes3d) in <data_dir>/infogan_tf. The training
    images are a read-only memory map of this file.

    Args:
        name: The data set's name: "dsprites", 64 x 64 with one channel, or "shapes3d", 64 x 64 in colour.
        data_dir: Folder of prepared data, as in `tfds.data_folder`.

    Raises:
        UserError: Where the data is incomplete, or not there and cannot be downloaded; or where the file cannot be
            written or read.
    """
    builder = prepared_builder(name, data_dir)
    features = builder.info.features
    sizes = tuple(features[f"label_{factor}"].num_classes for factor in FACTORS[name])
    images = images_in_file(
        data_folder(data_dir) / "infogan_tf" / f"{name}-{builder.version}.npy",
        (math.prod(sizes), *features["image"].shape),
        lambda: _images_and_places(name, builder, sizes),
    )
    ordered = tuple(factor != "shape" for factor in FACTORS[name])
    return ImageData.of_grid(name, Factors(FACTORS[name], sizes, ordered, images), SHAPES[name])


def _images_and_places(name: str, builder, sizes: tuple[int, ...]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the places [B] and images [B, H, W, C] of all records, in stored order.

    Raises:
        UserError: At the end, where combinations of factors were missing.
    """
    import tensorflow_datasets as tfds

    # By default the records of a small file, as dSprites' is, are all kept in memory once decoded.
    config = tfds.ReadConfig(try_autocache=False)
    dataset = builder.as_dataset(split="train", batch_size=READ_BATCH, shuffle_files=False, read_config=config)
    found = np.zeros(sizes, bool)
    for batch in tfds.as_numpy(dataset):
        factors = tuple(batch[f"label_{factor}"] for factor in FACTORS[name])
        found[factors] = True
        # dSprites' pixels are stored as 0 and 1.
        images = np.where(batch["image"], np.uint8(255), np.uint8(0)) if name == "dsprites" else batch["image"]
        yield np.ravel_multi_index(factors, sizes), images
    if not found.all():
        raise UserError(
            f"--dataset={name}: expected an image of each of {found.size:,} combinations of factors in "
            f"{builder.data_dir}. Received: {found.sum():,} of them"
        )
