"""What is done with a finished run: draw from it, export it again."""

import math
from pathlib import Path

import numpy as np

from infogan_tf import pictures
from infogan_tf.checkpoints import Checkpoints
from infogan_tf.config import Config
from infogan_tf.errors import UserError
from infogan_tf.export import export_saved_model, float32_twin
from infogan_tf.latents import LatentLayout
from infogan_tf.models import InfoGAN
from infogan_tf.run_directory import RunDirectory, existing_run
from infogan_tf.training import build_model


def sample(config: Config, given: dict[str, object]) -> Path:
    """Draws `count` images from a run into one PNG, some codes fixed if wanted.

    Raises:
        UserError: for bad input; nothing was written then.
    """
    run, kept = existing_run(config.run_dir, given, may_change=("seed",))
    output = Path(config.output)
    if output.suffix != ".png" or output.exists() or not output.absolute().parent.is_dir():
        raise UserError(
            f"--output: expected a new .png file in a folder that exists. Received: {config.output!r}"
            + (", which exists" if output.exists() else "")
        )
    layout = LatentLayout.parse(kept.latents, kept.posterior_stddev)
    fixed = parse_codes(config.codes, layout)
    model = restored_model(run, kept)
    noise, values = layout.sample_parts(config.count, model.stream_seed("sample"))
    values |= {name: np.full(config.count, value, layout[name].dtype.as_numpy_dtype) for name, value in fixed.items()}
    columns = math.ceil(math.sqrt(config.count))
    pictures.write_png(output, pictures.tile(model.generate(layout.join(noise, values)), columns))
    print(f"Wrote {output}: {config.count} samples in rows of {columns}.")
    return output


def export(config: Config, given: dict[str, object]) -> Path:
    """Exports a run's newest checkpoint as the next version.

    Raises:
        UserError: for bad input; nothing was written then.
    """
    run, kept = existing_run(config.run_dir, given)
    path = export_saved_model(restored_model(run, kept), run.export)
    print(f"Exported {path}.")
    return path


def restored_model(run: RunDirectory, config: Config) -> InfoGAN:
    """The run's model at its newest whole checkpoint, in float32.

    Raises:
        UserError: where there is none.
    """
    layout = LatentLayout.parse(config.latents, config.posterior_stddev)
    model = build_model(config, layout, run.image_shape(), config.precision)
    if Checkpoints(run.checkpoints).restore(model) is None:
        raise UserError(f"--run_dir: expected a run with a checkpoint. Received: {str(run)!r}, which has none yet")
    return float32_twin(model)


def parse_codes(text: str, layout: LatentLayout) -> dict[str, float]:
    """Reads fixed codes such as "c1=3,c2=-1.5".

    Raises:
        UserError: where a code is unknown or a value is not one of its own.
    """
    fixed = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = item.partition("=")
        if name not in layout.entropy:
            raise UserError(
                f"--codes: expected NAME=VALUE with a name of {', '.join(layout.entropy)}. Received: {item!r}"
            )
        code = layout[name]
        allowed = code.traversal(0) if code.discrete else None
        try:
            number = int(value) if code.discrete else float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or (code.discrete and number not in allowed):
            wanted = f"a class from 0 to {len(allowed) - 1}" if code.discrete else "a number"
            raise UserError(f"--codes: expected {wanted} for {name}. Received: {item!r}")
        fixed[name] = number
    return fixed
