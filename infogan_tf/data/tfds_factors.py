"""Data sets of tensorflow-datasets that hold an image of each combination of known factors."""

import math

import numpy as np

from infogan_tf.data.base import Factors, ImageData
from infogan_tf.data.tfds import prepared_builder
from infogan_tf.errors import UserError

# The factors in the order of the original files. Hues and dSprites' orientation come back to where they begin, and
# count as ordered all the same.
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
    """Reads a data set of all combinations of factors; see `ImageData.of_grid` for the split. The labels are the shape.

    tensorflow-datasets stores such data shuffled; each image is put into its place by its factors, in one array of 3 GB
    (dsprites) or 6 GB (shapes3d).

    Args:
        name: "dsprites", 64 x 64 and one channel, or "shapes3d", 64 x 64 in colour.
        data_dir: as for `load_tfds`.

    Raises:
        UserError: where the data is neither there nor to be had, or incomplete.
    """
    import tensorflow_datasets as tfds

    builder = prepared_builder(name, data_dir)
    features = builder.info.features
    sizes = tuple(features[f"label_{factor}"].num_classes for factor in FACTORS[name])
    images = np.empty((math.prod(sizes), *features["image"].shape), np.uint8)
    filled = np.zeros(len(images), bool)
    for batch in tfds.as_numpy(builder.as_dataset(split="train", batch_size=READ_BATCH, shuffle_files=False)):
        places = np.ravel_multi_index([batch[f"label_{factor}"] for factor in FACTORS[name]], sizes)
        images[places] = batch["image"]
        filled[places] = True
    if not filled.all():
        raise UserError(
            f"--dataset={name}: expected an image of each of {len(images):,} combinations of factors in "
            f"{builder.data_dir}. Received: {filled.sum():,} of them"
        )
    if images.max() == 1:  # dSprites' are stored as 0 and 1
        images *= 255
    ordered = tuple(factor != "shape" for factor in FACTORS[name])
    return ImageData.of_grid(name, Factors(FACTORS[name], sizes, ordered, images), SHAPES[name])
