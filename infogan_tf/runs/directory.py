"""The folder of one run: where things lie in it."""

from pathlib import Path

from infogan_tf.errors import UserError
from infogan_tf.files import read_json


class RunDirectory:
    """The paths of a run; making one touches nothing on disk."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.checkpoints = self.path / "checkpoints"
        self.tensorboard = self.path / "tensorboard"
        self.samples = self.path / "samples"
        self.metrics_file = self.path / "metrics.jsonl"
        self.skipped_file = self.path / "skipped_files.txt"
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
            UserError: Where they cannot be read.
        """
        shape = read_json(self.config_file).get("image_shape")
        if not (isinstance(shape, list) and len(shape) == 3 and all(isinstance(size, int) for size in shape)):
            raise UserError(f"{self.config_file}: expected an image_shape of three integers. Received: {shape!r}")
        return tuple(shape)
