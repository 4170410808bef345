"""Writes a SavedModel as the next version, complete or not at all."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from infogan_tf.export.metadata import make_metadata
from infogan_tf.export.signatures import make_signatures
from infogan_tf.files import partial_name
from infogan_tf.models import InfoGAN
from infogan_tf.models.infogan import NETWORKS


def export_saved_model(
    model: InfoGAN,
    base: Path,
    dataset: str = "",
    options: Mapping[str, object] | None = None,
    evaluation: Mapping[str, object] | None = None,
) -> Path:
    """Writes base/<version>/, a float32 SavedModel; the version is the next number, and none is overwritten.

    `signatures` makes what it can be asked, and export/README.md documents that. The folder appears complete or not at
    all.

    Args:
        model: with any precision; the export computes in float32.
        base: the folder of versions; made if missing.
        dataset, options, evaluation: for the metadata, see `make_metadata`.

    Returns:
        The folder written.
    """
    twin = float32_twin(model)
    metadata = json.dumps(make_metadata(twin, dataset, options, evaluation), indent=2) + "\n"
    module = tf.Module()
    # Keras variables inside a tf.Module load in Python but not in the C++ loader of TF Serving; raw ones load in both.
    networks = (twin.generator, twin.trunk, twin.q_head)
    module.raw_variables = [variable.value for network in networks for variable in network.variables]
    signatures = make_signatures(twin, {"metadata": metadata, "readme": ""})

    base = Path(base)
    base.mkdir(parents=True, exist_ok=True)
    temporary = partial_name(base)
    try:
        tf.saved_model.save(module, str(temporary), signatures=signatures)
        extra = temporary / "assets.extra"
        extra.mkdir()
        (extra / "metadata.json").write_text(metadata, encoding="utf-8")
        return _take_next_version(temporary, base)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def versions(base: Path) -> list[int]:
    """The versions that lie in `base`, ascending."""
    return sorted(int(path.name) for path in Path(base).glob("*") if path.name.isdigit())


def float32_twin(model: InfoGAN) -> InfoGAN:
    """A copy of `model`, not compiled, that computes in float32.

    It has the averaged weights, where `model` keeps them, and the class frequencies that were learnt.
    """
    twin = InfoGAN.from_config(model.get_config())
    for name in NETWORKS:
        network = getattr(twin, name)
        for layer in (network, *network._flatten_layers()):
            layer.dtype_policy = "float32"
    with model.averaged():
        for name in NETWORKS:
            getattr(twin, name).set_weights(getattr(model, name).get_weights())
    twin.step.assign(model.step)
    twin.layout = model.learnt_layout()
    return twin


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
