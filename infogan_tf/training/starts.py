"""Several starts of a run, each from weights of its own: the run goes on from the best of them.

What c1's classes mean is decided early and by chance, and no later step mends a bad division. Good divisions fit real
images, which the invariance term measures, and are much alike, where bad ones are bad each in its own way. That tells
them apart without labels (docs/recipes.md, "Several starts").
"""

import dataclasses
import math
import shutil
from collections.abc import Callable

import numpy as np

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.files import as_json, remove_leftovers, write_text
from infogan_tf.objectives.invariance import INVARIANCE_TERM
from infogan_tf.runs.choice import Choice, best_start, read_choice
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import read_lines


def choose_start(
    run: RunDirectory, config: Config, train_start: Callable[[int, RunDirectory], list[np.ndarray]]
) -> None:
    """Trains every start in a folder of its own and moves what the best one wrote into the run's folder.

    The best start is, of the half with the lower invariance terms, the one with whose codes those of the others agree
    most. What was done before is not done again, so that a run that was stopped anywhere comes to the same choice.

    Args:
        run: The run, without checkpoints of its own yet.
        config: Options of the run.
        train_start: Function that trains the start of the given number, from 0, in the given directory, or what is left
            of it. It returns what the start reads in real images, which are the same for all: an array [N] by code, as
            `code_agreement` takes them.

    Raises:
        UserError: Where the record of an earlier choice, or of how a start went, cannot be read.
    """
    starts = [run.start(i) for i in range(config.starts)]
    choice = read_choice(run.choice_file, config.starts)
    if choice is None:
        read = []
        for i, start in enumerate(starts):
            for folder in (start.path, start.checkpoints, start.samples):
                remove_leftovers(folder)
            read.append(train_start(i, start))
        lines = [_last_line(start) for start in starts]
        terms = [line[INVARIANCE_TERM] for line in lines]
        agreements = _agreements(read) if len(starts) > 2 else None
        choice = Choice(lines[0]["step"], terms, best_start(terms, agreements), agreements)
        write_text(run.choice_file, as_json(dataclasses.asdict(choice)))
    chosen = starts.pop(choice.chosen)
    for start in starts:
        shutil.rmtree(start.checkpoints, ignore_errors=True)
    # The checkpoints move last: once the run has them, the choice is complete.
    for source, target in (
        (chosen.tensorboard, run.tensorboard),
        (chosen.samples, run.samples),
        (chosen.metrics_file, run.metrics_file),
        (chosen.checkpoints, run.checkpoints),
    ):
        if source.exists():
            source.rename(target)


def choice_note(run: RunDirectory, config: Config) -> str:
    """Says in a sentence which start was chosen and why; empty for a run of a single start.

    Raises:
        UserError: Where the record of the choice cannot be read.
    """
    choice = read_choice(run.choice_file, config.starts)
    if choice is None:
        return ""
    terms = f"invariance terms {_texts(choice.invariance_terms)}"
    why, figures = "for the lowest invariance term", terms
    if choice.agreements:
        why = "the one, of the half with the lower invariance terms, with whose classes the others' agree most"
        figures = f"agreement {_texts(choice.agreements)}; {terms}"
    return (
        f"Start {choice.chosen + 1} of {config.starts} was trained on, {why} after {choice.steps:,} steps: {figures}."
    )


def _texts(values):
    return ", ".join(f"{value:.4f}" for value in values)


def _agreements(read):
    """The mean agreement of each start's codes with those of each other start, 0 to 1."""
    # Imported here: SciPy and scikit-learn take a while to import.
    from infogan_tf.evaluation.metrics.agreement import code_agreement, model_centrality

    return model_centrality(np.array([[code_agreement(one, other) for other in read] for one in read])).tolist()


def _last_line(start) -> dict[str, float]:
    """Returns the figures that a start ended with, a finite invariance term among them."""
    line = (read_lines(start.metrics_file) or [{}])[-1]
    if not math.isfinite(line.get(INVARIANCE_TERM, math.nan)):
        raise UserError(f"{start.metrics_file}: expected a last line with a finite {INVARIANCE_TERM}. Received: {line}")
    return line
