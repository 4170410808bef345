"""What is done with trained runs, a function for each --mode: measure, compare, draw, export again."""

import math
from pathlib import Path

import numpy as np

from infogan_tf import pictures
from infogan_tf.comparison import comparison_page, find_runs
from infogan_tf.config import Config
from infogan_tf.data import load_data
from infogan_tf.errors import UserError
from infogan_tf.evaluate import evaluate_run
from infogan_tf.export import export_saved_model
from infogan_tf.files import write_text
from infogan_tf.latents import LatentLayout
from infogan_tf.run_directory import existing_run
from infogan_tf.training import restored_model


def evaluate(config: Config, given: dict[str, object]) -> Path:
    """Measures a run's newest checkpoint and writes its report.

    Raises:
        UserError: for bad input; nothing was written then.
    """
    if config.evaluation == "none":
        raise UserError("--evaluation: expected quick or full with --mode=evaluate. Received: 'none'")
    run, kept = existing_run(config.run_dir, given, may_change=("data_dir",))
    model = restored_model(run, kept)
    data = load_data(kept.dataset, kept.data_dir)
    if data.image_shape != model.image_shape:
        raise UserError(
            f"--run_dir: expected a run on images of {kept.dataset}, {data.image_shape}. "
            f"Received: {str(run)!r}, of images {model.image_shape}"
        )
    evaluate_run(model, data, kept, run, "full" if config.evaluation == "auto" else config.evaluation)
    print(f"Wrote {run.report}.")
    return run.report


def compare(config: Config, given: dict[str, object]) -> Path:
    """Writes one page about several runs.

    Raises:
        UserError: for bad input; nothing was written then.
    """
    output = _new_file(config.output or "compare.html", ".html")
    write_text(output, comparison_page(find_runs(config.runs)))
    print(f"Wrote {output}.")
    return output


def _new_file(name: str, suffix: str) -> Path:
    output = Path(name)
    if output.suffix != suffix or output.exists() or not output.absolute().parent.is_dir():
        raise UserError(
            f"--output: expected a new {suffix} file in a folder that exists. Received: {name!r}"
            + (", which exists" if output.exists() else "")
        )
    return output


def sample(config: Config, given: dict[str, object]) -> Path:
    """Draws `count` images from a run into one PNG, some codes fixed if wanted.

    Raises:
        UserError: for bad input; nothing was written then.
    """
    run, kept = existing_run(config.run_dir, given, may_change=("seed",))
    output = _new_file(config.output or "grid.png", ".png")
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
        try:
            number = int(value) if code.discrete else float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or (code.discrete and not 0 <= number < code.num_classes):
            wanted = f"a class from 0 to {code.num_classes - 1}" if code.discrete else "a number"
            raise UserError(f"--codes: expected {wanted} for {name}. Received: {item!r}")
        fixed[name] = number
    return fixed
