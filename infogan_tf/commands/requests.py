"""What the flags of a command ask for together, told by them and files alone."""

import dataclasses
from pathlib import Path

from infogan_tf.commands.output import LARGEST_GRID, sample_output
from infogan_tf.config.options import Config
from infogan_tf.data.sources import refuse_within
from infogan_tf.errors import UserError
from infogan_tf.latents.language import CAPTION, read_arithmetic, read_captions, read_latents, read_values
from infogan_tf.latents.plan import Plan, Sum
from infogan_tf.latents.table import columns_of, count_rows


def sample_request(
    config: Config, given: dict[str, object], kept: Config, image_shape: tuple[int, int, int]
) -> tuple[Plan | Sum, Path, str]:
    """What --mode=sample is to draw, where it goes, and the suffix that says how.

    Args:
        config: The options.
        given: Those that the user gave.
        kept: The run's own.
        image_shape: Of the run's images.

    Raises:
        UserError: Where that is not possible.
    """
    described = read_latents(kept.latents)
    if CAPTION in described.codes and any(item.strip().startswith(f"{CAPTION}=") for item in config.codes.split(",")):
        raise UserError(f"--codes: expected the {CAPTION} in --{CAPTION}='...'. Received: {config.codes!r}")
    others = {name: code for name, code in described.codes.items() if name != CAPTION}
    codes = read_captions(config.caption, described) | read_values(config.codes, others)
    plan = Plan.of_count(config.count, codes)
    if config.latents_file:
        for name in ("count", "seed"):
            if name in given:
                raise UserError(
                    f"--{name}: expected without --latents_file, which says what is drawn. Received: {given[name]}"
                )
        file = Path(config.latents_file)
        if file.exists() and not file.is_file():  # a pipe would be waited for
            raise UserError(
                f"--latents_file: expected a .csv, and no directory, pipe or device. Received: {config.latents_file!r}"
            )
        plan = Plan(count_rows(file, described), codes, file)
    if config.arithmetic:
        if plan.count > LARGEST_GRID:
            raise UserError(f"--arithmetic: expected at most {LARGEST_GRID:,} samples. Received: {plan.count:,}")
        plan = Sum(plan, *read_arithmetic(config.arithmetic, plan.count))
    elif config.numbered:
        plan = dataclasses.replace(plan, numbered=True)
    output, suffix = sample_output(config.output, plan, image_shape, len(columns_of(described)))
    refuse_within(str(output), kept.dataset, "output")
    return plan, output, suffix
