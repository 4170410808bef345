"""evaluation.json, read and checked: it lies where people edit, copy and lose things."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from infogan_tf.errors import UserError
from infogan_tf.evaluation.figures import FIGURES
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.files import is_count, is_number, read_json, unfit_names
from infogan_tf.latents.language import TOLD


def read_evaluation(path: Path, codes: Mapping[str, tuple[str, int]]) -> Evaluation | None:
    """What an evaluation.json holds; None without one.

    Args:
        path: The file.
        codes: Those of the run, as `read_latents` has them.

    Raises:
        UserError: Where it cannot be read, or holds anything but what is written there.
    """
    if not path.exists():
        return None
    values = read_json(path)
    wrong = unfit_names(values, _FORMS, [field.name for field in dataclasses.fields(Evaluation)[:2]])
    if not wrong:
        found = Evaluation(**values)
        wrong = [name for name, fits in _fitting(found, codes).items() if not fits]
    if wrong:
        raise UserError(
            f"{path}: expected what --mode=evaluate wrote, or will write anew. Received: another {wrong[0]!r}"
        )
    return found


def _fitting(found, codes):
    """By attribute, whether it is of the run's codes, and of the other attributes."""
    columns = sum(classes if kind in ("cat", "class") else 1 for kind, classes in codes.values() if kind not in TOLD)
    columns = columns or 1  # of a model that reads no codes that of its noise
    return {
        "stderrs": set(found.stderrs) <= set(found.figures),
        "codes": set(found.codes) <= set(codes)
        and all(len(facts.get("classes", ())) in (0, codes[name][1]) for name, facts in found.codes.items()),
        "confusion": not found.confusion or _is_confusion(found.confusion, codes),
        "associations": not found.associations
        or (
            len(found.associations["columns"]) == columns
            and all(_shape(found.associations[name]) == (len(found.associations["names"]), columns) for name in _AUCS)
        ),
    }


def _is_confusion(table, codes):
    classes = codes.get(table["code"], ("", 0))[1]
    return (
        sorted(table["classes"]) == list(range(classes))
        and _shape(table["counts"]) == (len(table["labels"]), classes)
        and all(len(table.get(name, range(classes))) == classes for name in ("matched", "shares"))
    )


def _shape(rows):
    """Of a table, rows and columns; no columns where the rows are of several lengths."""
    lengths = set(map(len, rows))
    return len(rows), lengths.pop() if len(lengths) == 1 else 0


def _is_text(value):
    return isinstance(value, str)


def _or_none(form):
    return lambda value: value is None or form(value)


def _list_of(form):
    return lambda value: isinstance(value, list) and all(map(form, value))


def _by_name(form):
    return lambda value: isinstance(value, dict) and all(map(form, value.values()))


def _object_of(**forms):
    """An object with these names; those that end in _ may be missing."""
    forms = {name.rstrip("_"): (form, name.endswith("_")) for name, form in forms.items()}

    def fits(value):
        if not isinstance(value, dict) or not set(value) <= set(forms):
            return False
        return all(form(value[name]) if name in value else optional for name, (form, optional) in forms.items())

    return fits


def _or_empty(form):
    return lambda value: value == {} or form(value)


def _are_figures(value):
    return _by_name(is_number)(value) and all(name.split("/")[0] in FIGURES for name in value)


_AUCS = ("auc", "train_auc")
_AREAS = _list_of(_list_of(_or_none(is_number)))
_CODE = _object_of(
    kind=_is_text,
    entropy=is_number,
    ceiling=is_number,
    does_=_is_text,
    classes_=_list_of(_is_text),
    correlations_=_by_name(_object_of(rho=is_number, lowest=is_number, highest=is_number)),
    goes_with_=_list_of(_or_none(_object_of(name=_is_text, auc=is_number, train_auc=is_number))),
)
_CONFUSION = _object_of(
    code=_is_text,
    labels=_list_of(_is_text),
    classes=_list_of(is_count),
    counts=_list_of(_list_of(is_count)),
    matched_=_list_of(_is_text),
    shares_=_list_of(is_number),
)
# By attribute of an Evaluation, whether a value can be its.
_FORMS = {
    "setting": _is_text,
    "step": _or_none(is_count),
    "figures": _are_figures,
    "stderrs": _are_figures,
    "perfect": _are_figures,
    "codes": _by_name(_CODE),
    "confusion": _or_empty(_CONFUSION),
    "associations": _or_empty(
        _object_of(names=_list_of(_is_text), columns=_list_of(_is_text), auc=_AREAS, train_auc=_AREAS)
    ),
    "notes": _list_of(_is_text),
    "features": _by_name(_is_text),
}
