"""Which process a run's folder belongs to: a new one is its maker's, and no two processes work in one at a time."""

import contextlib
import datetime
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from infogan_tf.errors import UserError
from infogan_tf.files import alone_in, is_empty, remove_leftovers
from infogan_tf.runs.directory import RunDirectory


def check_new(run_dir: str, dataset: str) -> None:
    """Refuses, by a UserError, a folder for a new run that holds anything or cannot be made; nothing is made yet.

    Args:
        run_dir: As --run_dir has it; if empty, a fresh one is to be made.
        dataset: The name for the fresh one.
    """
    path = Path(run_dir) if run_dir else Path("runs", dataset)
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists() or folder.is_symlink())
    if not above.is_dir():
        raise UserError(f"--run_dir: expected a folder, and {above} is none. Received: {run_dir!r}")
    if not os.access(above, os.W_OK | os.X_OK):
        raise UserError(f"--run_dir: cannot write in {above}. Received: {run_dir!r}")
    if run_dir and path.is_dir() and not is_empty(path):
        raise UserError(
            f"--run_dir: expected a new or empty folder; to go on with a run add --resume. Received: {run_dir!r}"
        )


@contextlib.contextmanager
def new_run(run_dir: str, dataset: str) -> Iterator[RunDirectory]:
    """Makes the folder of a new run and keeps it for this process: the one asked for, or a fresh one.

    Args:
        run_dir: The folder; if empty it is named by the time, under runs/<dataset>/, and is nobody else's.
        dataset: The name for the fresh one.

    Raises:
        UserError: Where it holds anything, another process has it, or it cannot be made. After this and any other
            error nothing is left of a folder in which nothing was written.
    """
    base = Path(run_dir) if run_dir else Path("runs", dataset)
    with contextlib.ExitStack() as stack:
        try:
            missing = [folder for folder in (base, *base.parents) if not folder.exists()]
            run = _claim(run_dir, dataset, stack)
        except OSError as error:
            raise UserError(f"--run_dir: cannot write there ({error}). Received: {run_dir!r}") from error
        try:
            check_new(run_dir and str(run), dataset)
            yield run
        except BaseException:
            _remove_empty(missing if run_dir else [run.path, *missing])
            raise


def _claim(run_dir, dataset, stack):
    """The new run's folder, made if need be, and this process's until the stack ends."""
    while True:
        path = Path(run_dir) if run_dir else _fresh_folder(Path("runs", dataset))
        path.mkdir(parents=True, exist_ok=True)
        # Whoever made it in the same moment and failed has removed it again.
        with contextlib.suppress(FileNotFoundError):
            return stack.enter_context(_kept(RunDirectory(path)))


def _fresh_folder(parent):
    """A folder that did not exist, and that this process has made: whoever comes second gets another name."""
    name = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in itertools.count(1):
        path = parent / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return path


def _remove_empty(folders):
    """Deletes the folders, from the innermost on, up to the first that holds anything."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


@contextlib.contextmanager
def at_work(run: RunDirectory) -> Iterator[RunDirectory]:
    """Keeps the run for this process while it writes there.

    Raises:
        UserError: Where another process works in it, or it may not be read.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_kept(run))
        except OSError as error:
            raise UserError(f"--run_dir: cannot work there ({error}). Received: {str(run)!r}") from error
        yield run


@contextlib.contextmanager
def _kept(run):
    """As `at_work`; what else the system has against it stays an OSError. What a kill left in the run is deleted."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(alone_in(run.path))
        except BlockingIOError as error:
            raise UserError(
                f"--run_dir: expected a run in which no other process works. Received: {str(run)!r}, in which one does"
            ) from error
        for folder in (run.path, run.checkpoints, run.samples, run.export.parent):
            remove_leftovers(folder)
        yield run
