"""What each command refuses by its flags and files alone: asked before TensorFlow, which takes seconds, is imported."""

from infogan_tf.commands.output import new_output, sample_output
from infogan_tf.config.grid import combinations, parse_grid, parse_seeds
from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.latents.language import read_latents, read_values
from infogan_tf.models.choices import check_options
from infogan_tf.runs.directory import MAY_CHANGE, check_new, existing_run


def refuse(config: Config, given: dict[str, object]) -> None:
    """Raises the UserError of the command that `config` asks for; writes nothing, and does nothing else.

    Args:
        config: The options; of a new run as they are resolved.
        given: Those that the user gave.
    """
    _BY_MODE[config.mode](config, given)


def _train(config, given):
    if config.resume:
        existing_run(config.run_dir, given, MAY_CHANGE)
    else:
        check_new(config.run_dir)
        check_options(config)


def _sweep(config, given):
    if "seed" in given:
        raise UserError(f"--seed: expected --seeds=0,1,2 with --mode=sweep. Received: --seed={given['seed']}")
    combinations(parse_grid(config.grid, given), parse_seeds(config.seeds))
    if not config.resume:
        check_new(config.run_dir)
        check_options(config)


def _evaluate(config, given):
    if config.evaluation == "none":
        raise UserError("--evaluation: expected quick or full with --mode=evaluate. Received: 'none'")
    existing_run(config.run_dir, given, may_change=("data_dir",))


def _compare(config, given):
    new_output(config.output or "compare.html", (".html",), "a new .html file")


def _sample(config, given):
    run, kept = existing_run(config.run_dir, given, may_change=("seed",))
    codes = read_latents(kept.latents).codes
    sample_output(config.output, config.count, run.image_shape(), bool(codes))
    read_values(config.codes, codes)


def _export(config, given):
    existing_run(config.run_dir, given, may_change=("export_precision",))


def _explore(config, given):
    sources = [name for name in ("run_dir", "saved_model", "url") if getattr(config, name)]
    if len(sources) != 1:
        raise UserError(
            "--run_dir, --saved_model, --url: expected one of them with --mode=explore. "
            f"Received: {', '.join(f'--{name}' for name in sources) or 'none'}"
        )
    if not config.host:
        raise UserError("--host: expected an address to listen on, such as 127.0.0.1. Received: ''")
    if config.run_dir:
        existing_run(config.run_dir, given)


_BY_MODE = {
    "train": _train,
    "sweep": _sweep,
    "evaluate": _evaluate,
    "compare": _compare,
    "sample": _sample,
    "export": _export,
    "explore": _explore,
}
