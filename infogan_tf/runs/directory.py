"""The folder of one run: where things lie in it."""

import re
from pathlib import Path

from infogan_tf.errors import UserError
from infogan_tf.files import entries, read_json

# Samples and what each code does, as training names them.
_PICTURE = re.compile(r"(?P<name>samples|caption|c\d+)_(?P<step>\d{8,12})\.png", re.ASCII)
_LARGEST = 1024  # pixels of a side of an image


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
        """The pictures called `name` that training drew, by step in ascending order; others may lie beside them."""
        found = {}
        for path in entries(self.samples):
            match = _PICTURE.fullmatch(path.name)
            if match and match["name"] == name and path.is_file():
                found[int(match["step"])] = path
        return dict(sorted(found.items()))

    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the run's images, from config.json.

        Raises:
            UserError: Where they cannot be read.
        """
        shape = read_json(self.config_file).get("image_shape")
        is_whole = isinstance(shape, list) and len(shape) == 3 and all(type(size) is int for size in shape)
        if not is_whole or shape[2] not in (1, 3) or any(size % 4 or not 0 < size <= _LARGEST for size in shape[:2]):
            wanted = "an image_shape of height and width, multiples of 4, and 1 or 3 channels"
            raise UserError(f"{self.config_file}: expected {wanted}. Received: {shape!r:.200}")
        return tuple(shape)
