"""The folder of one run: where things lie in it, and its config.json."""

import contextlib
import datetime
import itertools
import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from infogan_tf import __version__
from infogan_tf.config.flags import as_flag
from infogan_tf.config.options import Config, run_fields
from infogan_tf.environment.versions import installed_versions
from infogan_tf.errors import UserError
from infogan_tf.files import alone_in, is_empty, read_json, remove_leftovers, write_text
from infogan_tf.models.choices import check_latents, check_names, not_taken

# What may differ when a run goes on: how far, where the data lies, and on which devices.
MAY_CHANGE = ("steps", "data_dir", "strategy")
_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets")


class RunDirectory:
    """The paths of a run; making one touches nothing on disk."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.checkpoints = self.path / "checkpoints"
        self.tensorboard = self.path / "tensorboard"
        self.samples = self.path / "samples"
        self.metrics_file = self.path / "metrics.jsonl"
        self.evaluation_file = self.path / "evaluation.json"
        self.report = self.path / "report.html"
        self.export = self.path / "export" / "infogan"
        self.choice_file = self.path / "starts" / "choice.json"

    def __str__(self):
        return str(self.path)

    def start(self, index: int) -> "RunDirectory":
        """The folder of one of the run's several starts; it has no config.json of its own."""
        return RunDirectory(self.choice_file.parent / str(index + 1))

    def pictures(self, name: str) -> dict[int, Path]:
        """The pictures called `name` that training drew, by step in ascending order."""
        paths = sorted(self.samples.glob(f"{name}_*.png"))
        return {int(path.stem.rpartition("_")[2]): path for path in paths}

    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the run's images, from config.json.

        Raises:
            UserError: where they cannot be read.
        """
        shape = read_json(self.config_file).get("image_shape")
        if not (isinstance(shape, list) and len(shape) == 3 and all(isinstance(size, int) for size in shape)):
            raise UserError(f"{self.config_file}: expected an image_shape of three integers. Received: {shape!r}")
        return tuple(shape)


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
    """As `at_work`; what else the system has against it stays an OSError."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(alone_in(run.path))
        except BlockingIOError as error:
            raise UserError(
                f"--run_dir: expected a run in which no other process works. Received: {str(run)!r}, in which one does"
            ) from error
        yield run


def existing_run(
    run_dir: str, given: dict[str, object], may_change: tuple[str, ...] = (), flag: str = "run_dir"
) -> tuple[RunDirectory, Config]:
    """A run that was begun, and its own config.

    Args:
        run_dir: Its folder.
        given: The flags that the user gave.
        may_change: Those of them that have a say; the others are to be as the run's.
        flag: That named the folder, for the message.

    Raises:
        UserError: Where it is none, of another version, or where a given flag differs from the run's.
    """
    if not run_dir:
        raise UserError(f"--{flag}: expected the folder of a run. Received none")
    run = RunDirectory(run_dir)
    if not run.config_file.is_file():
        raise UserError(f"--{flag}: expected the folder of a run, with a config.json. Received: {run_dir!r}")
    record = read_json(run.config_file)
    _check_version(run, record, flag)
    kept = record.get("config")
    if not isinstance(kept, dict):
        raise UserError(f"{run.config_file}: expected an object named 'config'")
    kept.update({name: value for name, value in given.items() if name in may_change})
    config = Config.from_json(kept, run.config_file)
    try:
        check_names(config)
        check_latents(config)
    except UserError as error:
        raise UserError(f"{run.config_file}: {error}") from error
    unread = not_taken(config)
    for field in run_fields():
        own = getattr(config, field.name)
        received = given.get(field.name, own)
        if received != own and field.name in unread:
            raise UserError(f"--{field.name}: {unread[field.name]}. Received: {as_flag(field.name, received)}")
        if received != own:
            raise UserError(f"--{field.name}: the run in {run_dir} has {own!r} and keeps it. Received: {received!r}")
    return run, config


def require_checkpoint(run: RunDirectory) -> None:
    """Refuses, by a UserError, a run whose config.json or checkpoints tell that there is no model to restore yet."""
    run.image_shape()
    if not any(run.checkpoints.glob("step_*.npz")):
        raise UserError(f"--run_dir: expected a run with a checkpoint. Received: {str(run)!r}, which has none yet")


def folders_of_runs(text: str) -> list[Path]:
    """The folders that --runs names: separated by commas, or those of the runs in the one folder that it names.

    Raises:
        UserError: Where there are fewer than two.
    """
    folders = [Path(part.strip()) for part in text.split(",") if part.strip()]
    if len(folders) == 1 and not (folders[0] / "config.json").is_file():
        folders = sorted(file.parent for file in folders[0].glob("**/config.json"))
    folders = list({folder.resolve(): folder for folder in folders}.values())
    if len(folders) < 2:
        raise UserError(
            "--runs: expected two folders of runs or more, separated by commas, or one folder that holds them. "
            f"Received: {text!r}" + (f", with {len(folders)}" if text else "")
        )
    return folders


def existing_sweep(run_dir: str, flags: list[str]) -> Path:
    """The folder of a sweep that was begun.

    Args:
        run_dir: As --run_dir has it.
        flags: Those that its runs share, which are to be as they were.

    Raises:
        UserError: Where it is none, or the flags are others.
    """
    folder = Path(run_dir)
    if not run_dir or not (folder / "sweep.json").is_file():
        raise UserError(f"--run_dir: expected a sweep's folder, with a sweep.json. Received: {run_dir!r}")
    kept = read_json(folder / "sweep.json").get("flags")
    if not isinstance(kept, list) or not all(isinstance(flag, str) for flag in kept):
        raise UserError(f"{folder / 'sweep.json'}: expected a list of texts named 'flags'")
    if kept != flags:
        raise UserError(
            f"--resume: expected the flags of the sweep in {folder}, {shlex.join(kept) or 'none'}. "
            f"Received: {shlex.join(flags) or 'none'}"
        )
    return folder


def _check_version(run, record, flag):
    """Refuses the run of a version whose first two numbers are not this one's."""
    versions = record.get("versions")
    found = versions.get("infogan_tf") if isinstance(versions, dict) else None
    if str(found).split(".")[:2] != __version__.split(".")[:2]:
        raise UserError(
            f"--{flag}: expected a run of infogan_tf {__version__}. Received: one of {found or 'no version'}, by "
            f"{run.config_file}"
        )


def begin(run: RunDirectory, options: dict[str, object], image_shape: tuple[int, int, int], argv: list[str]) -> None:
    """Writes config.json: options as resolved, image shape, versions, every command so far.

    Raises:
        UserError: Where it cannot be written.
    """
    try:
        for folder in (run.path, run.checkpoints, run.samples, run.export.parent):
            remove_leftovers(folder)
        before = read_json(run.config_file).get("commands", []) if run.config_file.exists() else []
        record = {
            "config": options,
            "image_shape": image_shape,
            "commands": [*before, shlex.join(argv)],
            "versions": installed_versions(_PACKAGES),
        }
        write_text(run.config_file, json.dumps(record, indent=2) + "\n")
    except OSError as error:
        raise UserError(f"--run_dir: cannot write there ({error}). Received: {str(run)!r}") from error
