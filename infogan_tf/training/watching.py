"""Callbacks that show how training goes: on the console, in metrics.jsonl and TensorBoard, as pictures and warnings.

What is called after every step counts steps by itself, as reading a variable waits for the GPU. Order matters, and
`fit` keeps it: callbacks that add figures to an epoch's logs come before those that write them.
"""

import math
import time
from collections.abc import Collection
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import pictures
from infogan_tf.data.images import Split
from infogan_tf.evaluation.metrics.clustering import matched_error
from infogan_tf.files import as_json, naming, write_text, written_by_tensorflow
from infogan_tf.latents import traversal
from infogan_tf.runs.metrics_file import read_lines
from infogan_tf.templates import markdown
from infogan_tf.training import guards

# The first epoch, counted from 0, that guards look at: codes and variety need a while to show.
GUARDED_FROM_EPOCH = 2


class ClassifierError(keras.callbacks.Callback):
    """Adds the test error of the code that serves as the classifier to each epoch's logs, as `<code>_error` in 0..1.

    It is that of `clustering.matched_error`; of a model that is told some labels, whose classes are the labels, it is
    the share of images whose class is not their label. Training itself does not see these labels.

    Args:
        test: Test split, with labels.
        told: Whether training is told labels of other images.
    """

    def __init__(self, test: Split, told: bool = False):
        super().__init__()
        self.test = test
        self.told = told

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        code = self.model.layout.classifier
        with self.model.averaged():
            classes = self.model.most_probable(self.test.images)[code.name]
        error = np.mean(classes != self.test.labels) if self.told else matched_error(classes, self.test.labels)
        logs[f"{code.name}_error"] = error


class Guards(keras.callbacks.Callback):
    """Prints a sentence at the end of the epoch in which a problem begins, and none while it lasts.

    Args:
        real_images: Real images, uint8 [N, H, W, C], to compare as many generated ones with.
        without: The options that the run does not take.
    """

    def __init__(self, real_images: np.ndarray, without: Collection[str] = ()):
        super().__init__()
        self.real_images = real_images
        self.without = without
        self.said = {}

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        if epoch < GUARDED_FROM_EPOCH:
            return
        latents = self.model.layout.sample(len(self.real_images), self.model.stream_seed("pictures"))
        step = int(self.model.step.numpy())
        found = {
            **self.model.warnings(logs, step),
            "collapsed": guards.collapsed(self.model.generate(latents), self.real_images / 255.0, self.without),
        }
        for name, sentence in found.items():
            if sentence and not self.said.get(name):
                print(f"\nStep {step:,}: {sentence}")
        self.said = found


class Progress(keras.callbacks.ProgbarLogger):
    """Keras's progress bar with the figures that matter, and the time left of the whole run.

    Args:
        steps: Step at which this training ends.
        steps_after: Number of steps that the run has to do after that.
    """

    SHOWN = ("d_loss", "g_loss", "mutual_info", "_real", "_fake", "_fake_before", "convergence", "_error")

    def __init__(self, steps: int, steps_after: int = 0):
        super().__init__()
        self.steps = steps
        self.steps_after = steps_after
        self.started = None

    def on_epoch_begin(self, epoch, logs=None):  # noqa: D102
        self._reset_progbar()
        self._maybe_init_progbar()
        step, now = int(self.model.step.numpy()), time.monotonic()
        left = ""
        if self.started is None:
            self.started = (step, now)
        elif step > self.started[0]:
            steps_left = self.steps - step + self.steps_after
            seconds = (now - self.started[1]) / (step - self.started[0]) * steps_left
            left = f", about {duration(seconds)} left"
        print(f"Epoch {epoch + 1}, step {step:,} of {self.steps:,}{left}")

    def on_train_batch_end(self, batch, logs=None):  # noqa: D102
        super().on_train_batch_end(batch, self._shown(logs))

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        super().on_epoch_end(epoch, self._shown(logs))

    def _shown(self, logs):
        return {name: value for name, value in logs.items() if name.endswith(self.SHOWN)}


def duration(seconds: float) -> str:
    """Formats a time given in seconds as seconds, minutes or hours, such as "12 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class MetricsFile(keras.callbacks.Callback):
    """Appends one JSON object per epoch: step, epoch, seconds, images per second, and every logged figure.

    Figures that are NaN or infinite are left out, as JSON has neither.

    Lines beyond the model's step, or cut short by a kill, belong to work that is about to be done again: they are
    dropped when training begins.

    Args:
        path: The JSON-lines file to append to.
        batch_size: Number of images in a step.
    """

    def __init__(self, path: Path, batch_size: int):
        super().__init__()
        self.path = Path(path)
        self.batch_size = batch_size

    def on_train_begin(self, logs=None):  # noqa: D102
        if self.path.exists():
            lines = [line for line in read_lines(self.path) if line["step"] <= self.model.step.numpy()]
            write_text(self.path, "".join(map(_json_line, lines)))

    def on_epoch_begin(self, epoch, logs=None):  # noqa: D102
        self.begun = (time.monotonic(), int(self.model.step.numpy()))

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        step = int(self.model.step.numpy())
        seconds = time.monotonic() - self.begun[0]
        images_per_second = (step - self.begun[1]) * self.batch_size / seconds
        line = {"step": step, "epoch": epoch + 1, "seconds": seconds, "images_per_second": images_per_second}
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(_json_line(line | {name: float(value) for name, value in logs.items()}))


def _json_line(figures):
    return as_json({name: value for name, value in figures.items() if math.isfinite(value)}, indent=None)


class TensorBoard(keras.callbacks.Callback):
    """Writes scalars by global step, so that a resumed run continues its curves, and the options as text and HParams.

    Args:
        folder: Folder of the event files.
        config: Options of the run by name, as `Config.to_json` returns them.
        every: Number of steps between two points of the training curves; each is the mean of the steps since the last,
            or since the epoch began or was taken up again.
    """

    def __init__(self, folder: Path, config: dict[str, object], every: int = 50):
        super().__init__()
        self.folder = folder
        with written_by_tensorflow(folder):
            self.writer = tf.summary.create_file_writer(str(folder))
        self.config = config
        self.every = every

    def on_train_begin(self, logs=None):  # noqa: D102
        if self.model.step.numpy() > 0:
            return
        from tensorboard.plugins.hparams import api as hparams

        rows = [f"|{name}|{markdown(str(value))}|" for name, value in self.config.items()]
        table = "\n".join(["|option|value|", "|---|---|", *rows])
        with written_by_tensorflow(self.folder), self.writer.as_default(step=0):
            tf.summary.text("config", table)
            hparams.hparams({name: "" if value is None else value for name, value in self.config.items()})

    def on_epoch_begin(self, epoch, logs=None):  # noqa: D102
        self.window = None
        self.first = int(self.model.step.numpy())

    def on_train_batch_begin(self, batch, logs=None):  # noqa: D102
        # An epoch that is taken up again has its sums back by now, see `stopping.SaveCheckpoints`.
        if self.window is None:
            self.window = self.model.means.totals.numpy(), self.model.means.counts.numpy()

    def on_train_batch_end(self, batch, logs=None):  # noqa: D102
        step = self.first + batch + 1
        if step % self.every:
            return
        # The model holds the epoch's sums; the difference of two readings is the mean of the steps between.
        means = self.model.means
        totals, counts = means.totals.numpy(), means.counts.numpy()
        new = zip(means.names, totals - self.window[0], counts - self.window[1], strict=True)
        scalars = {f"train/{name}": total / count for name, total, count in new if count > 0}
        self.window = totals, counts
        for player, optimizer in self.model.optimizers.items():
            scalars[f"learning_rate/{player}"] = float(optimizer.learning_rate.numpy())
        self._write(scalars, step)

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        self._write({f"epoch/{name}": value for name, value in logs.items()}, int(self.model.step.numpy()))

    def _write(self, scalars, step):
        with written_by_tensorflow(self.folder), self.writer.as_default(step=step):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)
            self.writer.flush()

    def show(self, name: str, picture: np.ndarray, step: int) -> None:
        """Writes a picture, uint8 [H, W, C], under a name."""
        with written_by_tensorflow(self.folder), self.writer.as_default(step=step):
            tf.summary.image(name, picture[np.newaxis])
            self.writer.flush()


class Pictures(keras.callbacks.Callback):
    """Draws samples and one traversal grid per code after each epoch, as PNG files and into TensorBoard.

    Args:
        folder: Folder of the PNG files, which are named <what>_<step>.png.
        real_images: Real images, uint8 [N, H, W, C], written to TensorBoard once, at step 0.
        board: What writes to TensorBoard.
    """

    def __init__(self, folder: Path, real_images: np.ndarray, board: TensorBoard):
        super().__init__()
        self.folder = Path(folder)
        self.real_images = real_images
        self.board = board

    def on_train_begin(self, logs=None):  # noqa: D102
        seed = self.model.stream_seed("pictures")
        self.grids = {"samples": traversal.sample_grid(self.model.layout, seed)}
        for code in self.model.layout.codes:
            self.grids[code.name] = traversal.traversal_grid(self.model.layout, code.name, seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.model.step.numpy() == 0:
            self.board.show("real_images", pictures.tile(self.real_images, 10), 0)

    def on_epoch_end(self, epoch, logs=None):  # noqa: D102
        step = int(self.model.step.numpy())
        with self.model.averaged():
            drawn = {name: self.model.generate(grid.latents) for name, grid in self.grids.items()}
        for name, grid in self.grids.items():
            picture = pictures.tile(drawn[name], grid.columns)
            pictures.write_png(self.folder / f"{name}_{step:08d}.png", picture)
            self.board.show(name, picture, step)
