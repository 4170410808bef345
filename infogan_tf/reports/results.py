"""Several runs as one JSON object: what they share, and of each its options, its curves and what was measured."""

import math
import re
from collections.abc import Sequence

from infogan_tf.files import as_json, read_json
from infogan_tf.models.choices import taken
from infogan_tf.reports.comparison import Run
from infogan_tf.runs.choice import read_choice

# Digits of a number: fewer than any standard error here leaves in doubt.
DIGITS = 6
# What config.json has of the packages and of the images.
_OF_CONFIG = ("versions", "image_shape")
# Lists of numbers or texts, which read better in one line.
_PLAIN_LIST = re.compile(r"\[\n\s*([^\[\]{}]+?)\n\s*\]")
_LINE_END = re.compile(r"\n\s*")


def results_text(runs: Sequence[Run]) -> str:
    """Runs as JSON: "versions", "image_shape" and "options" where they share them, and the "runs", a list.

    A run has its name, what it does not share, the commands that trained it, the "curve" of each figure by epoch, what
    evaluation.json holds, and "starts" as starts/choice.json has them, where there are any. Numbers have six
    significant digits; one that is NaN or infinite, as of a training that broke, is null.
    """
    notes = [read_json(run.folder.config_file) for run in runs]
    of_config = [{name: note[name] for name in _OF_CONFIG if name in note} for note in notes]
    shared, own = _apart(of_config)
    shared_options, own_options = _apart([taken(run.config) for run in runs])
    entries = []
    for run, note, facts, options in zip(runs, notes, own, own_options, strict=True):
        starts = read_choice(run.folder.choice_file, run.config.starts)
        entry = {"name": run.name, **facts, "options": options, "commands": note.get("commands"), "curve": _curve(run)}
        entry |= run.found.to_json() if run.found else {}
        entry |= {"starts": vars(starts)} if starts else {}
        entries.append({name: value for name, value in entry.items() if value not in (None, {}, [])})
    text = as_json(_rounded({**shared, "options": shared_options, "runs": entries}), indent=1)
    return _PLAIN_LIST.sub(lambda found: "[" + _LINE_END.sub(" ", found[1]) + "]", text)


def _apart(objects):
    """What all have alike, and of each what it has besides."""
    first, *others = objects
    shared = {name: value for name, value in first.items() if all(name in o and o[name] == value for o in others)}
    return shared, [{name: value for name, value in each.items() if name not in shared} for each in objects]


def _curve(run):
    """By figure its value after each epoch, null where it was not logged."""
    names = dict.fromkeys(name for line in run.lines for name in line)
    return {name: [line.get(name) for line in run.lines] for name in names}


def _rounded(value):
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
