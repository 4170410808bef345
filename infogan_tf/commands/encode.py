"""--mode=encode: what a run reads in images, codes or noise, as a table, or as the images sorted by class."""

import contextlib
from pathlib import Path

from infogan_tf.commands.images import form_by_options, images_in_order
from infogan_tf.commands.output import FILE_BYTES, NAME_BYTES, NUMBER_BYTES, codes_output, require_space, writing_to
from infogan_tf.config.options import Config
from infogan_tf.evaluation.record import read_evaluation
from infogan_tf.latents.language import read_latents
from infogan_tf.models.base import GenerativeModel
from infogan_tf.reports import reading
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import OF_OTHER_IMAGES, existing_run
from infogan_tf.runs.restored import restored_model


def encode(config: Config, given: dict[str, object], argv: list[str]) -> Path:
    """Reads the codes of every image of a data set, the run's own if none is given.

    The images are made to be of the run's height, width and channels, with its crop and background unless others are
    given.

    Raises:
        UserError: For bad input, or where the output cannot be written; nothing is left of it then.
    """
    run, kept = existing_run(config.run_dir, given, OF_OTHER_IMAGES)
    latents = read_latents(kept.latents)
    codes = latents.all_codes
    output, suffix = codes_output(config.output, kept.dataset, codes)
    model = restored_model(run, kept)
    form = form_by_options(kept, run.image_shape())
    with contextlib.closing(images_in_order(kept, form)) as images:
        size = len(images) * (NAME_BYTES + 2 * NUMBER_BYTES * (len(codes) + latents.noise))
        if suffix == "":
            each = len(images) * FILE_BYTES + (0 if images.can_be_linked else images.bytes)
            size += each * sum(bool(classes) for _, classes in codes.values())
        require_space(output, size)
        with writing_to(str(output)):
            written = reading.WRITERS[suffix](output, model, images, form, _class_names(run, model))
    print(f"Wrote {written}.")
    return output


def _class_names(run: RunDirectory, model: GenerativeModel) -> dict[str, list[str]]:
    """By code, what an evaluation of these weights calls each class; empty where nothing is known."""
    found = read_evaluation(run.evaluation_file, read_latents(model.layout.text).all_codes)
    if found is None or found.step != int(model.step.numpy()):
        return {}
    return {name: facts["classes"] for name, facts in found.codes.items() if any(facts.get("classes", ()))}
