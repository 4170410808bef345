"""Whether XLA compiles the train step, and how many steps at once."""

import dataclasses
import math

import tensorflow as tf

from infogan_tf.config.options import Config

# Compiling took a GPU's host half a minute, in which some 3,000 steps are made without (docs/speed.md).
PAYS_FROM = 5_000
# The training curves have a point so often; nothing looks more often at a run.
MOST_AT_ONCE = 50
# Bytes of the images of all steps of a program, which lie on the GPU, while as many are read ahead.
MOST_BYTES = 2**26


@dataclasses.dataclass(frozen=True)
class Compilation:
    """How the train step is run.

    Attributes:
        jit_compile: Whether XLA compiles it.
        steps_per_execution: How many steps are one program.
        reason: Why, in words.
    """

    jit_compile: bool
    steps_per_execution: int
    reason: str

    def __str__(self) -> str:
        if not self.jit_compile:
            return f"steps without XLA ({self.reason})"
        many = self.steps_per_execution
        return f"{f'{many} steps at once' if many > 1 else 'each step'} compiled by XLA ({self.reason})"


def choose_compilation(config: Config, image_shape: tuple[int, int, int], replicas: int) -> Compilation:
    """How the train step of a run is compiled.

    Args:
        config: Of the run.
        image_shape: Height, width and channels.
        replicas: How many devices share every batch; XLA compiles for one alone.
    """
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    if config.jit_compile != "auto":
        compiled, reason = config.jit_compile == "true", "as asked for"
    elif not has_gpu:
        compiled, reason = False, "a CPU is faster without"
    elif replicas > 1:
        compiled, reason = False, "several devices share every batch"
    else:
        compiled, reason = config.steps >= PAYS_FROM, f"compiling pays from {PAYS_FROM:,} steps on"
    # A CPU gains nothing by several steps at once, and would answer Ctrl-C after the last of them.
    at_once = _steps_at_once(config, math.prod(image_shape)) if compiled and has_gpu else 1
    return Compilation(compiled, at_once, reason)


def _steps_at_once(config, image_bytes):
    """Steps that nobody needs to look into: curves, figures and checkpoints come after a multiple of them."""
    most = math.gcd(MOST_AT_ONCE, config.eval_every, config.checkpoint_every)
    fit = max(1, MOST_BYTES // (config.batch_size * config.d_updates * image_bytes))
    return max(steps for steps in range(1, most + 1) if most % steps == 0 and steps <= fit)
