"""What travels with an exported model: facts for programs, as one JSON object."""

import math
from collections.abc import Mapping

from infogan_tf.models import InfoGAN
from infogan_tf.packages import installed_versions

FORMAT = 1
LICENCE = "Apache-2.0"
PACKAGES = ("infogan_tf", "tensorflow", "keras", "numpy")


def make_metadata(
    model: InfoGAN,
    precision: str = "float32",
    dataset: str = "",
    options: Mapping[str, object] | None = None,
    evaluation: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The metadata of an export, ready for JSON.

    Args:
        model: that is exported.
        precision: that the weights are stored in.
        dataset: that it was trained on; empty where it is not known.
        options: of the run, by name.
        evaluation: what evaluation.json holds. One of another step than the model's is left out.

    Returns:
        format          the version of this format, 1
        latents         the layout, as --latents has it
        noise           size, and distribution: uniform (on [-1, 1]) or normal
        codes           for each: name, kind, num_classes and probabilities (both null where they do not apply; no
                        probabilities are equal ones), does: in words what the evaluation found, or empty
        image_shape     [height, width, channels]
        dataset, step, options, precision
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
        "latents": layout.text,
        "noise": {"size": layout.noise.size, "distribution": layout.noise.distribution},
        "codes": [
            {
                "name": code.name,
                "kind": type(code).__name__.lower(),
                "num_classes": code.num_classes if code.discrete else None,
                "probabilities": getattr(code, "probabilities", None),
                "does": evaluation["codes"].get(code.name, {}).get("does", ""),
            }
            for code in layout.codes
        ],
        "image_shape": list(model.image_shape),
        "dataset": dataset,
        "step": step,
        "options": dict(options or {}),
        "precision": precision,
        "figures": _finite(evaluation["figures"]),
        "stderrs": _finite(evaluation["stderrs"]),
        "licence": LICENCE,
        "versions": installed_versions(PACKAGES),
    }


def _finite(figures):
    """JSON has no NaN, and strict readers refuse a file with one."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}
