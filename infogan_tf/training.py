"""Wiring: a Config and a run directory make a fitted model."""

import contextlib
import dataclasses
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import callbacks, pictures
from infogan_tf.building import build_model
from infogan_tf.checkpoints import Checkpoints
from infogan_tf.config import Config, read_json
from infogan_tf.data import ImageData, load_data, stream
from infogan_tf.errors import UserError
from infogan_tf.export import export_saved_model, float32_twin
from infogan_tf.files import versions
from infogan_tf.latents import LatentLayout
from infogan_tf.models import InfoGAN
from infogan_tf.precision import choose_precision
from infogan_tf.run_directory import RunDirectory, begin, existing_run, new_run
from infogan_tf.starts import choice_note, choose_start
from infogan_tf.strategy import choose_strategy, has_workers, is_chief, same_for_all, together
from infogan_tf.summary import summarize

# What may differ when a run goes on: how far, where the data lies, and on which devices.
MAY_CHANGE = ("steps", "data_dir", "strategy")


def train(config: Config, given: dict[str, object], argv: list[str]) -> None:
    """Trains a new run or goes on with one, then exports it and says what came out.

    Args:
        config: the options.
        given: the flags that the user gave, which --resume compares with the run's own.
        argv: the command line, for config.json.

    Raises:
        UserError: for bad input; nothing was written then.
        RunStopped: where training ended early.
    """
    started = time.monotonic()
    resume, evaluation = config.resume, {"auto": "quick"}.get(config.evaluation, config.evaluation)
    if resume:
        run, config = existing_run(config.run_dir, given, MAY_CHANGE)
    strategy = choose_strategy(config.strategy)
    chief = is_chief(strategy)
    if not resume:
        run = new_run(config.run_dir, config.dataset) if chief else RunDirectory(config.run_dir)
    precision, reason = choose_precision(config.precision)
    config = dataclasses.replace(config, precision=precision, evaluation=evaluation)
    data = load_data(config.dataset, config.data_dir)
    _check_options(config, data, strategy)
    model = _build(config, data, strategy)
    checkpoints = Checkpoints(run.checkpoints, config.keep_checkpoints)
    found = checkpoints.restore(model) if resume else None
    step = int(model.step.numpy())
    if not same_for_all(strategy, step):
        raise UserError(
            f"--run_dir: expected a folder that all workers see. Received: {run}, whose steps differ by worker"
        )
    if step > config.steps:
        raise UserError(f"--steps: expected at least the {step:,} that the run has done. Received: {config.steps}")

    if chief:
        begin(run, config, data.image_shape, argv)
        print(f"Training in {run}: {len(data.train_images):,} images of {config.dataset}, latents {config.latents}.")
        print(f"Precision {precision} ({reason}). Watch with: tensorboard --logdir {shlex.quote(str(run))}")
        if strategy.num_replicas_in_sync > 1:
            print(f"{strategy.num_replicas_in_sync} replicas share every batch of {config.batch_size} images.")
        if resume and (found or config.starts == 1):
            print(f"Going on at step {step:,}" + (f", from {found}." if found else ": there is no checkpoint yet."))

    with together(strategy, f"start all workers again with --resume --run_dir={shlex.quote(str(run))}"):
        if config.starts > 1 and not found:
            _start(config, data, strategy, run)
            found = checkpoints.restore(model)
        fit(model, data, config, run, checkpoints)
        if chief:
            _finish(model, data, config, run, config.steps - step, started, found)


def _build(config, data, strategy, start=0):
    layout = LatentLayout.parse(config.latents, config.posterior_stddev)
    with strategy.scope():
        return build_model(config, layout, data.image_shape, config.precision, start)


def _start(config, data, strategy, run):
    """Makes the run's starts, and what the best of them wrote the run's own."""
    own = dataclasses.replace(config, steps=min(config.start_steps, config.steps))

    def train_start(index, folder):
        print(f"\nStart {index + 1} of {config.starts}, {own.steps:,} steps, in {folder}.")
        model, checkpoints = _build(own, data, strategy, index), Checkpoints(folder.checkpoints, own.keep_checkpoints)
        checkpoints.restore(model)
        steps_after = own.steps * (config.starts - 1 - index) + config.steps - own.steps
        fit(model, data, own, folder, checkpoints, run, steps_after)

    choose_start(run, config, train_start)
    print(f"\n{choice_note(run)}\n")


def _finish(model, data, config, run, steps_done, started, found):
    """What comes after the last step: pictures, the report, and the export, which says what the evaluation found."""
    if not steps_done and _is_exported(run, found):
        print(f"Nothing to do: the run has all its {config.steps:,} steps; --steps=N makes it longer.")
        return
    seconds = time.monotonic() - started
    write_animation(run, model.layout)
    measured = None
    if config.evaluation != "none":
        # Imported here: charts and metrics take a second to import, and the first step does not wait for them.
        from infogan_tf.evaluate import evaluate_run

        measured = evaluate_run(float32_twin(model), data, config, run, config.evaluation)
    exported = export_run(model, config, run)
    summarize(config, run, steps_done, seconds, exported, measured)


def _check_options(config: Config, data: ImageData, strategy: tf.distribute.Strategy) -> None:
    """Raises a UserError for what these images and devices cannot do."""
    replicas, batch_size = strategy.num_replicas_in_sync, config.batch_size
    if batch_size > len(data.train_images):
        raise UserError(
            f"--batch_size: expected at most the {len(data.train_images):,} training images of {config.dataset}. "
            f"Received: {batch_size}"
        )
    if batch_size % replicas or batch_size < 2 * replicas:
        raise UserError(
            f"--batch_size: expected a multiple of {replicas} replicas, 2 or more each. Received: {batch_size}"
        )
    if config.starts > 1 and not config.invariance_weight:
        raise UserError(f"--starts: expected 1 with --invariance_weight=0. Received: {config.starts}")
    if config.starts > 1 and has_workers(strategy):
        raise UserError(f"--starts: expected 1 with --strategy=multiworker. Received: {config.starts}")
    if config.jit_compile and replicas > 1:
        raise UserError(f"--jit_compile: expected false with several replicas, here {replicas}. Received: true")
    if config.jit_compile and config.invariance_weight:
        # TensorFlow's affine transformation of images has no XLA kernel.
        raise UserError("--jit_compile: expected false with --invariance_weight above 0. Received: true")


def _is_exported(run: RunDirectory, checkpoint: Path) -> bool:
    """Whether the newest export is younger than the checkpoint; it is not where a kill came between the two."""
    exports = [run.export / str(version) for version in versions(run.export)]
    return bool(exports) and exports[-1].stat().st_mtime >= checkpoint.stat().st_mtime


def export_run(model: InfoGAN, config: Config, run: RunDirectory, base: Path | None = None) -> Path:
    """Exports the run's model as the next version, with its options and, where it was evaluated, what was found.

    It goes to the folder `base`, by default the run's own.
    """
    evaluation = read_json(run.evaluation_file) if run.evaluation_file.exists() else None
    options = config.to_json()
    options.pop("data_dir")  # of no use to others, who need not know this machine's folders
    return export_saved_model(model, base or run.export, config.export_precision, config.dataset, options, evaluation)


def fit(
    model: InfoGAN,
    data: ImageData,
    config: Config,
    run: RunDirectory,
    checkpoints: Checkpoints,
    whole: RunDirectory | None = None,
    steps_after: int = 0,
) -> None:
    """Trains from the model's step to the last, with everything that a run writes.

    Args:
        model: to train.
        data: whose training images it is shown.
        config: of the run.
        run: the folder to write to.
        checkpoints: in it.
        whole: the run that --resume goes on with, where `run` is one of its starts.
        steps_after: how many steps the whole run has to do afterwards.

    Raises:
        RunStopped: where training ended early.
    """
    strategy = model.distribute_strategy
    with contextlib.ExitStack() as stack:
        used = [callbacks.StopOnBrokenLoss(checkpoints)]
        if is_chief(strategy):
            how_to_resume = ["--resume", f"--run_dir={whole or run}", f"--evaluation={config.evaluation}"]
            saver = callbacks.SaveCheckpoints(checkpoints, config.checkpoint_every, config.eval_every)
            command = shlex.join([sys.executable, sys.argv[0], *how_to_resume])
            stop_on_signal = stack.enter_context(callbacks.StopOnSignal(saver, command))
            progress = callbacks.Progress(config.steps, steps_after)
            used += [*_writers(model, data, config, run, progress), saver, stop_on_signal]
        for initial_epoch, epochs, steps in segments(int(model.step.numpy()), config.steps, config.eval_every):
            model.fit(
                _batches(data.train_images, config, int(model.step.numpy()), strategy),
                initial_epoch=initial_epoch,
                epochs=epochs,
                steps_per_epoch=steps,
                callbacks=used,
                shuffle=False,  # the stream is shuffled
                # A file gets a line per epoch, not a bar.
                verbose=0 if not is_chief(strategy) else 1 if sys.stdout.isatty() else 2,
            )


def _writers(model, data, config, run, progress) -> list[keras.callbacks.Callback]:
    """The callbacks that show and write how training goes, in the order that callbacks.py asks for."""
    board = callbacks.TensorBoard(run.tensorboard, config.to_json())
    errors = []
    if data.test_labels is not None and model.layout.first_categorical is not None:
        errors.append(callbacks.ClassifierError(data.test_images, data.test_labels))
    return [
        *errors,
        progress,
        callbacks.MetricsFile(run.metrics_file, config.batch_size),
        board,
        callbacks.Pictures(run.samples, _some(data.train_images), board.writer),
        callbacks.Guards(_some(data.train_images)),
    ]


def _batches(images: np.ndarray, config: Config, step: int, strategy: tf.distribute.Strategy):
    """The stream from `step` on; with several replicas, each gets its part of every batch."""
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return stream(images, config.batch_size * config.d_updates, config.seed, step)

    def of_a_machine(context):
        part = {"part": context.input_pipeline_id, "parts": context.num_input_pipelines}
        count = config.batch_size * config.d_updates
        return stream(images, count, config.seed, step, **part).rebatch(count // replicas)

    return strategy.distribute_datasets_from_function(of_a_machine)


def _some(images: np.ndarray, count: int = 100) -> np.ndarray:
    """A fixed random choice: a data set's first images may be all alike."""
    return images[np.random.default_rng(0).permutation(len(images))[:count]]


def segments(step: int, steps: int, epoch_steps: int) -> Iterator[tuple[int, int, int]]:
    """What is left of a run as calls of fit(): (initial epoch, epochs, steps in each epoch).

    At most three: the rest of an epoch that was interrupted, the whole epochs, and a shorter last one.
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


def write_animation(run: RunDirectory, layout: LatentLayout) -> None:
    """Writes samples/training.gif: what the first code drew, epoch by epoch."""
    frames = run.pictures(layout.codes[0].name).values()
    if frames:
        pictures.write_gif(run.samples / "training.gif", [pictures.read_png(frame) for frame in frames])
