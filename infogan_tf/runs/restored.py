"""A run's model, as it was last saved."""

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.models.base import GenerativeModel
from infogan_tf.models.build import build_model
from infogan_tf.runs.checkpoints import Checkpoints
from infogan_tf.runs.directory import RunDirectory


def restored_model(run: RunDirectory, config: Config) -> GenerativeModel:
    """The run's model at its newest whole checkpoint, in float32.

    Raises:
        UserError: Where there is none.
    """
    model = build_model(config, run.image_shape())
    if Checkpoints(run.checkpoints).restore(model) is None:
        raise UserError(f"--run_dir: expected a run with a checkpoint. Received: {str(run)!r}, which has none yet")
    return model.float32_twin()
