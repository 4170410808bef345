"""starts/choice.json, read and checked: which of a run's several starts it went on from, and why."""

import dataclasses
from pathlib import Path

from infogan_tf.errors import UserError
from infogan_tf.files import is_count, is_number, read_json, unfit_names


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which start was chosen.

    Attributes:
        steps: How many steps each start was trained, 1 or more.
        invariance_terms: The invariance term that each start ended with.
        chosen: The number of the start with the lowest one, from 0.
    """

    steps: int
    invariance_terms: list[float]
    chosen: int


def read_choice(path: Path, starts: int) -> Choice | None:
    """What a choice.json holds; None without one.

    Args:
        path: The file.
        starts: How many starts the run has.

    Raises:
        UserError: Where it cannot be read, or holds anything but what is written there.
    """
    if not path.exists():
        return None
    values = read_json(path)
    wrong = unfit_names(values, _FORMS, _FORMS)
    if not wrong:
        found = Choice(**values)
        terms = found.invariance_terms
        fits = {"invariance_terms": len(terms) == starts, "chosen": found.chosen == terms.index(min(terms))}
        wrong = [name for name in fits if not fits[name]]
    if wrong:
        raise UserError(f"{path}: expected what training wrote of {starts} starts. Received: another {wrong[0]!r}")
    return found


def _are_terms(value):
    return isinstance(value, list) and bool(value) and all(map(is_number, value))


# By attribute of a Choice, whether a value can be its.
_FORMS = {"steps": lambda value: is_count(value) and value > 0, "invariance_terms": _are_terms, "chosen": is_count}
