"""Writes a SavedModel as the next version, complete or not at all."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from infogan_tf.data.decoding import Form
from infogan_tf.export.metadata import make_metadata
from infogan_tf.export.model_card import FOLDER, model_card, write_pictures
from infogan_tf.export.serving_networks import PRECISIONS, ExportedNetworks
from infogan_tf.export.signatures import make_signatures
from infogan_tf.export.warmup import FILE, write_warmup
from infogan_tf.files import (
    as_json,
    naming,
    remove_leftovers,
    sync_folder,
    temporary_folder,
    versions,
    written_by_tensorflow,
)
from infogan_tf.models.base import GenerativeModel


def export_saved_model(
    model: GenerativeModel,
    base: Path,
    precision: str = "float32",
    dataset: str = "",
    options: Mapping[str, object] | None = None,
    evaluation: Mapping[str, object] | None = None,
    title: str = "InfoGAN",
    form: Form | None = None,
) -> Path:
    """Writes base/<version>/, a SavedModel; the version is the next number, and none is overwritten.

    What it can be asked is in `signatures`, and documented in export/README.md. With it go metadata.json and requests
    to warm a server up, in assets.extra/, and a model card, README.md, with its pictures. The folder appears complete
    or not at all, whatever happens meanwhile.

    Args:
        model: The model, of any precision; the export computes in float32.
        base: The folder of versions, which is made if missing.
        precision: What the weights are stored in, "float32" or "float16"; see `ExportedNetworks`.
        dataset: The name of the data set that it was trained on, for the metadata.
        options: The run's options, for the metadata.
        evaluation: What the run's evaluation.json holds, for the metadata.
        title: What the model card calls the model.
        form: What the pictures were made to be that it was trained on, and those that it reads are; by default they
            are squeezed as a whole, and black is what is transparent.

    Returns:
        The folder written.

    Raises:
        ValueError: For what is no model of this package, or another precision.
        UserError: Where weights are too large for float16; nothing was written then.
    """
    if not isinstance(model, GenerativeModel):
        raise ValueError(f"model: expected a GenerativeModel, such as InfoGAN. Received: {type(model).__name__}")
    if precision not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(PRECISIONS)}. Received: {precision!r}")
    twin = model.float32_twin()
    networks = ExportedNetworks(twin, precision)
    metadata = make_metadata(twin, precision, dataset, options, evaluation, title)
    form = form or Form(*twin.image_shape, crop="none", ground=(0, 0, 0))
    texts = {"metadata": as_json(metadata), "readme": model_card(metadata)}

    base = Path(base)
    with naming(base):
        base.mkdir(parents=True, exist_ok=True)
        remove_leftovers(base.parent, base.name)
    with temporary_folder(base) as temporary, written_by_tensorflow(base):
        tf.saved_model.save(networks.module, str(temporary), signatures=make_signatures(networks, texts, form))
        extra = temporary / "assets.extra"
        extra.mkdir()
        (extra / "metadata.json").write_text(texts["metadata"], encoding="utf-8")
        write_warmup(extra / FILE, twin)
        (temporary / "README.md").write_text(texts["readme"], encoding="utf-8")
        write_pictures(temporary / FOLDER, twin)
        sync_folder(temporary)
        return _take_next_version(temporary, base)


def _take_next_version(temporary: Path, base: Path) -> Path:
    """Moves the folder to the first free number after the last; a concurrent export takes another one."""
    version = max(versions(base), default=0) + 1
    while True:
        try:
            return temporary.rename(base / str(version))
        except OSError:
            if not (base / str(version)).exists():
                raise
            version += 1
