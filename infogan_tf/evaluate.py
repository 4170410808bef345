"""Measures a trained model and writes what came out: evaluation.json, report.html, and scalars for TensorBoard."""

import json

import tensorflow as tf

from infogan_tf.callbacks import read_lines
from infogan_tf.config import Config, read_json
from infogan_tf.data import ImageData
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.files import write_text
from infogan_tf.measure import SETTINGS, Material, measure
from infogan_tf.models import InfoGAN
from infogan_tf.report import report_page
from infogan_tf.run_directory import RunDirectory
from infogan_tf.starts import choice_note


def evaluate_run(model: InfoGAN, data: ImageData, config: Config, run: RunDirectory, setting: str) -> Evaluation:
    """Measures `model` and writes the results into the run's folder, over those of an earlier evaluation.

    Args:
        model: the run's, computing in float32.
        data: that it was trained on.
        config: of the run.
        run: its folder.
        setting: one of measure.SETTINGS.
    """
    step = int(model.step.numpy())
    print(f"Evaluating step {step:,} ({setting}).")
    material = Material(model, data, SETTINGS[setting])
    found = measure(material, step)
    if step < config.steps:
        found.notes.append(f"The run is not finished: this is step {step:,} of {config.steps:,}.")
    if note := choice_note(run):
        found.notes.append(note)
    for note in found.notes:
        print(f"  {note}")
    write_text(run.evaluation_file, json.dumps(found.to_json(), indent=2) + "\n")
    page = report_page(material, found, run, read_lines(run.metrics_file), read_json(run.config_file))
    write_text(run.report, page)
    writer = tf.summary.create_file_writer(str(run.tensorboard))
    with writer.as_default(step=step):
        for name, value in found.figures.items():
            tf.summary.scalar(f"evaluation/{name}", value)
    writer.close()
    return found
