"""What keeps a run safe: checkpoints, and an end in good order when its losses break or a signal comes.

A step of a small network takes a GPU a few milliseconds, and reading any variable waits for its end: so what is called
after every step counts steps by itself, and reads only when it has something to do.

Order matters, and `fit` keeps it: what stops a broken run comes before what would save it, and that last but one.
"""

import contextlib
import math
import signal
from collections.abc import Iterator
from pathlib import Path

import keras

from infogan_tf.environment.signals import ENDING, on_signals
from infogan_tf.errors import NOT_WRITTEN, RunStopped, about_file
from infogan_tf.runs.checkpoints import Checkpoints, NotFiniteError, step_of

DIVERGED = 1


class StopOnBrokenLoss(keras.callbacks.Callback):
    """Stops a run whose losses are no longer numbers.

    Args:
        checkpoints: The run's checkpoints, of which the last good one is named.
        every: How many steps lie between two looks at least; a running mean stays broken once a value was.
    """

    def __init__(self, checkpoints: Checkpoints, every: int = 10):
        super().__init__()
        self.checkpoints = checkpoints
        self.every = every

    def on_epoch_begin(self, epoch, logs=None):  # noqa: D102
        self.looked = -self.every

    def on_train_batch_end(self, batch, logs=None):  # noqa: D102
        # Of steps that are one program it hears of the last.
        if batch - self.looked >= self.every:
            self.looked = batch
            self._check(logs)

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        self._check(logs)

    def _check(self, logs):
        broken = next((name for name, value in logs.items() if not math.isfinite(value)), None)
        if broken:
            raise diverged(f"{broken} is {logs[broken]}", int(self.model.step.numpy()), self.checkpoints)


def diverged(what: str, step: int, checkpoints: Checkpoints) -> RunStopped:
    """The end of a run that no longer computes numbers."""
    checkpoints.wait()
    paths = checkpoints.paths()
    last = f"the last good checkpoint is {paths[-1]}" if paths else "there is no checkpoint yet"
    return RunStopped(f"Stopped at step {step:,}: {what}; {last}. Lower learning rates may help.", DIVERGED)


@contextlib.contextmanager
def on_full_disk(how_to_resume: str) -> Iterator[None]:
    """Says in one line what could not be written, and how to go on.

    Args:
        how_to_resume: The command that goes on with the run.

    Raises:
        RunStopped: Where that ended the block.
    """
    try:
        yield
    except OSError as error:
        raise RunStopped(
            f"Stopped: {about_file(error)}. What was saved before is whole. To go on: {how_to_resume}", NOT_WRITTEN
        ) from error


class SaveCheckpoints(keras.callbacks.Callback):
    """Saves the whole state every `every` steps and at the end; keeps the metrics of an epoch that was cut in two.

    It saves before the next step, or after what an epoch's end writes, so that no line or picture is lost to a kill
    between the two; it has to be the last but one to hear of an epoch's end.

    Args:
        checkpoints: The run's checkpoints.
        every: How many steps lie between two checkpoints.
        epoch_steps: How many steps an epoch has; one that begins elsewhere than at a multiple is taken up again.
    """

    def __init__(self, checkpoints: Checkpoints, every: int, epoch_steps: int):
        super().__init__()
        self.checkpoints = checkpoints
        self.every = every
        self.epoch_steps = epoch_steps
        self.saved_step = None

    def on_train_begin(self, logs=None):  # noqa: D102
        if self.saved_step is None:
            self.saved_step = int(self.model.step.numpy())
        # Keras resets the metrics when an epoch begins, also one that is only taken up again.
        self.restored = [variable.numpy() for variable in self.model.metrics_variables]

    def on_epoch_begin(self, epoch, logs=None):  # noqa: D102
        self.first = int(self.model.step.numpy())
        if self.first % self.epoch_steps:
            for variable, value in zip(self.model.metrics_variables, self.restored, strict=True):
                variable.assign(value)

    def on_train_batch_begin(self, batch, logs=None):  # noqa: D102
        self._save_if_due(self.first + batch)

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        self._save_if_due(int(self.model.step.numpy()))

    def on_train_end(self, logs=None):  # noqa: D102
        if int(self.model.step.numpy()) != self.saved_step:
            self.save()
        self.checkpoints.wait()

    def _save_if_due(self, step):
        if step % self.every == 0 and step != self.saved_step:
            self.save(background=True)

    def saved(self) -> Path:
        """The checkpoint of the present step, which is made where there is none.

        One that is there is left as it is: where an epoch ended with it, the next one has reset the metrics since.
        """
        self.checkpoints.wait()
        newest = self.checkpoints.paths()[-1:]
        if newest and step_of(newest[0]) == int(self.model.step.numpy()):
            return newest[0]
        return self.save()

    def save(self, background: bool = False) -> Path:
        """Saves now, or copies the state now and writes it while training goes on.

        Raises:
            RunStopped: Where a weight is no longer a number.
        """
        try:
            self.saved_step = int(self.model.step.numpy())
            return self.checkpoints.save(self.model, background)
        except NotFiniteError as error:
            raise diverged(f"{error} is not finite", int(self.model.step.numpy()), self.checkpoints) from error


class StopOnSignal(keras.callbacks.Callback):
    """On Ctrl-C, SIGTERM or a closed terminal ends the step, saves, says how to go on, and stops.

    The second time it stops at once.

    Args:
        saver: What saves.
        how_to_resume: The command that goes on with the run.
    """

    def __init__(self, saver: SaveCheckpoints, how_to_resume: str):
        super().__init__()
        self.saver = saver
        self.how_to_resume = how_to_resume
        self.received = None
        self.listening = contextlib.ExitStack()

    def __enter__(self):
        self.listening.enter_context(on_signals(dict.fromkeys(ENDING, self._note)))
        return self

    def __exit__(self, *exception):
        self.listening.close()

    def _note(self, number, frame):
        self.received = signal.Signals(number)
        self.listening.close()

    def on_train_batch_begin(self, batch, logs=None):  # noqa: D102
        self._stop_if_received()

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        self._stop_if_received()

    def _stop_if_received(self):
        if self.received is None:
            return
        path = self.saver.saved()
        step = int(self.model.step.numpy())
        message = f"Stopped by {self.received.name} at step {step:,}; saved {path}. To go on: {self.how_to_resume}"
        raise RunStopped(message, 128 + self.received)
