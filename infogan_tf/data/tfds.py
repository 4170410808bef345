"""Data sets of tensorflow-datasets, downloaded on first use; where that fails, the error says what can be done."""

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from absl import logging

from infogan_tf.environment.internet import reachable
from infogan_tf.errors import UserError, first_line

# What tensorflow-datasets imports only after it has downloaded a data set, without which all would be in vain.
IMPORTS = {"lsun": "tensorflow_io"}


def data_folder(data_dir: str | None) -> Path:
    """Returns the folder of prepared data, which need not exist.

    Args:
        data_dir: The folder; by default the environment variable TFDS_DATA_DIR, or ~/tensorflow_datasets where that is
            not set.

    Raises:
        UserError: Where it is that of a user whom there is not.
    """
    text = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UserError(f"--data_dir: expected a folder ({error}). Received: {text!r}") from error


def prepared_builder(name: str, data_dir: str | None):
    """Returns the tensorflow-datasets builder of a data set; downloads and prepares the data first where needed.

    Args:
        name: The data set's name there, as in "mnist" or "emnist/letters".
        data_dir: Folder of prepared data, as in `data_folder`.

    Raises:
        UserError: As `find_builder` and `prepare` raise it.
    """
    builder = find_builder(name, data_dir)
    prepare(builder, name, data_dir)
    return builder


def find_builder(name: str, data_dir: str | None):
    """Returns the builder as `prepared_builder` does, but its data may still have to be downloaded and prepared.

    Raises:
        UserError: Where the folder cannot be read, or there is no data set of this name.
    """
    folder = data_folder(data_dir)
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
        raise UserError(f"--data_dir: expected a folder that can be read. Received: {str(folder)!r}")

    import tensorflow_datasets as tfds

    try:
        with without_warnings():
            return tfds.builder(name, data_dir=folder)
    except Exception as error:  # whatever its lookup, or the module of one data set, makes of a name
        reason = first_line(error).rpartition('}": ')[2]  # without the call that failed
        raise UserError(
            f"--dataset: expected the name of a data set of tensorflow-datasets, which "
            f"https://www.tensorflow.org/datasets/catalog lists. Received: {f'tfds:{name}'!r} ({reason})"
        ) from error


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Keeps tensorflow-datasets from logging warnings, which are for those who develop it."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def originals(builder) -> dict[str, str]:
    """The original files of a data set, which are also taken from <data_dir>/downloads/manual: the address of each."""
    found = {info.filename: url for url, info in (builder.url_infos or {}).items() if info.filename}
    config = builder.builder_config and builder.builder_config.name
    # Configurations of one data set share a list of files, whose names tell whose they are, or are of all.
    own = {file: url for file, url in found.items() if config and config in file}
    return dict(sorted((own or found).items()))


def prepare(builder, name: str, data_dir: str | None) -> None:
    """Downloads and prepares a data set where that was not done, with tensorflow-datasets' own progress bars.

    Args:
        builder: As `find_builder` returns it.
        name: Its name there.
        data_dir: Folder of prepared data, as in `data_folder`.

    Raises:
        UserError: Where the data is not there and cannot be downloaded.
    """
    with without_warnings():  # of data that is not prepared yet
        if builder.is_prepared():
            return
    folder = data_folder(data_dir)
    manual = folder / "downloads" / "manual"
    files = originals(builder)
    needed = IMPORTS.get(builder.name)
    if needed and importlib.util.find_spec(needed) is None:
        raise _not_to_be_had(builder, name, folder, f"it is read with {needed}, which is not installed")
    if files and not all((manual / file).is_file() for file in files):
        # Asked first, so that a missing network shows in seconds and not after minutes of retries.
        address = next(iter(files.values()))
        if not reachable(address):
            raise _not_to_be_had(builder, name, folder, f"{address} does not answer")
    try:
        builder.download_and_prepare()
    except Exception as error:  # tensorflow-datasets raises whatever the network, the disk or a checksum gave
        raise _not_to_be_had(builder, name, folder, first_line(error)) from error


def _not_to_be_had(builder, name: str, folder: Path, reason: str) -> UserError:
    manual, files = folder / "downloads" / "manual", originals(builder)
    ways = [f"copy a prepared {builder.name} folder there (or name its parent with --data_dir or TFDS_DATA_DIR)"]
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        instructions = " ".join(builder.MANUAL_DOWNLOAD_INSTRUCTIONS.split()).rstrip(".")
        ways.append(f"get its files by yourself, as tensorflow-datasets says ({instructions}), into {manual}")
    elif files and builder.name not in IMPORTS:
        home = f", which {builder.info.homepage} has or names," if builder.info.homepage else ""
        ways.append(f"put the original files ({', '.join(files)}){home} into {manual}")
    ways.append("unpack its images anywhere and name their folder, --dataset=FOLDER")
    ways.append("train on what needs no download: --dataset=digits, or --dataset=sprites")
    return UserError(
        f"--dataset: no prepared {name} in {folder / builder.name}, and it could not be downloaded ({reason}). "
        f"Ways out: {'; or '.join(ways)}."
    )
