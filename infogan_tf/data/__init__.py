"""Data sets: images as bytes, labels and factors where there are any, of a known set or of one's own.

To add a data set by name, write a loader `(name, data_dir) -> ImageData` in this folder, name it in `LOADERS`, and give
it a file in configs/. Reading this module imports no TensorFlow.
"""

from pathlib import Path

from infogan_tf.data.arrays import load_array
from infogan_tf.data.cache import default_cache_dir
from infogan_tf.data.decoding import read_crop, read_ground, read_size
from infogan_tf.data.digits import load_digits
from infogan_tf.data.folder import Wanted, load_folder
from infogan_tf.data.images import Factors, ImageData, Split
from infogan_tf.data.sources import read_source
from infogan_tf.data.sprites import load_sprites
from infogan_tf.data.tfds import load_tfds
from infogan_tf.data.tfds_factors import load_tfds_factors
from infogan_tf.errors import UserError

LOADERS = {
    "digits": load_digits,
    "mnist": load_tfds,
    "fashion_mnist": load_tfds,
    "sprites": load_sprites,
    "sprites64": load_sprites,
    "dsprites": load_tfds_factors,
    "shapes3d": load_tfds_factors,
}
# The options that only images of one's own have.
OF_FILES = ("image_size", "channels", "crop", "background", "cache_dir")

__all__ = ["LOADERS", "OF_FILES", "Factors", "ImageData", "Split", "load_data"]


def load_data(
    name: str,
    data_dir: str | None = None,
    image_size: str = "",
    channels: str = "auto",
    crop: str = "center",
    background: str = "white",
    cache_dir: str | None = None,
) -> ImageData:
    """Loads a data set, by its name or from images of one's own.

    Images of one's own, JPEG, PNG, GIF (the first frame), BMP, WebP or TIFF, lie in a folder, however deep, or in a
    .zip; or they are uint8 arrays in an .npy or .npz. They are decoded once, with all cores, into a memory-mapped file
    in the cache. `list_images` says what is held out for evaluation and what is a label, and `load_array` what arrays
    there may be.

    Args:
        name: One of LOADERS; or the path of a folder, a .zip, an .npy or an .npz. Names win: `./mnist` is a folder.
        data_dir: Folder of prepared data, for the data sets that need it; by default the environment variable
            TFDS_DATA_DIR, or ~/tensorflow_datasets where that is not set.
        image_size: Height and width of images of one's own, as in 64 or 64x48, multiples of 4 from 16 to 128; by
            default the largest of 28, 32, 48 and 64 that is not above the median of their shorter sides.
        channels: "1" for grey, "3" for colour, or "auto": grey where some 500 of them, which are looked at, all are.
        crop: "center" takes the largest part of the wanted proportions, "none" squeezes the whole, and
            LEFT,TOP,WIDTH,HEIGHT takes that part, in pixels.
        background: The colour under what is transparent, a name or #rrggbb.
        cache_dir: Folder of the cache; by default infogan_tf under the environment variable XDG_CACHE_HOME, or under
            ~/.cache where that is not set.

    Raises:
        UserError: For what is no data set, where data is neither there nor can be downloaded, or images cannot be read.
    """
    source = read_source(str(name), LOADERS)
    if source.kind == "named":
        return LOADERS[source.name](source.name, data_dir)
    wanted = read_wanted(image_size, channels, crop, background)
    load = load_array if source.kind == "array" else load_folder
    try:
        folder = Path(cache_dir).expanduser() if cache_dir else default_cache_dir()
    except RuntimeError as error:
        raise UserError(f"--cache_dir: expected a folder ({error}). Received: {cache_dir!r}") from error
    return load(source.name, source.path, wanted, folder)


def read_wanted(image_size: str, channels: str, crop: str, background: str) -> Wanted:
    """What is asked of images of one's own, by the texts that `load_data` takes, which also says what is raised."""
    if channels not in ("auto", "1", "3"):
        raise UserError(f"--channels: expected auto, 1 or 3. Received: {channels!r}")
    return Wanted(
        read_size(image_size), None if channels == "auto" else int(channels), read_crop(crop), read_ground(background)
    )
