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
        invariance_terms: The invariance term of each start's last epoch, which is a fifth of its steps, or fewer where
            epochs are shorter.
        chosen: The number of the best start, from 0, as `best_start` has it.
        agreements: How well each start's codes agree with those of the others in the mean, 0 to 1; None of two starts,
            and where an older version chose.
    """

    steps: int
    invariance_terms: list[float]
    chosen: int
    agreements: list[float] | None = None


def best_start(invariance_terms: list[float], agreements: list[float] | None) -> int:
    """The number of the best start: of the half with the lower terms, the one with the highest agreement.

    Without agreements it is the one with the lowest term.
    """
    by_term = sorted(range(len(invariance_terms)), key=invariance_terms.__getitem__)
    if not agreements:
        return by_term[0]
    return max(by_term[: (len(by_term) + 1) // 2], key=agreements.__getitem__)


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
    wrong = unfit_names(values, _FORMS, _FORMS.keys() - {"agreements"})
    if not wrong:
        found = Choice(**values)
        terms, agreements = found.invariance_terms, found.agreements
        fits = {
            "invariance_terms": len(terms) == starts,
            "agreements": agreements is None or len(agreements) == starts,
        }
        wrong = [name for name in fits if not fits[name]]
        if not wrong and found.chosen != best_start(terms, agreements):
            wrong = ["chosen"]
    if wrong:
        raise UserError(f"{path}: expected what training wrote of {starts} starts. Received: another {wrong[0]!r}")
    return found


def _are_numbers(value):
    return isinstance(value, list) and bool(value) and all(map(is_number, value))


# By attribute of a Choice, whether a value can be its.
_FORMS = {
    "steps": lambda value: is_count(value) and value > 0,
    "invariance_terms": _are_numbers,
    "chosen": is_count,
    "agreements": lambda value: value is None or _are_numbers(value),
}
