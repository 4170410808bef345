"""The result of an evaluation, as evaluation.json holds it."""

import dataclasses
import math
from collections.abc import Callable

from infogan_tf.errors import NotMeasuredError


@dataclasses.dataclass
class Evaluation:
    """The figures measured of a run, ready for JSON.

    Attributes:
        setting: Name of the setting, which fixes the sample sizes: "quick" or "full".
        step: Training step of the weights that were measured; None of pictures of another program.
        figures: Values by name; `evaluation.figures` describes each.
        stderrs: Standard errors by name, of the figures that have one.
        perfect: By name, what a perfect encoder would score, of the figures that take the true factors.
        codes: By code: "kind", "entropy" H(c) and "ceiling" in nats, "does" in words, and "correlations" with the
            attributes of generated images; "goes_with", for the code or each of its classes, the attribute of real
            images that goes with it best: "name", "auc" and "train_auc", or None; and "classes", what each class of a
            code is called, or "".
        confusion: "code", "labels", "classes" in matched order and "counts" [labels, classes]; by class, the label
            that is "matched" to it one-to-one, and the "shares" of its images that have it; empty without labels.
        associations: AUC of every code, or class of one, or of the noise "z" along the direction of each attribute
            ("columns"), for every attribute and label of real images ("names"): "auc" on test and "train_auc" on
            training images, [names, columns], None where too few images have it; empty where nothing is known of them.
        notes: What could not be measured, and why; and what the rest was measured on.
        features: The feature networks in words, by what the figures in them are called after the metric's name: empty
            of the data set's own, "inception-2015" of that of published figures.
    """

    setting: str
    step: int | None
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    stderrs: dict[str, float] = dataclasses.field(default_factory=dict)
    perfect: dict[str, float] = dataclasses.field(default_factory=dict)
    codes: dict[str, dict] = dataclasses.field(default_factory=dict)
    confusion: dict[str, object] = dataclasses.field(default_factory=dict)
    associations: dict[str, object] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)
    features: dict[str, str] = dataclasses.field(default_factory=dict)

    def add(self, name: str, scores: dict[str, float], score: str) -> None:
        """Records scores[score] and its standard error under `name`."""
        self.figures[name], self.stderrs[name] = scores[score], scores[f"{score}_stderr"]

    def leave_out_unknown(self) -> None:
        """Takes out figures and standard errors that are NaN or infinite, which no reader can use; notes say which."""
        for values, what in ((self.figures, ""), (self.stderrs, "standard error of "), (self.perfect, "perfect ")):
            for name in [name for name, value in values.items() if not math.isfinite(value)]:
                self.notes.append(f"{what}{name}: not measured; it came out as {values.pop(name)}.")
        self.stderrs = {name: value for name, value in self.stderrs.items() if name in self.figures}

    def to_json(self) -> dict[str, object]:
        """Returns every attribute by name."""
        return dataclasses.asdict(self)


def attempt(title: str, group: Callable[..., None], material: object, found: Evaluation) -> None:
    """Measures a group, `group(material, found)`, or notes in one line why it cannot be."""
    try:
        group(material, found)
    except NotMeasuredError as reason:
        found.notes.append(f"{title}: not measured; {str(reason).rstrip('.')}.")
    found.leave_out_unknown()
