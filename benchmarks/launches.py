"""What the host starts for a train step: TensorFlow's operations, a step that XLA compiles, and many as one program.

python benchmarks/launches.py --recipes=mnist-paper,mnist-invariant --json=out.json

It needs no GPU. Of the step as TensorFlow runs it, operation by operation, it counts what the graph has as it is
traced, before TensorFlow's own optimiser, but for constants, names and shapes, which start nothing on a device. Of the
step in a program of several it counts what is left once XLA has fused: each of these is a kernel on a GPU, whose XLA
fuses a little otherwise than a CPU's. What TensorFlow's runtime starts is the operations without XLA, one call a step
with it, and one call a program here; XLA's own runtime starts the kernels within, on a GPU in groups that were recorded
before (CUDA graphs).
"""

import dataclasses
import time

from absl import app, flags
from common import define_flags, recipes, report
from started import kernels, operations

FLAGS = flags.FLAGS
define_flags(recipes=None, at_once=50)


def measure(name: str, config, image_shape) -> dict[str, object]:
    """A row of the table."""
    import tensorflow as tf

    from infogan_tf.models.build import build_model
    from infogan_tf.models.program import Program

    model = build_model(dataclasses.replace(config, jit_compile="true"), image_shape, "float32")
    batches = tf.zeros((FLAGS.at_once, config.batch_size, *image_shape), tf.uint8)
    step = tf.function(model.train_step, autograph=False).get_concrete_function(batches[0])
    started = time.perf_counter()
    text = Program(model, None).program.experimental_get_compiler_ir(batches)(stage="optimized_hlo")
    before, found = operations(step), kernels(text)
    return {
        "recipe": name,
        "operations": before,
        "kernels with XLA": found,
        "operations / kernels": before / found,
        "TensorFlow starts, a step": 1 / FLAGS.at_once,
        "compiled in, s": time.perf_counter() - started,
    }


def main(_):
    """Prints the table."""
    known = recipes()
    rows = [measure(name, *known[name]) for name in FLAGS.recipes or known]
    report(f"a step of each recipe, {FLAGS.at_once} in a program", rows)


if __name__ == "__main__":
    app.run(main)
