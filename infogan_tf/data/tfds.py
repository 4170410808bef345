"""Data sets of tensorflow-datasets, downloaded on first use; where that fails, the error says what can be done."""

import os
from pathlib import Path

from infogan_tf.data.images import ImageData, Split
from infogan_tf.environment.internet import reachable
from infogan_tf.errors import UserError, first_line

# Where tensorflow-datasets downloads each data set from: asked first, so that a missing network shows in seconds and
# not after minutes of retries. ORIGINALS are the files that it also takes from <data_dir>/downloads/manual/.
SOURCES = {
    "mnist": "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "fashion_mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "dsprites": "https://github.com/deepmind/dsprites-dataset/",
    "shapes3d": "https://storage.googleapis.com/3d-shapes/",
}
_IDX_FILES = tuple(
    f"{part}-{kind}.gz" for part in ("train", "t10k") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
)
ORIGINALS = {
    "mnist": _IDX_FILES,
    "fashion_mnist": _IDX_FILES,
    "dsprites": ("dsprites_ndarray_co1sh3sc6or40x32y32_64x64.hdf5",),
    "shapes3d": ("3dshapes.h5",),
}


def load_tfds(name: str, data_dir: str | None = None) -> ImageData:
    """Reads a labelled image data set with tensorflow-datasets; downloads and prepares it first where needed.

    Args:
        name: The data set's name, "mnist" or "fashion_mnist".
        data_dir: Folder of prepared data; by default the environment variable TFDS_DATA_DIR, or ~/tensorflow_datasets
            where that is not set.

    Raises:
        UserError: Where the folder cannot be read, or the data is not there and cannot be downloaded.
    """
    import tensorflow_datasets as tfds

    builder = prepared_builder(name, data_dir)
    splits = {}
    for name_of_split in ("train", "test"):
        read = tfds.as_numpy(builder.as_dataset(split=name_of_split, batch_size=-1, shuffle_files=False))
        splits[name_of_split] = Split(read["image"], read["label"])
    return ImageData(
        name=name,
        **splits,
        label_names=tuple(builder.info.features["label"].names),
    )


def data_folder(data_dir: str | None) -> Path:
    """Returns the folder of prepared data, which need not exist; the defaults are those of `load_tfds`."""
    return Path(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def prepared_builder(name: str, data_dir: str | None):
    """Returns the tensorflow-datasets builder of a data set; downloads and prepares the data first where needed.

    Args:
        name: The data set's name, one of SOURCES.
        data_dir: Folder of prepared data, as in `load_tfds`.

    Raises:
        UserError: As `load_tfds` raises it.
    """
    folder = data_folder(data_dir)
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
        raise UserError(f"--data_dir: expected a folder that can be read. Received: {str(folder)!r}")

    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=folder)
    if not builder.is_prepared():
        _prepare(builder, name, folder)
    return builder


def _prepare(builder, name: str, folder: Path) -> None:
    """Downloads and prepares the data set, with tensorflow-datasets' own progress bars."""
    originals = folder / "downloads" / "manual"
    has_originals = all((originals / file).is_file() for file in ORIGINALS[name])
    if not has_originals and not reachable(SOURCES[name]):
        raise _not_to_be_had(name, folder, f"{SOURCES[name]} does not answer")
    try:
        builder.download_and_prepare()
    except Exception as error:  # tensorflow-datasets raises whatever the network, the disk or a checksum gave
        raise _not_to_be_had(name, folder, first_line(error)) from error


def _not_to_be_had(name: str, folder: Path, reason: str) -> UserError:
    return UserError(
        f"--dataset={name}: no prepared data in {folder / name}, and it could not be downloaded ({reason}). Ways out: "
        f"copy a prepared {name} folder there (or name its parent with --data_dir or TFDS_DATA_DIR); or put the "
        f"original files ({', '.join(ORIGINALS[name])}) into {folder / 'downloads' / 'manual'}; or train on what needs "
        "no download: --dataset=digits, or --dataset=sprites."
    )
