"""Several starts of a run, each from weights of its own; the one whose codes fit real images best is the run.

What c1's classes are is decided early and by chance, and no later step mends a bad cut. The term that Q minimises on
real images tells good ones from bad ones without a label (README, "Better codes").
"""

import json
import shutil
from collections.abc import Callable

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.files import read_json, remove_leftovers, write_text
from infogan_tf.objectives.invariance import INVARIANCE_TERM
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import read_lines


def choose_start(run: RunDirectory, config: Config, train_start: Callable[[int, RunDirectory], None]) -> None:
    """Trains every start in a folder of its own and moves what the best one wrote into the run's.

    Whatever was done before is not done again, so that a run that was stopped anywhere goes on to the same choice.

    Args:
        run: whose folder has no checkpoint yet.
        config: of the run.
        train_start: trains the start of this number in this folder, or what is left of it.

    Raises:
        UserError: where the record of an earlier choice cannot be read.
    """
    starts = [run.start(i) for i in range(config.starts)]
    if not run.choice_file.exists():
        for i, start in enumerate(starts):
            for folder in (start.path, start.checkpoints, start.samples):
                remove_leftovers(folder)
            train_start(i, start)
        lines = [read_lines(start.metrics_file)[-1] for start in starts]
        terms = [line[INVARIANCE_TERM] for line in lines]
        record = {"steps": lines[0]["step"], "invariance_terms": terms, "chosen": terms.index(min(terms))}
        write_text(run.choice_file, json.dumps(record, indent=2) + "\n")
    chosen = starts.pop(_read_choice(run)[0])
    for start in starts:
        shutil.rmtree(start.checkpoints, ignore_errors=True)
    # The checkpoints last: where they are, the choice is done.
    for source, target in (
        (chosen.tensorboard, run.tensorboard),
        (chosen.samples, run.samples),
        (chosen.metrics_file, run.metrics_file),
        (chosen.checkpoints, run.checkpoints),
    ):
        if source.exists():
            source.rename(target)


def choice_note(run: RunDirectory) -> str:
    """Which start was chosen and why, in a sentence; empty for a run that had one.

    Raises:
        UserError: where the record of it cannot be read.
    """
    if not run.choice_file.exists():
        return ""
    chosen, terms, steps = _read_choice(run)
    texts = ", ".join(f"{term:.4f}" for term in terms)
    return (
        f"Start {chosen + 1} of {len(terms)} was trained on, for the lowest invariance term after {steps:,} steps: "
        f"{texts}."
    )


def _read_choice(run) -> tuple[int, list[float], int]:
    """The number of the start that was chosen, the terms of all, and after how many steps."""
    record = read_json(run.choice_file)
    try:
        terms, steps = [float(term) for term in record["invariance_terms"]], int(record["steps"])
        return range(len(terms))[record["chosen"]], terms, steps
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{run.choice_file}: not what was written there ({error!r})") from error
