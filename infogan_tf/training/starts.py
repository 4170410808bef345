"""Several starts of a run, each from weights of its own: the run goes on from the one whose codes fit real images best.

What c1's classes mean is decided early and by chance, and no later step mends a bad division. The invariance term,
which Q minimises on real images, tells good divisions from bad ones without labels (README, "Better codes").
"""

import dataclasses
import math
import shutil
from collections.abc import Callable

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.files import as_json, remove_leftovers, write_text
from infogan_tf.objectives.invariance import INVARIANCE_TERM
from infogan_tf.runs.choice import Choice, read_choice
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import read_lines


def choose_start(run: RunDirectory, config: Config, train_start: Callable[[int, RunDirectory], None]) -> None:
    """Trains every start in a folder of its own and moves what the best one wrote into the run's folder.

    The best start is that of the lowest invariance term. What was done before is not done again, so that a run that was
    stopped anywhere comes to the same choice.

    Args:
        run: The run, without checkpoints of its own yet.
        config: Options of the run.
        train_start: Function that trains the start of the given number, from 0, in the given directory, or what is left
            of it.

    Raises:
        UserError: Where the record of an earlier choice, or of how a start went, cannot be read.
    """
    starts = [run.start(i) for i in range(config.starts)]
    choice = read_choice(run.choice_file, config.starts)
    if choice is None:
        for i, start in enumerate(starts):
            for folder in (start.path, start.checkpoints, start.samples):
                remove_leftovers(folder)
            train_start(i, start)
        lines = [_last_line(start) for start in starts]
        terms = [line[INVARIANCE_TERM] for line in lines]
        choice = Choice(lines[0]["step"], terms, terms.index(min(terms)))
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
    texts = ", ".join(f"{term:.4f}" for term in choice.invariance_terms)
    return (
        f"Start {choice.chosen + 1} of {config.starts} was trained on, for the lowest invariance term after "
        f"{choice.steps:,} steps: {texts}."
    )


def _last_line(start) -> dict[str, float]:
    """Returns the figures that a start ended with, a finite invariance term among them."""
    line = (read_lines(start.metrics_file) or [{}])[-1]
    if not math.isfinite(line.get(INVARIANCE_TERM, math.nan)):
        raise UserError(f"{start.metrics_file}: expected a last line with a finite {INVARIANCE_TERM}. Received: {line}")
    return line
