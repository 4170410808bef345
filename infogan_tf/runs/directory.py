"""The folder of one run: where things lie in it, and its config.json."""

import contextlib
import datetime
import itertools
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from infogan_tf import __version__
from infogan_tf.config.options import Config, run_fields
from infogan_tf.errors import UserError
from infogan_tf.files import alone_in, read_json, remove_leftovers, write_text
from infogan_tf.versions import installed_versions

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


def check_new(run_dir: str) -> None:
    """Refuses, by a UserError, a --run_dir for a new run that holds anything; nothing is made yet."""
    path = Path(run_dir)
    if path.exists() and not path.is_dir():
        raise UserError(f"--run_dir: expected a folder. Received a file: {run_dir!r}")
    if run_dir and path.is_dir() and any(path.iterdir()):
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
        UserError: Where it holds anything, another process has it, or it cannot be made.
    """
    try:
        path = Path(run_dir) if run_dir else _fresh_folder(Path("runs", dataset))
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--run_dir: cannot write there ({error}). Received: {run_dir!r}") from error
    with at_work(RunDirectory(path)) as run:
        if run_dir:
            check_new(run_dir)
        yield run


def _fresh_folder(parent):
    """A folder that did not exist, and that this process has made: whoever comes second gets another name."""
    parent.mkdir(parents=True, exist_ok=True)
    name = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    for suffix in itertools.chain([""], (f"-{i}" for i in itertools.count(2))):
        path = parent / f"{name}{suffix}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path


@contextlib.contextmanager
def at_work(run: RunDirectory) -> Iterator[RunDirectory]:
    """Keeps the run for this process while it writes there.

    Raises:
        UserError: Where another process works in it.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(alone_in(run.path))
        except BlockingIOError as error:
            raise UserError(
                f"--run_dir: expected a run in which no other process works. Received: {str(run)!r}, in which one does"
            ) from error
        yield run


def existing_run(
    run_dir: str, given: dict[str, object], may_change: tuple[str, ...] = ()
) -> tuple[RunDirectory, Config]:
    """A run that was begun, and its own config; of the given flags only those in `may_change` have a say.

    Raises:
        UserError: Where it is none, of another version, or where a given flag differs from the run's.
    """
    if not run_dir:
        raise UserError("--run_dir: expected the folder of a run. Received none")
    run = RunDirectory(run_dir)
    if not run.config_file.is_file():
        raise UserError(f"--run_dir: expected the folder of a run, with a config.json. Received: {run_dir!r}")
    record = read_json(run.config_file)
    _check_version(run, record)
    kept = record.get("config")
    if not isinstance(kept, dict):
        raise UserError(f"{run.config_file}: expected an object named 'config'")
    kept.update({name: value for name, value in given.items() if name in may_change})
    config = Config.from_json(kept, run.config_file)
    for field in run_fields():
        own = getattr(config, field.name)
        if given.get(field.name, own) != own:
            received = given[field.name]
            raise UserError(f"--{field.name}: the run in {run_dir} has {own!r} and keeps it. Received: {received!r}")
    return run, config


def _check_version(run, record):
    """Refuses the run of a version whose first two numbers are not this one's."""
    versions = record.get("versions")
    found = versions.get("infogan_tf") if isinstance(versions, dict) else None
    if str(found).split(".")[:2] != __version__.split(".")[:2]:
        raise UserError(
            f"--run_dir: expected a run of infogan_tf {__version__}. Received: one of {found or 'no version'}, by "
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
