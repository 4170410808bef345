"""What the host starts for a train step: TensorFlow's operations, a step that XLA compiles, and many as one program.

python benchmarks/launches.py --recipes=mnist-paper,mnist-invariant --json=out.json

It needs no GPU. Of the step as TensorFlow runs it, operation by operation, it counts what the optimised graph has but
for constants, names and shapes, which start nothing on a device. Of the step in a program of several it counts what is
left once XLA has fused: each of these is a kernel on a GPU, whose XLA fuses a little otherwise than a CPU's. What
TensorFlow's runtime starts is the operations without XLA, one call a step with it, and one call a program here; XLA's
own runtime starts the kernels within, on a GPU in groups that were recorded before (CUDA graphs).
"""

import dataclasses
import re
import time

from absl import app, flags
from common import define_flags, recipes, report

FLAGS = flags.FLAGS
define_flags(recipes=None, at_once=50)

# Names, constants and shapes, and what reads a variable's place: nothing of these is started on a device.
_NO_LAUNCH = {
    "Const", "Identity", "IdentityN", "NoOp", "Placeholder", "ReadVariableOp", "VarHandleOp", "Shape", "Reshape",
    "ExpandDims", "Squeeze", "_Arg", "_Retval", "StopGradient", "PreventGradient", "BroadcastGradientArgs", "Size",
    "ShapeN", "Rank", "ConcatOffset", "StatelessRandomGetKeyCounter", "InvertPermutation",
}  # fmt: skip
# The same in XLA's programs.
_NO_KERNEL = {
    "parameter", "constant", "tuple", "get-tuple-element", "bitcast", "opt-barrier", "partition-id", "replica-id",
}  # fmt: skip
_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?[\w.-]+ = (?:\(.*?\)|\S+) ([a-z][\w-]*)\(")


def operations(function) -> int:
    """How many operations of a traced function start something on a device, those of its branches among them."""
    definition = function.graph.as_graph_def()
    nodes = [*definition.node, *(node for each in definition.library.function for node in each.node_def)]
    return sum(node.op not in _NO_LAUNCH for node in nodes)


def kernels(text: str) -> int:
    """How many kernels the loop of an optimised program of XLA runs in one round, branches among them."""
    computations, name = {}, None
    for line in text.splitlines():
        if line.endswith("{") and not line.startswith(" "):
            name = re.match(r"(?:ENTRY )?%?([\w.-]+)", line)[1]
            computations[name] = []
        elif name and (found := _INSTRUCTION.match(line)):
            computations[name].append((found[1], line))
    body = next(re.search(r"body=%?([\w.-]+)", line)[1] for line in _lines(computations) if " while(" in line)
    return _launched(computations, body)


def _lines(computations):
    return [line for each in computations.values() for _, line in each]


def _launched(computations, name):
    """Of one computation, and of those that it branches into or calls."""
    count = 0
    for kind, line in computations[name]:
        inner = re.findall(r"(?:body|to_apply|true_computation|false_computation)=%?([\w.-]+)", line)
        inner += re.findall(r"%?([\w.-]+)", (re.search(r"branch_computations=\{([^}]*)\}", line) or [None, ""])[1])
        if kind in ("while", "conditional", "call"):
            count += sum(_launched(computations, each) for each in inner)
        elif kind not in _NO_KERNEL:
            count += 1
    return count


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
