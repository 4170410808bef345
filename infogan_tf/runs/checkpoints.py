"""The whole training state on disk: written whole, checked when read, the last few kept.

A checkpoint is an .npz file: plain arrays with a checksum each, no pickle. It holds the model's weights (the step
counter among them), both optimizers' state, and the metrics of the epoch so far, so that a run may stop anywhere.
"""

import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np

from infogan_tf.errors import UserError
from infogan_tf.files import whole_file

_NAME = re.compile(r"step_(\d+)\.npz")


class NotFiniteError(Exception):
    """The state holds NaN or infinity and is not worth keeping."""


class Checkpoints:
    """The checkpoints of one run.

    Args:
        folder: where they lie; made on the first save.
        keep: how many to keep, the newest ones.
    """

    def __init__(self, folder: Path, keep: int = 3):
        self.folder = Path(folder)
        self.keep = keep
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._writing = None

    def paths(self) -> list[Path]:
        """The checkpoints, oldest first."""
        found = [path for path in self.folder.glob("step_*.npz") if _NAME.fullmatch(path.name)]
        return sorted(found, key=step_of)

    def save(self, model: keras.Model, background: bool = False) -> Path:
        """Writes the state of a compiled `model`, then deletes the oldest beyond `keep`.

        Args:
            model: whose state is copied before this returns.
            background: whether to return while the copy is still being written; `wait` waits for it.

        Raises:
            NotFiniteError: where a weight is NaN or infinite; nothing is written or deleted.
            OSError: where this checkpoint, or the one before it in the background, cannot be written.
        """
        arrays = {name: variable.numpy() for name, variable in _state(model).items()}
        broken = next((name for name, array in arrays.items() if not np.isfinite(array).all()), None)
        if broken:
            raise NotFiniteError(broken)
        path = self.folder / f"step_{int(model.step.numpy()):08d}.npz"
        self.wait()
        self._writing = self._writer.submit(self._write, path, arrays)
        if not background:
            self.wait()
        return path

    def wait(self) -> None:
        """Returns when nothing is being written any more; raises the OSError of what could not be."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def _write(self, path, arrays):
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
        for old in self.paths()[: -self.keep]:
            old.unlink()

    def restore(self, model: keras.Model) -> Path | None:
        """Loads the newest checkpoint that is whole into a compiled `model`; returns its path, None without any.

        One that is damaged is named on the console and skipped. A model that was not trained further in this session
        may be restored; nothing of it changes before a whole checkpoint was read.

        Raises:
            UserError: where there are checkpoints and none is whole, or where one is of another model.
        """
        paths = self.paths()
        for path in reversed(paths):
            try:
                arrays = _read(path)
            except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
                print(f"Checkpoint {path} is damaged ({error}); trying the one before it.")
                continue
            _assign(model, arrays, path)
            return path
        if paths:
            raise UserError(f"{self.folder}: none of its {len(paths)} checkpoints can be read")
        return None


def step_of(path: Path) -> int:
    """The training step at which the checkpoint at `path` was written."""
    return int(_NAME.fullmatch(path.name)[1])


def _read(path: Path) -> dict[str, np.ndarray]:
    """All arrays of the file; reading one compares its checksum."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _state(model: keras.Model) -> dict[str, keras.Variable]:
    """Every variable of the training state by a unique name."""
    groups = {
        "model": model.weights,
        "metrics": model.metrics_variables,
        **{f"{player}_optimizer": optimizer.variables for player, optimizer in model.optimizers.items()},
    }
    return {f"{group}/{i:03d}/{v.path}": v for group, variables in groups.items() for i, v in enumerate(variables)}


def _assign(model: keras.Model, arrays: dict[str, np.ndarray], path: Path) -> None:
    state = _state(model)
    differing = sorted(set(state) ^ set(arrays)) or [
        name for name, variable in state.items() if tuple(variable.shape) != arrays[name].shape
    ]
    if differing:
        raise UserError(f"{path}: it is the checkpoint of another model; they differ in {differing[0]}")
    for name, variable in state.items():
        variable.assign(arrays[name])
