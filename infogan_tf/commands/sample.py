"""--mode=sample: draws from a run, some codes fixed or varied if wanted, or once more what was drawn before."""

from pathlib import Path

from infogan_tf.commands.output import writing_to
from infogan_tf.commands.requests import sample_request
from infogan_tf.config.options import Config
from infogan_tf.reports import drawing
from infogan_tf.runs.records import existing_run
from infogan_tf.runs.restored import restored_model


def sample(config: Config, given: dict[str, object], argv: list[str]) -> Path:
    """Draws `count` images from a run: a grid, an animation, an array, or a folder of pictures.

    Raises:
        UserError: For bad input, or where the output cannot be written; nothing is left of it then.
    """
    run, kept = existing_run(config.run_dir, given, may_change=("seed",))
    plan, output, suffix = sample_request(config, given, kept, run.image_shape())
    model = restored_model(run, kept)
    with writing_to(str(output)):
        written = drawing.WRITERS[suffix](output, model, plan)
    print(f"Wrote {written}.")
    return output
