"""--mode=train: trains a new run or goes on with one, then measures and exports it."""

import contextlib
import dataclasses
import math
import shlex
import time
from collections.abc import Callable

import numpy as np

from infogan_tf import pictures
from infogan_tf.commands.export import export_run, is_exported
from infogan_tf.commands.images import images_of
from infogan_tf.config.flags import as_flag
from infogan_tf.config.options import Config
from infogan_tf.config.source import constant, parameters
from infogan_tf.data.facts import ImageFacts
from infogan_tf.data.images import ImageData, choice_of
from infogan_tf.devices import choose_strategy, has_workers, is_chief, same_for_all, together, within_memory
from infogan_tf.environment.invocation import command_words
from infogan_tf.errors import UserError
from infogan_tf.evaluation.record import read_evaluation
from infogan_tf.latents.cost import cost_note
from infogan_tf.latents.language import read_latents
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models import MODELS
from infogan_tf.models.base import GenerativeModel
from infogan_tf.models.build import build_model
from infogan_tf.models.choices import not_taken, taken
from infogan_tf.models.compilation import choose_compilation
from infogan_tf.objectives.declarations import (
    FIGURES,
    FRAMED,
    OF_COLOUR,
    PHOTOS,
    asks_for_usual,
    named_in,
    usual_changes,
    with_usual,
)
from infogan_tf.objectives.invariance import parse_invariances
from infogan_tf.precision import choose_precision
from infogan_tf.reports.summary import summarize
from infogan_tf.runs.checkpoints import Checkpoints
from infogan_tf.runs.claims import at_work, new_run
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import (
    MAY_CHANGE,
    begin,
    existing_run,
    require_same_choice,
    require_same_images,
    require_same_labels,
)
from infogan_tf.runs.start import start_from
from infogan_tf.training.fit import fit
from infogan_tf.training.starts import choice_note, choose_start
from infogan_tf.training.stopping import on_full_disk

MANY_WEIGHTS = 10**8
# In so many training images the classes of several starts are compared.
COMPARED_IMAGES = 10_000
# Photos that are more alike are of one thing in one frame: CelebA's faces have 0.36, CIFAR-10's photos 0.15.
ALIKE = 0.3
# A run's options by what is known of its images.
Options = Callable[[ImageFacts], Config]
_COLOURS = {1: "grey", 3: "in colour"}


def train(config: Config, given: dict[str, object], argv: list[str], by_facts: Options | None = None) -> None:
    """Trains a new run or goes on with one, then exports it and says what came out.

    Args:
        config: The options.
        given: Those that the user gave, which --resume compares with the run's own.
        argv: The command line, for config.json and for the commands that are printed.
        by_facts: The options in place of `config`, by what the images turn out to be, where the recipe goes by that.

    Raises:
        UserError: For bad input; nothing was written then.
        RunStopped: Where training ended early.
    """
    started = time.monotonic()
    run = None
    if config.resume:
        asked = config
        run, config = existing_run(asked.run_dir, given, MAY_CHANGE)
        config = dataclasses.replace(config, resume=True, run_dir=asked.run_dir, evaluation=asked.evaluation)
    strategy = choose_strategy(config.strategy)
    precision, reason = choose_precision(config.precision)
    evaluation = {"auto": "quick"}.get(config.evaluation, config.evaluation)
    settled = {"precision": precision, "evaluation": evaluation}
    with within_memory(), contextlib.ExitStack() as stack:
        if run and is_chief(strategy):
            stack.enter_context(at_work(run))
        data = images_of(config)
        if run:
            require_same_images(run, data)
            require_same_labels(run, data)
            require_same_choice(run, data, config)
        config = dataclasses.replace(fitted_to(data, config, by_facts), **settled)
        check_against(config, data, strategy.num_replicas_in_sync, has_workers(strategy))
        model = _build(config, data, strategy)
        if is_chief(strategy):
            for note in filter(None, (cost_note(config.latents), _weights_note(model))):
                print(note)
        found = Checkpoints(run.checkpoints).restore(model) if run else None
        if config.start_from and not found:
            start_from(model, config.start_from)
        step = int(model.step.numpy())
        if not same_for_all(strategy, step):
            raise UserError(
                f"--run_dir: expected a folder that all workers see. Received: {run}, whose steps differ by worker"
            )
        if step > config.steps:
            raise UserError(f"--steps: expected at least the {step:,} that the run has done. Received: {config.steps}")
        if not run:
            run = RunDirectory(config.run_dir)
            if is_chief(strategy):
                run = stack.enter_context(new_run(config.run_dir, data.name))

        if is_chief(strategy):
            begin(run, taken(config), data, argv)
            print(f"Training in {run}: {len(data.train.images):,} images of {data.name}, latents {config.latents}.")
            if data.skipped:
                print(
                    f"{len(data.skipped):,} files could not be read and are left out; they are in {run.skipped_file}."
                )
            compilation = choose_compilation(config, data.image_shape, strategy.num_replicas_in_sync)
            print(f"Precision {precision} ({reason}); {compilation}.")
            print(f"Watch with: tensorboard --logdir {shlex.quote(str(run))}")
            if strategy.num_replicas_in_sync > 1:
                print(f"{strategy.num_replicas_in_sync} replicas share every batch of {config.batch_size} images.")
            if config.resume and (found or config.starts == 1):
                print(f"Going on at step {step:,}" + (f", from {found}." if found else ": there is no checkpoint yet."))

        program = command_words(argv[0])
        how_to_resume = shlex.join([*program, "--resume", f"--run_dir={run}", f"--evaluation={config.evaluation}"])
        with (
            on_full_disk(how_to_resume),
            together(strategy, f"start all workers again with --resume --run_dir={shlex.quote(str(run))}"),
        ):
            if config.start_from and not found and is_chief(strategy):
                # From here on it does not matter what becomes of the run that it started from.
                Checkpoints(run.checkpoints).save(model)
            if config.starts > 1 and not found:
                _start(model, config, data, run, how_to_resume)
                found = Checkpoints(run.checkpoints).restore(model)
            fit(model, data, config, run, how_to_resume)
            if is_chief(strategy):
                _finish(model, data, config, run, config.steps - step, started, program, asked="evaluation" in given)


def _build(config, data, strategy, start=0):
    with strategy.scope():
        return build_model(config, data.image_shape, start=start)


def _start(model, config, data, run, how_to_resume):
    """Makes the run's starts with its model, and what the best of them wrote the run's own."""
    steps = min(config.start_steps, config.steps)
    own = dataclasses.replace(config, steps=steps, eval_every=_epoch_of_start(steps, config.eval_every))
    images = data.train.images[choice_of(len(data.train.images), COMPARED_IMAGES)]

    def train_start(index, folder):
        print(f"\nStart {index + 1} of {config.starts}, {own.steps:,} steps, in {folder}.")
        # One model makes all of them, so that its step is traced once.
        model.take_state_of(_build(config, data, model.distribute_strategy, index))
        Checkpoints(folder.checkpoints).restore(model)
        steps_after = own.steps * (config.starts - 1 - index) + config.steps - own.steps
        fit(model, data, own, folder, how_to_resume, steps_after)
        return _read(model, images)

    choose_start(run, config, train_start)
    print(f"\n{choice_note(run, config)}\n")


def _epoch_of_start(steps, eval_every):
    """How many of its `steps` an epoch of a start has, at most `eval_every`.

    A start is chosen by what its last epoch says, which is to be of steps in which there are classes, but not of few:
    about a fifth of the steps, or about a whole epoch where that is less.
    """
    fifth = max(1, steps // 5)
    return next(
        epoch
        for epoch in range(min(eval_every, max(1, steps - fifth)), 0, -1)
        if 0.75 * min(epoch, fifth) <= (steps % epoch or epoch) <= fifth
    )


def _read(model, images):
    """What Q says of each image, by code: its classes, or its values where it has no classes."""
    with model.averaged():
        values = model.most_probable(images)
    codes = [code for code in model.read_codes if code.discrete] or model.read_codes
    return [values[code.name] for code in codes]


def _finish(model, data, config, run, steps_done, started, program, asked):
    """What comes after the last step: pictures, the report, and the export, which says what the evaluation found.

    After no step nothing does, unless an evaluation is `asked` for that the run has not.
    """
    twin = model.float32_twin()
    if not steps_done and is_exported(run, twin) and (not asked or _is_measured(run, config)):
        print(f"Nothing to do: the run has all its {config.steps:,} steps; --steps=N makes it longer.")
        return
    seconds = time.monotonic() - started
    write_animation(run, model)
    measured = None
    if config.evaluation != "none":
        # Imported here: charts and metrics take a second to import, and the first step does not wait for them.
        from infogan_tf.commands.evaluate import evaluate_run

        measured = evaluate_run(twin, data, config, run, config.evaluation)
    exported = export_run(twin, config, run)
    summarize(config, twin, run, steps_done, seconds, exported, measured, program)


def _is_measured(run, config):
    """Whether the run's last step has an evaluation as thorough as is asked for."""
    if config.evaluation == "none":
        return True
    found = read_evaluation(run.evaluation_file, read_latents(config.latents).all_codes)
    return found is not None and found.step == config.steps and found.setting in (config.evaluation, "full")


def _weights_note(model):
    """How much memory the model takes, in a sentence, where that is much."""
    weights = sum(math.prod(variable.shape) for variable in model.network_variables)
    if weights < MANY_WEIGHTS:
        return ""
    size = 16 * weights / 1e9  # float32 each, and as much again for their gradients and each of Adam's two moments
    return f"{weights / 1e6:,.0f} million weights, which with their gradients and Adam's state take {size:,.1f} GB."


def fitted_to(data: ImageData, config: Config, by_facts: Options | None = None) -> Config:
    """The options for these images: by what they are, where the recipe goes by that, and what `auto` stands for.

    It says on the console what the images were taken for.
    """
    declares = _changes_images(config) and asks_for_usual(config.invariances)
    if not by_facts and not declares:
        return config
    kind = _kind_of(data.train.images)
    count, (height, width, channels) = len(data.train.images), data.image_shape
    told = [f"{data.name} has {kind}, {_COLOURS[channels]}"]
    if by_facts:
        config = by_facts(ImageFacts(count, height, width, figures=kind == FIGURES, framed=kind == FRAMED))
        chosen = ", ".join(as_flag(name, getattr(config, name)) for name in ("networks", "steps", "starts"))
        told.append(f"{chosen} suit them")
    if _changes_images(config) and asks_for_usual(config.invariances):
        changes = usual_changes(kind, channels == 3)
        config = dataclasses.replace(config, invariances=with_usual(config.invariances, changes))
        told.append(f"classes are to ignore {changes} (--invariances=... for other changes)")
    print(f"{told[0]}: {'; '.join(told[1:])}.")
    return config


def _changes_images(config):
    """Whether anything in the run reads --invariances."""
    return "invariances" not in not_taken(config)


def _kind_of(images):
    """What a sample of the images shows, as `usual_changes` has it."""
    # Imported here: SciPy takes a while to import, and most runs do not need it.
    from infogan_tf.evaluation.metrics.attributes import LOOKED_AT, ground_of, likeness

    sample = images[choice_of(len(images), LOOKED_AT)] / 255.0
    if ground_of(sample) != "varied":
        return FIGURES
    return FRAMED if likeness(sample) > ALIKE else PHOTOS


def check_against(config: Config, data: ImageData, replicas: int, workers: bool = False) -> None:
    """Raises a UserError for what these images and devices cannot do.

    Args:
        config: The run's options.
        data: Its images.
        replicas: How many devices share every batch.
        workers: Whether they are of several machines.
    """
    batch_size = config.batch_size
    if batch_size > len(data.train.images):
        raise UserError(
            f"--batch_size: expected at most the {len(data.train.images):,} training images of {data.name}. "
            f"Received: {batch_size}"
        )
    if batch_size % replicas or batch_size < 2 * replicas:
        raise UserError(
            f"--batch_size: expected a multiple of {replicas} replicas, 2 or more each. Received: {batch_size}"
        )
    check_labels(config, data)
    # What `auto` stands for, which a sweep does not know yet, does not matter here.
    usual = usual_changes(FIGURES, colour=False)
    declared = with_usual(config.invariances, usual) if _changes_images(config) else ""
    if data.image_shape[-1] == 1:
        for name, text in (("augmentation", config.augmentation), ("invariances", declared)):
            if changed := [kind for kind in OF_COLOUR if kind in named_in(text)]:
                raise UserError(
                    f"--{name}: expected no {changed[0]} for {data.name}, whose images are grey. "
                    f"Received: {getattr(config, name)!r}"
                )
    if declared and config.invariance_weight:
        parts = len(parse_invariances(declared, LatentLayout.parse(config.latents)))
        if batch_size // replicas < parts:
            raise UserError(
                f"--batch_size: expected {parts * replicas} or more, as each of the {parts} parts of --invariances is "
                f"tried on images of its own. Received: {batch_size}"
            )
    if config.starts > 1 and workers:
        raise UserError(f"--starts: expected 1 with --strategy=multiworker. Received: {config.starts}")
    if config.jit_compile == "true" and replicas > 1:
        raise UserError(f"--jit_compile: expected false with several replicas, here {replicas}. Received: true")


def check_labels(config: Config, data: ImageData) -> None:
    """Raises a UserError where a model is told labels, and the images have none, or others than its latents say."""
    path = MODELS[config.model].path
    by_label, by_number = constant(f"{path}.TOLD") == "label", "labelled" in parameters(f"{path}.compile")
    if not by_label and not by_number and not config.labelled:
        return
    option = f"--model={config.model}" if by_label else f"--labelled={config.labelled}"
    if data.train.labels is None:
        raise UserError(f"{option}: expected images with labels (docs/data.md). Received: {data.name}, which has none")
    count = max(len(data.label_names), int(data.train.labels.max()) + 1)
    images = np.bincount(data.train.labels, minlength=count)
    if not images.all():
        missing = int(images.argmin())
        name = repr(data.label_names[missing]) if data.label_names else missing
        raise UserError(
            f"{option}: expected training images of every label. Received: {data.name}, without one of {name}"
        )
    kinds = ("label",) if by_label else ("cat", "class")
    kind, classes = next(each for each in read_latents(config.latents).all_codes.values() if each[0] in kinds)
    if classes != count:
        raise UserError(
            f"--latents: expected {kind}:{count} with {option}, as the images of {data.name} have {count} labels. "
            f"Received: {config.latents!r}"
        )
    most = int(images.min()) * count
    if not by_label and not count <= config.labelled <= most:
        raise UserError(
            f"--labelled: expected {count} to {most:,}, as many of each of the {count} labels of {data.name}. "
            f"Received: {config.labelled:,}"
        )


def write_animation(run: RunDirectory, model: GenerativeModel) -> None:
    """Writes samples/training.gif: what the first code drew, or the samples, epoch by epoch."""
    name = model.layout.codes[0].name if model.layout.codes else "samples"
    frames = [frame for frame in map(pictures.read_png, run.pictures(name).values()) if frame is not None]
    if frames:
        alike = [frame for frame in frames if frame.shape == frames[-1].shape]
        pictures.write_gif(run.samples / "training.gif", alike)
