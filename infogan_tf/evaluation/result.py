"""What an evaluation found, as it stands in evaluation.json."""

import dataclasses


@dataclasses.dataclass
class Evaluation:
    """What was measured of a run, ready for JSON.

    Attributes:
        figures: values by name; `evaluation.figures` says what each is.
        stderrs: standard errors of those figures that have one.
        codes: by code: "kind", "entropy" H(c) and "ceiling" in nats, "does" in words, and "correlations" with the
            attributes of drawn images.
        confusion: "code", "labels", "classes" in matched order and "counts" [labels, classes]; empty without labels.
        notes: what could not be measured, and why; on what the rest was measured.
    """

    setting: str
    step: int
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    stderrs: dict[str, float] = dataclasses.field(default_factory=dict)
    codes: dict[str, dict] = dataclasses.field(default_factory=dict)
    confusion: dict[str, object] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """Every attribute by name."""
        return dataclasses.asdict(self)
