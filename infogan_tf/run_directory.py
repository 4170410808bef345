"""The folder of one run: where things lie in it, and its config.json."""

import datetime
import json
import shlex
from pathlib import Path

from infogan_tf.config import Config, read_json
from infogan_tf.errors import UserError
from infogan_tf.files import remove_leftovers, write_text
from infogan_tf.packages import installed_versions

_PACKAGES = ("infogan_tf", "tensorflow", "keras", "numpy", "tensorflow-datasets")


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


def new_run(run_dir: str, dataset: str) -> RunDirectory:
    """The run directory asked for, or a fresh name under runs/<dataset>/; nothing is made yet.

    Raises:
        UserError: where it holds anything.
    """
    if not run_dir:
        name = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        candidates = [Path("runs", dataset, name), *(Path("runs", dataset, f"{name}-{i}") for i in range(2, 100))]
        return RunDirectory(next(path for path in candidates if not path.exists()))
    path = Path(run_dir)
    if path.exists() and not path.is_dir():
        raise UserError(f"--run_dir: expected a folder. Received a file: {run_dir!r}")
    if path.is_dir() and any(path.iterdir()):
        raise UserError(
            f"--run_dir: expected a new or empty folder; to go on with a run add --resume. Received: {run_dir!r}"
        )
    return RunDirectory(path)


def existing_run(
    run_dir: str, given: dict[str, object], may_change: tuple[str, ...] = ()
) -> tuple[RunDirectory, Config]:
    """A run that was begun, and its own config; of the given flags only those in `may_change` have a say.

    Raises:
        UserError: where it is none, or where a given flag differs from the run's.
    """
    if not run_dir:
        raise UserError("--run_dir: expected the folder of a run. Received none")
    run = RunDirectory(run_dir)
    if not run.config_file.is_file():
        raise UserError(f"--run_dir: expected the folder of a run, with a config.json. Received: {run_dir!r}")
    kept = read_json(run.config_file).get("config")
    if not isinstance(kept, dict):
        raise UserError(f"{run.config_file}: expected an object named 'config'")
    kept.update({name: value for name, value in given.items() if name in may_change})
    config = Config.from_json(kept, run.config_file)
    for name, value in given.items():
        if name in kept and name not in may_change and value != kept[name]:
            raise UserError(f"--{name}: the run in {run_dir} has {kept[name]!r} and keeps it. Received: {value!r}")
    return run, config


def begin(run: RunDirectory, config: Config, image_shape: tuple[int, int, int], argv: list[str]) -> None:
    """Makes the folder and writes config.json: options as resolved, image shape, versions, every command so far.

    Raises:
        UserError: where it cannot be written.
    """
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        for folder in (run.path, run.checkpoints, run.samples, run.export.parent):
            remove_leftovers(folder)
        before = read_json(run.config_file).get("commands", []) if run.config_file.exists() else []
        record = {
            "config": config.to_json(),
            "image_shape": image_shape,
            "commands": [*before, shlex.join(argv)],
            "versions": installed_versions(_PACKAGES),
        }
        write_text(run.config_file, json.dumps(record, indent=2) + "\n")
    except OSError as error:
        raise UserError(f"--run_dir: cannot write there ({error}). Received: {str(run)!r}") from error
