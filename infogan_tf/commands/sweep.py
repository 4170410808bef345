"""Several runs, one after another: every seed with every choice of options; a table of them, and which to choose."""

import collections
import contextlib
import shlex
import signal
import statistics
import subprocess
from collections.abc import Callable, Mapping

from infogan_tf.commands.images import images_of
from infogan_tf.commands.train import check_against
from infogan_tf.config.options import Config
from infogan_tf.data import OF_FILES
from infogan_tf.data.sources import name_of
from infogan_tf.devices import leave_gpus, replicas_of
from infogan_tf.environment.invocation import command_words, environment_of_child
from infogan_tf.environment.signals import ENDING, on_signals
from infogan_tf.errors import RunStopped, UserError, printable
from infogan_tf.evaluation.figures import LOWER, describe
from infogan_tf.files import write_text
from infogan_tf.reports.comparison import Run, compare_runs, read_runs
from infogan_tf.runs.claims import at_work, new_run
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import require_same_images, require_same_labels
from infogan_tf.runs.sweeps import PAGE, TABLE, existing_sweep, planned_runs, write_note
from infogan_tf.templates import markdown

DIVERGED, REFUSED = 1, 2
Resolved = Callable[[Mapping[str, object]], Config]
# What the table shows, where a run has it: of its last epoch, on the whole test split, then of its evaluation.
LAST_EPOCH, EVALUATED = ("_error",), ("mutual_info", "fid", "factor_vae", "mig")


def sweep(config: Config, given: dict[str, object], argv: list[str], resolved: Resolved | None = None) -> None:
    """Trains every run of a sweep, each in a process of its own and a folder of its own below --run_dir.

    Runs that are done are left alone, one that was interrupted goes on: --resume with the same flags takes up a sweep
    where it stopped. At the end it prints and writes sweep.md, and compare.html beside it.

    Args:
        config: The options that all runs share.
        given: The options that the user gave, by name.
        argv: The command line.
        resolved: Gives the options of a new run for which some are given; with it every run is checked against its
            images before the first begins.

    Raises:
        UserError: For bad input; nothing was written then.
        RunStopped: Where a signal stopped it.
    """
    if resolved:
        _check_images(planned_runs(config, given, config.run_dir), config, resolved)
    with _folder(config, given) as folder:
        plan = planned_runs(config, given, folder)
        _train_all(plan, folder, config, argv)
        _conclude(folder, [each.run.path for each in plan], command_words(argv[0]))


def _check_images(plan, config, resolved):
    """Raises a UserError for a run that its images, each read once, and this machine's devices cannot have."""
    leave_gpus()
    runs = collections.defaultdict(list)
    for each in plan:
        own = resolved(each.options)
        runs[tuple(getattr(own, option) for option in ("dataset", "data_dir", *OF_FILES))].append((each, own))
    for group in runs.values():
        data = images_of(group[0][1])
        for each, own in group:
            check_against(own, data, replicas_of(own.strategy))
            if config.resume and each.is_begun():
                require_same_images(each.run, data)
                require_same_labels(each.run, data)


def _train_all(plan, folder, config, argv):
    """Trains what is not done yet, one run after another."""
    resume = ["--resume", f"--run_dir={folder}"]
    how_to_resume = shlex.join([*command_words(argv[0]), *argv[1:], *([] if config.resume else resume)])
    for number, each in enumerate(plan, 1):
        print(f"\n[{number} of {len(plan)}] {each.run}")
        if each.is_done():
            print("Done before.")
            continue
        status = _call(each.command(command_words(argv[0])))
        if status == DIVERGED:
            print("This run broke; the sweep goes on without it.")
        elif status == REFUSED:
            raise RunStopped("", REFUSED)  # the run said why
        elif status:
            status = 128 - status if status < 0 else status  # as a shell has it
            raise RunStopped(f"The sweep stopped at {each.run}. To go on: {how_to_resume}", status)


@contextlib.contextmanager
def _folder(config, given):
    """The sweep's folder, kept for this process, with a note of what all runs share."""
    if config.resume:
        folder = existing_sweep(config, given, planned_runs(config, given, config.run_dir))
        with at_work(RunDirectory(folder)):
            write_note(folder, given)  # of runs made one by one there was none
            yield folder
        return
    with new_run(config.run_dir, name_of(config.dataset)) as run:
        try:
            note = write_note(run.path, given)
        except OSError as error:
            raise UserError(f"--run_dir: cannot write there ({error}). Received: {str(run)!r}") from error
        try:
            yield run.path
        except RunStopped as stopped:
            if stopped.exit_code == REFUSED and list(run.path.iterdir()) == [note]:
                note.unlink()  # nothing was trained: no folder is left behind
            raise


def _call(command: list[str]) -> int:
    """Runs a command to its end; a signal that stops this process stops it first, and lets it save."""
    print(shlex.join(command), flush=True)
    with (
        subprocess.Popen(command, env=environment_of_child()) as child,
        # A terminal sends Ctrl-C, and that it was closed, to both; a kill of this process alone is handed on.
        on_signals(dict.fromkeys(ENDING, signal.SIG_IGN) | {signal.SIGTERM: lambda *_: child.terminate()}),
    ):
        return child.wait()


def _conclude(folder, paths, program):
    """Writes and prints what came out."""
    whole = [path for path in paths if RunDirectory(path).metrics_file.is_file()]
    if len(whole) < 2:
        print("\nFewer than two runs came to an end; there is nothing to compare.")
        return
    runs = read_runs(whole)
    page, criteria = compare_runs(runs, program)
    write_text(folder / PAGE, page)
    write_text(folder / TABLE, _told(runs, criteria, markdown))
    print(f"\n{_told(runs, criteria, printable)}\nWrote {folder / TABLE} and {folder / PAGE}.")


def _told(runs, criteria, shown):
    table = sweep_table(runs, shown)
    if criteria:
        choices = "; ".join(f"{shown(criterion.best)} ({criterion.title})" for criterion in criteria)
        table += f"\nTo choose one without labels: {choices}\n"
    return table


def sweep_table(runs: list[Run], shown: Callable[[str], str] = printable) -> str:
    """The runs' figures, and over the seeds of each choice of options their mean, median and worst.

    Args:
        runs: Of the sweep.
        shown: How a run's name stands there, by default as on the console.
    """
    rows = {}
    groups = {}
    evaluated = any(run.found for run in runs)
    for run in runs:
        rows[run.name] = figures_of(run, evaluated)
        groups.setdefault(run.configuration, []).append(run)
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = [_line(["run", *names]), _line(["---"] * (len(names) + 1))]
    lines += [_line([shown(name), *(_number(row.get(column)) for column in names)]) for name, row in rows.items()]
    for group in groups.values():
        if len(group) > 1:
            title = group[0].name.rpartition("seed=")[0].rstrip("-") or "all"
            for which in ("mean", "median", "worst"):
                # A model without codes has no c1_error, and a run that broke no evaluation.
                columns = [[rows[run.name][name] for run in group if name in rows[run.name]] for name in names]
                values = [over(which, *column) if column[1] else None for column in zip(names, columns, strict=True)]
                lines.append(_line([f"{which}, {shown(title)}", *map(_number, values)]))
    return "\n".join(lines) + "\n"


def figures_of(run: Run, evaluated: bool = True) -> dict[str, float]:
    """What a table shows of a run: what its evaluation found, or its last epoch where none of the runs is evaluated."""
    last = run.lines[-1] if run.lines else {}
    figures = {name: value for name, value in last.items() if name.endswith(LAST_EPOCH)}
    # L_I of training's own batches, with their statistics, is not that of an evaluation.
    of = (run.found.figures if run.found else {}) if evaluated else last
    return figures | {name: value for name, value in of.items() if name.split("/")[0] in EVALUATED}


def over(which: str, name: str, values: list[float]) -> float:
    """The mean, median or worst of a figure over runs."""
    if which == "worst":
        lower_is_better = name.endswith(LAST_EPOCH) or describe(name).better == LOWER
        return max(values) if lower_is_better else min(values)
    return getattr(statistics, which)(values)


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _number(value):
    return "" if value is None else f"{value:.4f}"
