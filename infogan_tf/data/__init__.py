"""Data sets by name: images as bytes, labels and factors where known, and the stream of batches that training reads.

To add a data set, write a loader `(name, data_dir) -> ImageData` in this folder, name it in `LOADERS`, and give it a
file in configs/.
"""

from infogan_tf.data.digits import load_digits
from infogan_tf.data.images import Factors, ImageData, Split
from infogan_tf.data.sprites import load_sprites
from infogan_tf.data.stream import stream
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

__all__ = ["ImageData", "Split", "Factors", "LOADERS", "load_data", "stream"]


def load_data(name: str, data_dir: str | None = None) -> ImageData:
    """Loads a data set.

    Args:
        name: The data set's name, one of LOADERS.
        data_dir: Folder of prepared data, for the data sets that need it; by default the environment variable
            TFDS_DATA_DIR, or ~/tensorflow_datasets where that is not set.

    Raises:
        UserError: For an unknown name, or where the data is neither there nor can be downloaded.
    """
    if name not in LOADERS:
        raise UserError(f"--dataset: expected one of {', '.join(LOADERS)}. Received: {name!r}")
    return LOADERS[name](name, data_dir)
