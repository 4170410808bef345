"""What travels with an exported model: facts for programs, as one JSON object."""

import hashlib
import math
from collections.abc import Mapping

import numpy as np

from infogan_tf.environment.versions import installed_versions
from infogan_tf.latents.codes import Caption
from infogan_tf.models import labels_told
from infogan_tf.models.base import GenerativeModel

FORMAT = 2
LICENCE = "Apache-2.0"
PACKAGES = ("tensorflow", "keras", "numpy")


def make_metadata(
    model: GenerativeModel,
    precision: str = "float32",
    dataset: str = "",
    options: Mapping[str, object] | None = None,
    evaluation: Mapping[str, object] | None = None,
    title: str = "InfoGAN",
) -> dict[str, object]:
    """The metadata of an export, ready for JSON.

    Args:
        model: The model that is exported.
        precision: What the weights are stored in, "float32" or "float16".
        dataset: The name of the data set that it was trained on; empty where that is not known.
        options: The run's options by name, or None.
        evaluation: What evaluation.json holds, or None. One of another step than the model's is left out.
        title: What the model is called.

    Returns:
        format          the version of this format, 2
        model           what it is called, such as InfoGAN
        latents         the layout, as --latents has it
        noise           size, and distribution: uniform (on [-1, 1]) or normal
        codes           for each: name, kind, num_classes (null where it is no class), read (whether images can be
                        asked for it), does: in words what the evaluation found, or empty; classes: what each class
                        is called, or empty; none without an evaluation; and of a caption words: by what they say,
                        those that it knows
        read_classes    the same of the classes that are read from images and that no image is drawn from
        reads           what is read from images: "codes", "noise", "classes", or nothing, an empty text
        labels          which labels of its images training was told: "none", "all", or their number as text; or
                        "captions"
        image_shape     [height, width, channels]
        dataset, step, options, precision
        weights         a digest of the weights before they are stored, by which two exports can be told apart
        figures         by name, as `evaluation.figures` describes them, those that are finite; empty without an
                        evaluation
        stderrs         standard errors of those figures that have one
        licence         of the package, an SPDX identifier
        versions        of packages and Python
    """
    step = int(model.step.numpy())
    if not evaluation or evaluation.get("step") != step:
        evaluation = {"figures": {}, "stderrs": {}, "codes": {}}
    layout = model.layout
    return {
        "format": FORMAT,
        "model": title,
        "latents": layout.text,
        "noise": {"size": layout.noise.size, "distribution": layout.noise.distribution},
        "codes": [_row(code, model, evaluation) for code in layout.codes],
        "read_classes": [_row(code, model, evaluation) for code in layout.classes],
        "reads": model.READS,
        "labels": labels_told(model.TOLD, (options or {}).get("labelled", 0)),
        "image_shape": list(model.image_shape),
        "dataset": dataset,
        "step": step,
        "options": dict(options or {}),
        "precision": precision,
        "weights": weights_digest(model),
        "figures": _finite(evaluation["figures"]),
        "stderrs": _finite(evaluation["stderrs"]),
        "licence": LICENCE,
        "versions": installed_versions(PACKAGES),
    }


def _row(code, model, evaluation):
    found, is_caption = evaluation["codes"].get(code.name, {}), isinstance(code, Caption)
    return {
        "name": code.name,
        "kind": type(code).__name__.lower(),
        "num_classes": None if is_caption or not code.discrete else code.num_classes,
        "read": code in model.read_codes,
        "does": found.get("does", ""),
        "classes": found.get("classes", []),
        **({"words": code.language.words} if is_caption else {}),
    }


def weights_digest(model: GenerativeModel) -> str:
    """SHA-256 of all weights of a model's networks, and of their shapes."""
    digest = hashlib.sha256()
    for variable in model.network_variables:
        value = np.ascontiguousarray(variable.numpy())
        digest.update(f"{value.dtype} {value.shape}".encode())
        digest.update(value)
    return digest.hexdigest()


def _finite(figures):
    """JSON has no NaN, and strict readers refuse a file with one."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}
