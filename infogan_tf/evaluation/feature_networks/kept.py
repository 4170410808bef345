"""Networks that were trained once, and are found again in the cache by the images that they were trained on."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from infogan_tf.data.cache import cache_folder
from infogan_tf.data.images import ImageData
from infogan_tf.files import whole_file
from infogan_tf.stored import UnfitError, read_arrays


def kept_path(kind: str, data: ImageData, trained_on: Iterable[object], cache_dir: str | Path | None) -> Path:
    """Returns the file of a kept network.

    Args:
        kind: What it is, the first part of the file's name.
        data: The data set, whose name is the second.
        trained_on: What its weights depend on, arrays and texts: the third is a digest of them.
        cache_dir: Folder of kept networks, or None for the default.
    """
    digest = hashlib.sha256()
    for fact in trained_on:
        if isinstance(fact, np.ndarray):
            digest.update(f"{fact.dtype} {fact.shape}".encode())
            digest.update(np.ascontiguousarray(fact))
        else:
            digest.update(f"{fact}".encode())
    name = re.sub(r"[^\w-]", "_", data.name)
    return cache_folder(cache_dir) / f"{kind}_{name}_{digest.hexdigest()[:16]}.npz"


def images_of(data: ImageData) -> list[object]:
    """What says which images these are: the digest of those that the cache keeps, else the images themselves."""
    return [data.digest] if data.digest else [data.train.images, data.test.images]


def load(model: keras.Model, path: Path, score: str) -> float | None:
    """Loads kept weights into `model` and returns their score; None where there are none that can be read.

    Args:
        model: The model, built.
        path: The file, as `keep` wrote it.
        score: What the score is called there.
    """
    if not path.exists():
        return None
    weights = {f"weight_{i:02d}": weight for i, weight in enumerate(model.weights)}
    try:
        found = read_arrays(path, {score: np.float64(), **weights})
    except UnfitError as error:
        print(f"The kept network {path} cannot be read ({error}).")
        return None
    model.set_weights([found[name] for name in weights])
    return float(found[score])


def keep(model: keras.Model, path: Path, score: str, value: float) -> None:
    """Writes the file that `load` reads; prints why where it cannot be written."""
    weights = {f"weight_{i:02d}": weight for i, weight in enumerate(model.get_weights())}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **{score: value}, **weights)
    except OSError as error:
        print(f"The network could not be kept, so that it will be trained again ({error}).")
