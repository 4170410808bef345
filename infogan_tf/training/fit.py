"""Trains a model on its data, with the callbacks that save, show and write a run."""

import contextlib
import math
import sys
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.config.options import Config
from infogan_tf.data.images import ImageData, Split
from infogan_tf.data.labelled import labelled_choice
from infogan_tf.data.stream import stream
from infogan_tf.devices import is_chief
from infogan_tf.models.base import GenerativeModel
from infogan_tf.models.choices import not_taken
from infogan_tf.runs.checkpoints import Checkpoints
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.training import stopping, watching


def fit(
    model: GenerativeModel,
    data: ImageData,
    config: Config,
    run: RunDirectory,
    how_to_resume: str,
    steps_after: int = 0,
) -> None:
    """Trains from the model's present step to the run's last, and writes all that a run keeps.

    Args:
        model: The compiled model to train.
        data: Data set to train on; its test labels, where there are any, serve to show the classification error.
        config: Options of the run.
        run: Directory to write to.
        how_to_resume: Command that goes on with the run, which is named where a signal stops it.
        steps_after: Number of steps that the whole run has still to do afterwards, for the time left.

    Raises:
        RunStopped: Where training ended early.
    """
    strategy, checkpoints = model.distribute_strategy, Checkpoints(run.checkpoints, config.keep_checkpoints)
    with contextlib.ExitStack() as stack:
        # However training ends, nothing is written into the run after it.
        stack.callback(checkpoints.close)
        used = [stopping.StopOnBrokenLoss(checkpoints)]
        if is_chief(strategy):
            saver = stopping.SaveCheckpoints(checkpoints, config.checkpoint_every, config.eval_every)
            stop_on_signal = stack.enter_context(stopping.StopOnSignal(saver, how_to_resume))
            progress = watching.Progress(config.steps, steps_after)
            used += [*_writers(model, data, config, run, progress), saver, stop_on_signal]
        at_once = model.steps_per_execution
        for initial_epoch, epochs, steps in segments(int(model.step.numpy()), config.steps, config.eval_every):
            model.steps_per_execution = math.gcd(at_once, steps)  # or Keras would make some steps too many
            model.fit(
                _batches(data.train, model, config, strategy),
                initial_epoch=initial_epoch,
                epochs=epochs,
                steps_per_epoch=steps,
                callbacks=used,
                shuffle=False,  # the stream is shuffled
                # A file gets a line per epoch, not a bar.
                verbose=0 if not is_chief(strategy) else 1 if sys.stdout.isatty() else 2,
            )
        # What the model makes next, as another start, may have epochs of other lengths.
        model.steps_per_execution = at_once


def _writers(model, data, config, run, progress) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that show and write how training goes, in the order that watching.py asks for."""
    board = watching.TensorBoard(run.tensorboard, config.to_json())
    errors = []
    if data.test.labels is not None and model.layout.classifier is not None:
        errors.append(watching.ClassifierError(data.test, told=bool(config.labelled)))
    return [
        *errors,
        progress,
        watching.MetricsFile(run.metrics_file, config.batch_size),
        board,
        watching.Pictures(run.samples, _some(data.train.images), board),
        watching.Guards(_some(data.train.images), not_taken(config)),
    ]


def _batches(train: Split, model: GenerativeModel, config: Config, strategy: tf.distribute.Strategy):
    """Returns the stream from the model's step on; of several replicas each gets its part of every batch."""
    replicas, count, step = strategy.num_replicas_in_sync, config.batch_size * config.d_updates, int(model.step.numpy())
    labels = {"label": train.labels, "caption": train.words}.get(model.TOLD)
    chosen = labelled_choice(train.labels, config.labelled, config.seed) if config.labelled else None

    def batches(**part):
        images = stream(train.images, count, config.seed, step, labels=labels, **part)
        if chosen is None:
            return images
        known = stream(train.images[chosen], count, config.seed, step, labels=train.labels[chosen], **part)
        return tf.data.Dataset.zip((images, known))

    if replicas == 1:
        return batches()
    return strategy.distribute_datasets_from_function(
        lambda context: batches(part=context.input_pipeline_id, parts=context.num_input_pipelines).rebatch(
            count // replicas
        )
    )


def _some(images: np.ndarray, count: int = 100) -> np.ndarray:
    """Returns a fixed random choice of images, as a data set's first ones may be all alike."""
    return images[np.random.default_rng(0).permutation(len(images))[:count]]


def segments(step: int, steps: int, epoch_steps: int) -> Iterator[tuple[int, int, int]]:
    """Yields what is left of a run as calls of Keras's fit: (initial_epoch, epochs, steps_per_epoch).

    There are at most three: the rest of an interrupted epoch, the whole epochs, and a shorter last one.

    Args:
        step: Number of steps done.
        steps: Number of steps of the whole run.
        epoch_steps: Number of steps in an epoch.
    """
    while step < steps:
        epoch, done = divmod(step, epoch_steps)
        whole = (steps - step) // epoch_steps
        if done or not whole:
            count, whole = min(epoch_steps - done, steps - step), 1
        else:
            count = epoch_steps
        yield epoch, epoch + whole, count
        step += whole * count
