"""--mode=evaluate: measures a run and writes what came out: evaluation.json, report.html, scalars for TensorBoard."""

import shlex
from pathlib import Path

import tensorflow as tf

from infogan_tf.commands.images import images_of, pictures_of
from infogan_tf.commands.output import new_output, writing_to
from infogan_tf.config.options import Config
from infogan_tf.data.images import ImageData
from infogan_tf.environment.invocation import command_words
from infogan_tf.errors import UserError, printable
from infogan_tf.evaluation.figures import describe, title_of
from infogan_tf.evaluation.material import SETTINGS, Material
from infogan_tf.evaluation.measure import measure
from infogan_tf.evaluation.measure_pictures import measure_pictures
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.files import as_json, new_file, read_json, versions, write_text, written_by_tensorflow
from infogan_tf.models import MODELS
from infogan_tf.models.base import GenerativeModel
from infogan_tf.reports.run_page import report_page
from infogan_tf.runs.claims import at_work
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import read_lines
from infogan_tf.runs.records import existing_run, require_same_images, require_same_labels
from infogan_tf.runs.restored import restored_model
from infogan_tf.training.starts import choice_note


def evaluate(config: Config, given: dict[str, object], argv: list[str]) -> Path:
    """Measures a run's newest checkpoint and writes its report; or pictures that any program drew.

    Raises:
        UserError: For bad input; nothing was written then.
    """
    setting = "full" if config.evaluation == "auto" else config.evaluation
    if config.samples:
        return evaluate_pictures(config, setting)
    run, kept = existing_run(config.run_dir, given, may_change=("data_dir", "cache_dir", "labels"))
    with at_work(run):
        model = restored_model(run, kept)
        data = images_of(kept)
        require_same_images(run, data)
        require_same_labels(run, data)
        if data.image_shape != model.image_shape:
            raise UserError(
                f"--run_dir: expected a run on images of {kept.dataset}, {data.image_shape}. "
                f"Received: {str(run)!r}, of images {model.image_shape}"
            )
        evaluate_run(model, data, kept, run, setting)
    print(f"Wrote {run.report}.")
    if versions(run.export):
        again = [*command_words(argv[0]), "--mode=export", f"--run_dir={run.path}"]
        print(f"The export's model card has the figures from before; one with these: {shlex.join(again)}")
    return run.report


def evaluate_pictures(config: Config, setting: str) -> Path:
    """Measures the pictures that --samples names against a data set, and writes the figures into a new file.

    Args:
        config: The options.
        setting: How much is measured, one of measure.SETTINGS.

    Raises:
        UserError: For bad input; nothing was written then.
    """
    output = new_output(config.output or "samples.json", (".json",), "a new .json file")
    data = images_of(config)
    pictures, count, unread = pictures_of(config, data.image_shape, SETTINGS[setting].images)
    found = measure_pictures(pictures, data, SETTINGS[setting], config.cache_dir)
    height, width, channels = data.image_shape
    about = f"{len(pictures):,} of {count:,} pictures, {height} x {width}, {'grey' if channels == 1 else 'in colour'}"
    found.notes.insert(0, f"{about}{f'; {unread:,} could not be read' if unread else ''}.")
    for name, value in found.figures.items():
        print(f"  {title_of(name)}: {describe(name).text(value, found.stderrs.get(name))}")
    for note in found.notes:
        print(f"  {printable(note)}")
    facts = {"samples": str(Path(config.samples).expanduser().absolute()), "dataset": config.dataset}
    with writing_to(str(output)), new_file(output) as temporary:
        temporary.write_text(as_json(facts | found.to_json()), encoding="utf-8")
    print(f"Wrote {output}.")
    return output


def evaluate_run(
    model: GenerativeModel, data: ImageData, config: Config, run: RunDirectory, setting: str
) -> Evaluation:
    """Measures `model` and writes the results into the run's folder, over those of an earlier evaluation.

    Args:
        model: The run's model, computing in float32.
        data: The data set that it was trained on.
        config: The run's options.
        run: The run's folder.
        setting: How much is measured, one of measure.SETTINGS.
    """
    step = int(model.step.numpy())
    print(f"Evaluating step {step:,} ({setting}).")
    material = Material(model, data, SETTINGS[setting], config.cache_dir, config.labelled)
    found = measure(material, step)
    if step < config.steps:
        found.notes.append(f"The run is not finished: this is step {step:,} of {config.steps:,}.")
    if note := choice_note(run, config):
        found.notes.append(note)
    for note in found.notes:
        print(f"  {printable(note)}")
    write_text(run.evaluation_file, as_json(found.to_json()))
    title = f"{MODELS[config.model].title} on {data.name}"
    page = report_page(title, material, found, run, read_lines(run.metrics_file), read_json(run.config_file))
    write_text(run.report, page)
    with written_by_tensorflow(run.tensorboard):
        writer = tf.summary.create_file_writer(str(run.tensorboard))
        with writer.as_default(step=step):
            for name, value in found.figures.items():
                tf.summary.scalar(f"evaluation/{name}", value)
        writer.close()
    return found
