"""--mode=sample: draws from a run, some codes fixed if wanted."""

from pathlib import Path

from infogan_tf.commands.output import sample_output, writing_to
from infogan_tf.config.options import Config
from infogan_tf.latents.language import read_latents, read_values
from infogan_tf.reports import drawing
from infogan_tf.runs.records import existing_run
from infogan_tf.runs.restored import restored_model


def sample(config: Config, given: dict[str, object], argv: list[str]) -> Path:
    """Draws `count` images from a run, some codes fixed if wanted: a grid, an array, or a folder of pictures.

    Raises:
        UserError: For bad input, or where the output cannot be written; nothing is left of it then.
    """
    run, kept = existing_run(config.run_dir, given, may_change=("seed",))
    codes = read_latents(kept.latents).codes
    output, suffix = sample_output(config.output, config.count, run.image_shape(), bool(codes))
    fixed = read_values(config.codes, codes)
    model = restored_model(run, kept)
    with writing_to(str(output)):
        written = drawing.WRITERS[suffix](output, model, config.count, fixed)
    print(f"Wrote {written}.")
    return output
