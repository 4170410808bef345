"""Checkpoints: the whole training state on disk, written whole or not at all, checked when read, the last few kept.

A checkpoint is an .npz file of plain arrays with a checksum each, without pickle. It holds the model's weights (the
step counter among them), the optimizers' states, and the metrics of the epoch so far, so that a run may stop anywhere.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infogan_tf.errors import UserError
from infogan_tf.files import entries, whole_file
from infogan_tf.stored import UnfitError, read_arrays

if TYPE_CHECKING:
    from infogan_tf.models.base import GenerativeModel

_NAME = re.compile(r"step_([0-9]+)\.npz")


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
        return sorted((path for path in entries(self.folder) if _NAME.fullmatch(path.name)), key=step_of)

    def save(self, model: GenerativeModel, background: bool = False) -> Path:
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
        arrays = {name: variable.numpy() for name, variable in model.training_state().items()}
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

    def close(self) -> None:
        """Ends the writing in the background: returns when nothing is being written any more, well or not."""
        self._writer.shutdown()

    def _write(self, path, arrays):
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
        for old in self.paths()[: -self.keep]:
            old.unlink()

    def restore(self, model: GenerativeModel) -> Path | None:
        """Loads the newest checkpoint that is whole and this model's; those passed over are named on the console.

        Args:
            model: The compiled model. It is unchanged after an error.

        Returns:
            The checkpoint's file, or None where there are no checkpoints.

        Raises:
            UserError: Where none can be restored; the message says why of the newest.
        """
        state, unfit = model.training_state(), {}
        for path in reversed(self.paths()):
            try:
                arrays = read_arrays(path, state)
            except UnfitError as error:
                unfit[path] = error
                continue
            for damaged, why in unfit.items():
                print(f"Checkpoint {damaged} is passed over: {why}.")
            for name, variable in state.items():
                variable.assign(arrays[name])
            return path
        if unfit:
            path, why = next(iter(unfit.items()))
            raise UserError(f"{path}: {why}; of {len(unfit)} checkpoints none can be restored")
        return None


def step_of(path: Path) -> int:
    """Returns the training step of the checkpoint at `path`, step_<step>.npz."""
    return int(_NAME.fullmatch(path.name)[1])
