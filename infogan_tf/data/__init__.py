"""Data sets: images as bytes, labels and factors where there are any, of a known set or of one's own.

To add a data set by name, write a loader `(name, data_dir) -> ImageData` in this folder, name it in `LOADERS`, and give
it a file in configs/; one of tensorflow-datasets needs no loader of its own. Reading this module imports none of them:
--help and a mistyped flag do not wait for NumPy.
"""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING

from infogan_tf.data.sources import read_source

if TYPE_CHECKING:
    from infogan_tf.data.images import ImageData

# By name, where the function stands that loads it, module:function; or tfds:NAME of a data set of tensorflow-datasets
# whose images are made to be of the wanted form, as those of a folder are.
LOADERS = {
    "digits": "infogan_tf.data.digits:load_digits",
    "mnist": "tfds:mnist",
    "fashion_mnist": "tfds:fashion_mnist",
    "sprites": "infogan_tf.data.sprites:load_sprites",
    "sprites64": "infogan_tf.data.sprites:load_sprites",
    "dsprites": "infogan_tf.data.tfds_factors:load_tfds_factors",
    "shapes3d": "infogan_tf.data.tfds_factors:load_tfds_factors",
    "kmnist": "tfds:kmnist",
    "emnist": "tfds:emnist/letters",
    "svhn_cropped": "tfds:svhn_cropped",
    "cifar10": "tfds:cifar10",
    "celeb_a": "tfds:celeb_a",
    "lsun": "tfds:lsun/bedroom",
    "smallnorb": "tfds:smallnorb",
}
# The options of images that are made to be of a wanted form: one's own, and those of tensorflow-datasets.
OF_FILES = ("image_size", "channels", "crop", "background", "cache_dir", "labels")


def load_data(
    name: str,
    data_dir: str | None = None,
    image_size: str = "",
    channels: str = "auto",
    crop: str = "center",
    background: str = "white",
    cache_dir: str | None = None,
    labels: str = "",
) -> ImageData:
    """Loads a data set, by its name, from tensorflow-datasets or from images of one's own.

    Images of one's own, JPEG, PNG, GIF (the first frame), BMP, WebP or TIFF, lie in a folder, however deep, or in a
    .zip; or they are uint8 arrays in an .npy or .npz. They are decoded once, with all cores, into a memory-mapped file
    in the cache. `list_images` says what is held out for evaluation and what is a label, and `load_array` what arrays
    there may be. `load_tfds_images` does the same for the data sets of tensorflow-datasets.

    Args:
        name: One of LOADERS; or tfds:NAME, as in tfds:emnist/letters; or the path of a folder, a .zip, an .npy or an
            .npz. A name is always the data set: `./mnist` is a folder.
        data_dir: Folder of prepared data, for the data sets that need it; by default the environment variable
            TFDS_DATA_DIR, or ~/tensorflow_datasets where that is not set.
        image_size: Height and width of images of one's own and of tensorflow-datasets, as in 64 or 64x48, multiples of
            4 from 16 to 128; by default the largest of 28, 32, 48 and 64 that is not above the median of their shorter
            sides.
        channels: "1" for grey, "3" for colour, or "auto": of files grey where some 500 of them, which are looked at,
            all are; of arrays and of tensorflow-datasets as they are stored.
        crop: "center" takes the largest part of the wanted proportions, "none" squeezes the whole, and
            LEFT,TOP,WIDTH,HEIGHT takes that part, in pixels.
        background: The colour under what is transparent, a name or #rrggbb.
        cache_dir: Folder of the cache; by default infogan_tf under the environment variable XDG_CACHE_HOME, or under
            ~/.cache where that is not set.
        labels: A .csv of labels and attributes, or none; `read_table` and `Table.rows_of` say what it may hold. An
            image of an array or of tensorflow-datasets is named by its index, from 0; those of the test split count on
            from those of the other.

    Raises:
        UserError: For what is no data set, where data is neither there nor can be downloaded, or images cannot be read.
    """
    source = read_source(str(name), LOADERS)
    if source.kind == "named":
        return pkgutil.resolve_name(LOADERS[source.name])(source.name, data_dir)
    from infogan_tf.data.own import load_own

    return load_own(source, image_size, channels, crop, background, cache_dir, labels, data_dir)
