"""Checkpoints: the whole training state on disk, written whole or not at all, checked when read, the last few kept.

A checkpoint is an .npz file of plain arrays with a checksum each, without pickle. It holds the model's weights (the
step counter among them), the optimizers' states, and the metrics of the epoch so far, so that a run may stop anywhere.
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
    """Raised where the training state holds NaN or infinity; the message is the name of the first such array."""


class Checkpoints:
    """The checkpoints of one run.

    Args:
        folder: Folder of the checkpoints; created by the first save.
        keep: Number of checkpoints to keep, the newest ones; 1 or more.
    """

    def __init__(self, folder: Path, keep: int = 3):
        self.folder = Path(folder)
        self.keep = keep
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._writing = None

    def paths(self) -> list[Path]:
        """Returns the checkpoints' files, oldest first."""
        found = [path for path in self.folder.glob("step_*.npz") if _NAME.fullmatch(path.name)]
        return sorted(found, key=step_of)

    def save(self, model: keras.Model, background: bool = False) -> Path:
        """Writes a checkpoint, then deletes the oldest ones beyond `keep`.

        Args:
            model: The compiled model; its state is copied before this returns.
            background: Whether to return while the copy is still being written; `wait` waits for it.

        Returns:
            The checkpoint's file, step_<step>.npz.

        Raises:
            NotFiniteError: Where a value of the state is NaN or infinite; nothing is written or deleted.
            OSError: Where this checkpoint, or the one before it in the background, cannot be written.
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
        """Waits for the checkpoint that is being written in the background, if any.

        Raises:
            OSError: Where it could not be written.
        """
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
        """Loads the newest undamaged checkpoint into a model; damaged ones are named on the console and skipped.

        Args:
            model: The compiled model, not trained yet in this process. It is unchanged after an error.

        Returns:
            The checkpoint's file, or None where there are no checkpoints.

        Raises:
            UserError: Where all checkpoints are damaged, or the newest undamaged one is of another model.
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
    """Returns the training step of the checkpoint at `path`, step_<step>.npz."""
    return int(_NAME.fullmatch(path.name)[1])


def _read(path: Path) -> dict[str, np.ndarray]:
    """Returns all arrays of the file; reading one verifies its checksum."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _state(model: keras.Model) -> dict[str, keras.Variable]:
    """Returns every variable of the training state by a unique name."""
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
