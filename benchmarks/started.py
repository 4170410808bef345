"""What a step starts on a device, counted in TensorFlow's graph and in XLA's program."""

import re

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
