"""What each command refuses by its flags and files alone: asked before TensorFlow, which takes seconds, is imported."""

from collections.abc import Callable, Mapping
from pathlib import Path

from infogan_tf.commands.output import codes_output, comparison_output, new_output
from infogan_tf.commands.requests import sample_request
from infogan_tf.config.grid import parse_seeds
from infogan_tf.config.options import Config, run_fields
from infogan_tf.config.source import constant
from infogan_tf.data import LOADERS, OF_FILES
from infogan_tf.data.sources import is_fixed, name_of, read_source, refuse_within
from infogan_tf.errors import UserError
from infogan_tf.evaluation.record import read_evaluation
from infogan_tf.files import newest_version
from infogan_tf.latents.language import read_latents
from infogan_tf.models import MODELS
from infogan_tf.models.choices import check_options
from infogan_tf.runs.choice import read_choice
from infogan_tf.runs.claims import check_new
from infogan_tf.runs.metrics_file import read_lines
from infogan_tf.runs.records import (
    MAY_CHANGE,
    OF_OTHER_IMAGES,
    existing_run,
    folders_of_runs,
    require_checkpoint,
    require_images_there,
)
from infogan_tf.runs.start import check_start
from infogan_tf.runs.sweeps import existing_sweep, planned_runs


def refuse(
    config: Config, given: dict[str, object], resolved: Callable[[Mapping[str, object]], Config] | None = None
) -> None:
    """Raises the UserError of the command that `config` asks for; writes nothing, and does nothing else.

    Args:
        config: The options; of a new run as they are resolved.
        given: Those that the user gave.
        resolved: Gives the options of a new run for which some are given; a sweep asks for each of its runs.
    """
    try:
        _BY_MODE[config.mode](config, given, resolved)
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise UserError(f"{error.filename or 'this folder'}: cannot be read ({error.strerror or error})") from error


def _train(config, given, resolved):
    if config.resume:
        _check_begun(config.run_dir, given)
    else:
        _check_beginning(config, config.run_dir)
        check_new(config.run_dir, name_of(config.dataset))


def _check_beginning(config, run_dir):
    """Of a new run, but for its folder."""
    refuse_within(run_dir or "runs", config.dataset, "run_dir")
    check_options(config)
    if config.start_from:
        check_start(config)
    _check_labels(config)


def _check_begun(run_dir, given):
    """Of a run that goes on."""
    run, kept = existing_run(run_dir, given, MAY_CHANGE)
    _check_files(run, kept)
    require_images_there(run, kept)
    refuse_within(run_dir, kept.dataset, "run_dir")
    _check_labels(kept)


def _check_labels(config):
    if config.labels:
        from infogan_tf.data.labels import read_table  # needs NumPy, which --help does not wait for

        read_table(config.labels)


def _sweep(config, given, resolved):
    if "seed" in given:
        raise UserError(f"--seed: expected --seeds=0,1,2 with --mode=sweep. Received: --seed={given['seed']}")
    if config.dry_run and not config.run_dir:
        raise UserError("--run_dir: expected the folder that the runs are to lie in, with --dry_run. Received none")
    plan = planned_runs(config, given, config.run_dir)
    for each in plan[:: len(parse_seeds(config.seeds))]:  # one seed is refused for what all are
        _check_beginning(resolved(each.options), config.run_dir)
    if not config.resume:
        check_new(config.run_dir, name_of(config.dataset))
        return
    existing_sweep(config, given, plan)
    for each in plan:
        if each.is_begun():
            _check_begun(str(each.run), each.options)
        else:
            check_new(str(each.run), name_of(config.dataset))


def _evaluate(config, given, resolved):
    if config.evaluation == "none":
        raise UserError("--evaluation: expected quick or full with --mode=evaluate. Received: 'none'")
    if config.samples:
        _measure_pictures(config, given)
        return
    if config.output:
        raise UserError(f"--output: expected with --samples; a run has its own files. Received: {config.output!r}")
    run, kept = existing_run(config.run_dir, given, may_change=("data_dir", "cache_dir", "labels"))
    require_checkpoint(run)
    read_lines(run.metrics_file)
    read_choice(run.choice_file, kept.starts)
    require_images_there(run, kept)
    _check_labels(kept)


def _measure_pictures(config, given):
    if config.run_dir:
        raise UserError(f"--run_dir, --samples: expected one of them. Received: {config.run_dir!r}, {config.samples!r}")
    _refuse_run_options(given, "--samples", ("dataset", "data_dir", *OF_FILES))
    if is_fixed(config.dataset, LOADERS):
        for name in OF_FILES:
            if name in given:
                raise UserError(f"--{name}: --dataset={config.dataset} is as it is. Received: {given[name]}")
    _check_labels(config)
    pictures = read_source(config.samples, {}, flag="samples").path
    output = new_output(config.output or "samples.json", (".json",), "a new .json file")
    for images in (config.dataset, str(pictures)):
        refuse_within(str(output), images, "output")


def _compare(config, given, resolved):
    _refuse_run_options(given, "--mode=compare")
    comparison_output(config.output)
    for folder in folders_of_runs(config.runs):
        run, kept = existing_run(str(folder), {}, flag="runs")
        _check_files(run, kept)


def _sample(config, given, resolved):
    run, kept = existing_run(config.run_dir, given, may_change=("seed",))
    require_checkpoint(run)
    sample_request(config, given, kept, run.image_shape())


def _encode(config, given, resolved):
    run, kept = existing_run(config.run_dir, given, OF_OTHER_IMAGES)
    if not constant(f"{MODELS[kept.model].path}.READS"):
        raise UserError(
            f"--run_dir: expected a run that reads something in images. Received: {str(run)!r}, of "
            f"--model={kept.model}, which reads nothing"
        )
    require_checkpoint(run)
    _check_files(run, kept)
    from infogan_tf.data.decoding import read_crop, read_ground

    read_crop(kept.crop), read_ground(kept.background)
    read_source(kept.dataset, LOADERS)
    output, _ = codes_output(config.output, kept.dataset, read_latents(kept.latents).all_codes)
    # With --dataset the run's own images are others: what lay there would keep it from going on.
    refuse_within(str(output), existing_run(config.run_dir, {})[1].dataset, "output")


def _export(config, given, resolved):
    run, kept = existing_run(config.run_dir, given, may_change=("export_precision",))
    require_checkpoint(run)
    _check_files(run, kept)


def _explore(config, given, resolved):
    sources = [name for name in ("run_dir", "saved_model", "url") if getattr(config, name)]
    if len(sources) != 1:
        raise UserError(
            "--run_dir, --saved_model, --url: expected one of them with --mode=explore. "
            f"Received: {', '.join(f'--{name}' for name in sources) or 'none'}"
        )
    from infogan_tf.explorer.local_server import check_host
    from infogan_tf.explorer.remote import read_url

    check_host(config.host)
    if config.run_dir:
        run, kept = existing_run(config.run_dir, given)
        require_checkpoint(run)
        _check_files(run, kept)
        return
    _refuse_run_options(given, f"--{sources[0]}")
    if config.url:
        read_url(config.url)
    if config.saved_model and not (newest_version(Path(config.saved_model)) / "saved_model.pb").is_file():
        raise UserError(
            "--saved_model: expected the folder of a SavedModel, or of its versions, with a saved_model.pb. "
            f"Received: {config.saved_model!r}"
        )


def _check_files(run, kept):
    """Reads what a run's training and evaluation noted, for what is wrong with it."""
    run.image_shape()
    read_lines(run.metrics_file)
    read_choice(run.choice_file, kept.starts)
    read_evaluation(run.evaluation_file, read_latents(kept.latents).all_codes)


def _refuse_run_options(given, where, but=()):
    """Raises a UserError for an option that says what a run is, where none is made or taken up; `but` are read."""
    for field in run_fields():
        if field.name in given and field.name not in but:
            raise UserError(f"--{field.name}: expected with a run. Received: with {where}, which does not read it")


_BY_MODE = {
    "train": _train,
    "sweep": _sweep,
    "evaluate": _evaluate,
    "compare": _compare,
    "sample": _sample,
    "encode": _encode,
    "export": _export,
    "explore": _explore,
}
