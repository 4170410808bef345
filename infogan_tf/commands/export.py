"""--mode=export: exports a run again, as the next version."""

from pathlib import Path

from infogan_tf.commands.images import form_of
from infogan_tf.config.options import Config
from infogan_tf.data.sources import name_of
from infogan_tf.errors import UserError
from infogan_tf.evaluation.record import read_evaluation
from infogan_tf.export import export_saved_model
from infogan_tf.export.metadata import weights_digest
from infogan_tf.files import read_json, versions
from infogan_tf.latents.language import read_latents
from infogan_tf.models import MODELS
from infogan_tf.models.base import GenerativeModel
from infogan_tf.models.choices import taken
from infogan_tf.runs.claims import at_work
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import existing_run
from infogan_tf.runs.restored import restored_model


def export(config: Config, given: dict[str, object], argv: list[str]) -> Path:
    """Exports a run's newest checkpoint as the next version.

    Raises:
        UserError: For bad input; nothing was written then.
    """
    run, kept = existing_run(config.run_dir, given, may_change=("export_precision",))
    with at_work(run):
        path = export_run(restored_model(run, kept), kept, run)
    print(f"Exported {path}.")
    return path


def export_run(model: GenerativeModel, config: Config, run: RunDirectory, base: Path | None = None) -> Path:
    """Exports the run's model as the next version, with its options and, where it was evaluated, what was found.

    Args:
        model: The run's.
        config: Of the run.
        run: Its folder.
        base: The folder of versions; None is the run's own.
    """
    evaluation = read_evaluation(run.evaluation_file, read_latents(config.latents).all_codes)
    options = taken(config)
    options |= {"dataset": name_of(config.dataset)}
    for place in ("data_dir", "cache_dir", "labels", "start_from"):
        options.pop(place, None)  # of no use to others, who need not know this machine's folders
    return export_saved_model(
        model,
        base or run.export,
        config.export_precision,
        name_of(config.dataset),
        options,
        evaluation.to_json() if evaluation else None,
        MODELS[config.model].title,
        form_of(config, model.image_shape),
    )


def is_exported(run: RunDirectory, model: GenerativeModel) -> bool:
    """Whether the newest export has the weights of `model`, which computes in float32."""
    exports = versions(run.export)
    if not exports:
        return False
    try:
        metadata = read_json(run.export / str(exports[-1]) / "assets.extra" / "metadata.json")
    except UserError:
        return False
    return metadata.get("weights") == weights_digest(model)
