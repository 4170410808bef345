"""TF Serving's REST API, answered by running a SavedModel.

Paths, request and response forms, status codes and the strictness about types are those of
https://www.tensorflow.org/tfx/serving/api_rest, for the model's status, its metadata and `predict`.
"""

import base64
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from infogan_tf.errors import UserError, first_line
from infogan_tf.explorer.answers import Response
from infogan_tf.export.signatures import MOST_IMAGES

# A version is a number of 64 bits.
_ROUTE = re.compile(r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]{1,19}))?(?P<what>/metadata|:[a-z]+)?")
_STATUS = {
    tf.errors.INVALID_ARGUMENT: 400,
    tf.errors.FAILED_PRECONDITION: 400,
    tf.errors.OUT_OF_RANGE: 400,
    tf.errors.NOT_FOUND: 404,
    tf.errors.RESOURCE_EXHAUSTED: 429,
    tf.errors.UNIMPLEMENTED: 501,
}

# The least and the greatest number of each type that the API knows; of a float, also those between which it holds
# every integer.
_INTEGERS = (tf.int8, tf.uint8, tf.int16, tf.int32, tf.uint32, tf.int64, tf.uint64)
_BOUNDS = {dtype: (int(dtype.min), int(dtype.max)) for dtype in _INTEGERS}
_BOUNDS |= {dtype: (float(dtype.min), float(dtype.max)) for dtype in (tf.float32, tf.float64)}
_WHOLE = {tf.float32: (1 - 2**24, 2**24 - 1), tf.float64: (1 - 2**53, 2**53 - 1)}

# Values and lists in a request, where a name counts as ten: as Python objects they take far more memory than their
# text, and parsing them holds all threads up.
MOST_VALUES = 1_000_000
# Of the text of an answer.
MOST_BYTES = 64 * 2**20
# Numbers are written so many at a time: while one piece is, all threads are held up.
_PIECE = 2_000


class RestError(Exception):
    """A request that is refused, with its HTTP status."""

    def __init__(self, message: str, status: int = 400):
        super().__init__(message)
        self.status = status


class SavedModelRest:
    """One SavedModel under one name; `answer` may be called from many threads at once.

    Args:
        path: The folder of the SavedModel. Where its name is a number, that is the model's version, else 1 is.
        name: The model's name, as in /v1/models/<name>.

    Raises:
        UserError: Where the folder is no SavedModel for serving.
    """

    def __init__(self, path: str | Path, name: str = "infogan"):
        path = Path(path)
        self.name, self.version = name, int(path.name) if path.name.isascii() and path.name.isdigit() else 1
        try:
            loaded = tf.saved_model.load(str(path), tags=[tf.saved_model.SERVING])
            saved = SavedModel.FromString((path / tf.saved_model.SAVED_MODEL_FILENAME_PB).read_bytes())
        except (OSError, RuntimeError, ValueError, DecodeError, tf.errors.OpError) as error:
            raise UserError(
                f"expected the folder of a SavedModel for serving ({first_line(error)}). Received: {str(path)!r}"
            ) from error
        # The signatures alone would not keep the variables alive.
        self._loaded = loaded
        definitions = saved.meta_graphs[0].signature_def
        self.signatures = {key: _Signature(call, definitions[key]) for key, call in loaded.signatures.items()}
        self._classes = self._classes_of_codes()

    def _classes_of_codes(self) -> dict[bytes, int] | None:
        """By code, how many classes it has, 0 where it is a number; None where the model is not of this package."""
        try:
            metadata = json.loads(self.signatures["describe"].run({"what": np.array(b"metadata", object)})["text"])
            return {code["name"].encode(): int(code["num_classes"] or 0) for code in metadata["codes"]}
        except (AttributeError, KeyError, TypeError, ValueError, tf.errors.OpError):
            return None

    def at_once(self, method: str, path: str) -> Response | None:
        """The response to a request for which the model need not run; None where it has to."""
        try:
            found = self._route(method, path)
        except RestError as error:
            return Response.error(error.status, str(error))
        return None if found is None else Response.of(found)

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """The response to a request: JSON, of status 200, or an error as TF Serving words it."""
        found = self.at_once(method, path)
        if found is not None:
            return found
        try:
            return Response(200, self._predict(body))
        except RestError as error:
            return Response.error(error.status, str(error))
        except tf.errors.OpError as error:
            return Response.error(_STATUS.get(error.error_code, 500), _without_graph(error.message))

    def _route(self, method, path):
        """What is answered without running the model; None of a predict request."""
        match = _ROUTE.fullmatch(path)
        what = match and match["what"]
        if match is None or method != ("POST" if what and what.startswith(":") else "GET"):
            raise RestError(f"Malformed request: {method} {_shown(path)}")
        name, version = match["name"], match["version"]
        if name != self.name or (version is not None and int(version) != self.version):
            asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RestError(f"Servable not found for request: {asked}", 404)
        if what == ":predict":
            return None
        if what not in (None, "/metadata"):
            raise RestError(f"Malformed request: {method} {path}; this server answers predict")
        return self._metadata() if what else self._status()

    def _status(self):
        status = {"error_code": "OK", "error_message": ""}
        return {"model_version_status": [{"version": str(self.version), "state": "AVAILABLE", "status": status}]}

    def _metadata(self):
        signatures = {key: signature.to_json() for key, signature in self.signatures.items()}
        return {
            "model_spec": {"name": self.name, "signature_name": "", "version": str(self.version)},
            "metadata": {"signature_def": {"signature_def": signatures}},
        }

    def _predict(self, body: bytes) -> bytes:
        """The answer to the JSON body of a predict request, as JSON.

        Raises:
            RestError: Where it is malformed, or asks for too much.
            tf.errors.OpError: Where the model refuses it.
        """
        signature, form, arrays = self._read(body)
        signature.check_size(arrays, self._drawn(arrays))
        outputs = signature.run(arrays)
        return _joined(_rows_as_json(outputs) if form == "instances" else _columns_as_json(outputs))

    def _drawn(self, arrays: Mapping[str, np.ndarray]) -> int:
        """How many images `sample` or `traverse` would draw; 0 for other signatures, and for what those two refuse."""
        found, classes = 0, self._classes
        if classes is not None and {"count", "seed"} <= set(arrays):
            found = int(arrays["count"])
        elif classes is not None and {"code", "steps", "rows"} <= set(arrays) and arrays["code"].item() in classes:
            found = int(arrays["rows"]) * (classes[arrays["code"].item()] or int(arrays["steps"]))
        return found if 0 < found <= MOST_IMAGES else 0

    def _read(self, body):
        """The signature that a request asks for, in which form, and its inputs as arrays."""
        values = sum(map(body.count, (b",", b"[", b"{"))) + 10 * body.count(b":")
        if values > MOST_VALUES:
            raise RestError(f"Body: expected at most {MOST_VALUES:,} values and lists. Received: about {values:,}", 413)
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RestError(f"JSON Parse error: {error}") from error
        if not isinstance(request, dict):
            raise RestError(f"JSON Value: expected an object. Received: {_shown(request)}")
        key = request.get("signature_name", "serving_default")
        if not isinstance(key, str):
            raise RestError(f"'signature_name' key must be a string value. Received: {_shown(key)}")
        signature = self.signatures.get(key or "serving_default")
        if signature is None or not signature.inputs:
            raise RestError(f"Serving signature name: {_shown(key)} not found in signature def")
        forms = [form for form in ("instances", "inputs") if form in request]
        if len(forms) != 1:
            raise RestError(f"Expected one of 'inputs' and 'instances'. Received: {', '.join(forms) or 'neither'}")
        (form,) = forms
        return signature, form, (_from_rows if form == "instances" else _from_columns)(request[form], signature.inputs)


class _Signature:
    """A signature of the model: its inputs by name, and a function that runs it."""

    def __init__(self, call, definition: SignatureDef):
        self._call, self._definition = call, definition
        self.inputs = {
            name: tf.TensorSpec(tf.TensorShape(info.tensor_shape), info.dtype, name)
            for name, info in sorted(definition.inputs.items())
        }

    def check_size(self, arrays: Mapping[str, np.ndarray], drawn: int = 0) -> None:
        """Refuses what would make an answer of more than MOST_BYTES, before the model runs.

        Args:
            arrays: The inputs; the answer has as many rows as they have.
            drawn: Or so many, where these are more.
        """
        rows = max((array.shape[0] for array in arrays.values() if array.ndim), default=0)
        rows = max(rows, drawn)
        shapes = [output.shape for output in self._call.structured_outputs.values()]
        numbers = sum(rows * math.prod(shape[1:]) for shape in shapes if shape.rank and shape[1:].is_fully_defined())
        # A number and what parts it from the next takes three characters at least.
        if 3 * numbers > MOST_BYTES:
            raise RestError(f"{_TOO_MUCH} Received: {rows:,} rows, for which it has {numbers:,} numbers")

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        tensors = {name: tf.constant(arrays[name], spec.dtype) for name, spec in self.inputs.items()}
        return {name: value.numpy() for name, value in sorted(self._call(**tensors).items())}

    def to_json(self):
        return json_format.MessageToDict(
            self._definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )


# === From JSON ===


def _from_rows(rows, specs: Mapping[str, tf.TensorSpec]) -> dict[str, np.ndarray]:
    """Inputs of the row form: a list of objects, or of values where there is one input."""
    if not isinstance(rows, list) or not rows:
        raise RestError(f"instances: expected a list with at least one element. Received: {_shown(rows)}")
    if not _is_object(rows[0]):
        if len(specs) > 1:
            raise RestError(
                f"instances: expected a list of objects with the inputs {', '.join(specs)}. Received a list of values"
            )
        (name,) = specs
        rows = [{name: row} for row in rows]
    for i, row in enumerate(rows):
        if not isinstance(row, dict) or set(row) != set(specs):
            raise RestError(
                f"instances: expected every element with the inputs {', '.join(specs)}. Received: {_shown(row)} at {i}"
            )
    return {name: _to_array([row[name] for row in rows], spec) for name, spec in specs.items()}


def _from_columns(columns, specs: Mapping[str, tf.TensorSpec]) -> dict[str, np.ndarray]:
    """Inputs of the columnar form: an object, or the value where there is one input."""
    if not _is_object(columns):
        if len(specs) > 1:
            raise RestError(f"inputs: expected an object with {', '.join(specs)}. Received a value")
        (name,) = specs
        columns = {name: columns}
    if set(columns) != set(specs):
        raise RestError(
            f"inputs: expected {', '.join(specs)}. Received: {_shown(', '.join(columns)) if columns else 'none'}"
        )
    return {name: _to_array(columns[name], spec) for name, spec in specs.items()}


def _to_array(value, spec: tf.TensorSpec) -> np.ndarray:
    """A nested list as an array; its types have to be those of the input, and every list as long as its fellows."""
    shape, leaves = [], [value]
    while leaves and isinstance(leaves[0], list):
        size = len(leaves[0])
        if not all(isinstance(leaf, list) and len(leaf) == size for leaf in leaves):
            raise RestError(f"{spec.name}: expected lists of equal length, {size}, at depth {len(shape)}")
        shape.append(size)
        leaves = list(itertools.chain.from_iterable(leaves))
    # What follows an empty list cannot be seen: [] may have any number of columns that the model knows.
    if not leaves and spec.shape.rank is not None:
        shape += [size or 0 for size in spec.shape.as_list()[len(shape) :]]
    if not spec.shape.is_compatible_with(shape):
        raise RestError(f"{spec.name}: expected shape {spec.shape}. Received: {shape}")
    if spec.dtype not in (tf.string, tf.bool, *_BOUNDS):
        raise RestError(f"{spec.name}: {spec.dtype.name} cannot be written in JSON", 501)
    read = _to_bytes if spec.dtype == tf.string else _to_bool if spec.dtype.is_bool else _to_number
    array = np.empty(len(leaves), object if spec.dtype == tf.string else spec.dtype.as_numpy_dtype)
    array[:] = [read(leaf, spec) for leaf in leaves]
    return array.reshape(shape)


def _to_number(leaf, spec):
    """Refuses what the type cannot hold; and, as TF Serving does, an integer that a float would round."""
    if type(leaf) is not int and not (type(leaf) is float and spec.dtype.is_floating):
        raise RestError(f"{spec.name}: expected {spec.dtype.name}. Received: {_shown(leaf)}")
    low, high = _BOUNDS[spec.dtype]
    if type(leaf) is int and spec.dtype.is_floating:
        low, high = _WHOLE[spec.dtype]
    if not low <= leaf <= high and (type(leaf) is int or math.isfinite(leaf)):
        raise RestError(
            f"{spec.name}: cannot convert to {spec.dtype.name} without loss of precision. Received: {_shown(leaf)}"
        )
    return leaf


def _to_bool(leaf, spec):
    if type(leaf) is not bool:
        raise RestError(f"{spec.name}: expected {spec.dtype.name}. Received: {_shown(leaf)}")
    return leaf


def _to_bytes(leaf, spec):
    try:
        if isinstance(leaf, str):
            return leaf.encode()
        if _is_base64(leaf):
            return base64.b64decode(leaf["b64"], validate=True)
    except ValueError as error:
        raise RestError(f"{spec.name}: unable to decode ({error})") from error
    raise RestError(f'{spec.name}: expected a string or {{"b64": ...}}. Received: {_shown(leaf)}')


def _is_base64(value):
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _is_object(value):
    return isinstance(value, dict) and not _is_base64(value)


# === To JSON ===

_TOO_MUCH = f"Expected a request whose answer has at most {MOST_BYTES:,} bytes; ask for less at a time."


def _joined(pieces: Iterable[str]) -> bytes:
    """An answer's text. It is made piece by piece, so that other threads are not held up; one that is too long ends."""
    found, length = [], 0
    for piece in pieces:
        found.append(piece.encode())
        length += len(found[-1])
        if length > MOST_BYTES:
            raise RestError(f"{_TOO_MUCH} Received one that would have more")
    return b"".join(found)


def _columns_as_json(outputs: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Outputs in the columnar form; one alone comes without its name."""
    yield '{"outputs": '
    for index, (name, value) in enumerate(outputs.items()):
        if len(outputs) > 1:
            yield f"{', ' if index else '{'}{json.dumps(name)}: "
        yield from _as_json(name, value)
    yield "}}" if len(outputs) > 1 else "}"


def _rows_as_json(outputs: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Outputs in the row form: they need the same first dimension, at least 1."""
    sizes = {name: np.shape(value)[:1] for name, value in outputs.items()}
    if len(set(sizes.values())) > 1 or not all(size and size[0] for size in sizes.values()):
        raise RestError(
            "instances: expected a signature whose outputs have one first dimension, of at least 1; ask with 'inputs'. "
            f"Received: {', '.join(f'{name} {list(np.shape(value))}' for name, value in outputs.items())}"
        )
    yield '{"predictions": '
    if len(outputs) == 1:
        yield from _as_json(*next(iter(outputs.items())))
    else:
        for index, row in enumerate(zip(*outputs.values(), strict=True)):
            yield ", " if index else "["
            yield json.dumps({name: _leaves(name, value) for name, value in zip(outputs, row, strict=True)})
        yield "]"
    yield "}"


def _as_json(name: str, value: np.ndarray | bytes) -> Iterator[str]:
    """An output as nested lists, so many rows at a time."""
    if not np.ndim(value) or not np.size(value):
        yield json.dumps(_leaves(name, value))
        return
    step = max(1, _PIECE * len(value) // np.size(value))
    for start in range(0, len(value), step):
        yield (", " if start else "[") + json.dumps(_leaves(name, value[start : start + step]))[1:-1]
    yield "]"


def _leaves(name, value):
    """An output as nested lists; strings as text, or as base64 where the name ends in _bytes."""
    array = np.asarray(value, object) if isinstance(value, bytes) else np.asarray(value)
    if array.dtype != object:
        return array.tolist()
    binary = name.endswith("_bytes")
    texts = np.empty(array.size, object)
    texts[:] = [
        {"b64": base64.b64encode(leaf).decode()} if binary else leaf.decode("utf-8", "replace")
        for leaf in array.ravel()
    ]
    return texts.reshape(array.shape).tolist()


# === Words ===


def _shown(value) -> str:
    """A value of a request as JSON, cut short."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."


def _without_graph(message: str) -> str:
    """TensorFlow's message without what it says of the graph."""
    lines = message.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("<stack traces unavailable>")), -1) + 1
    lines = [line for line in lines[start:] if not line.startswith(("\t [[", "Graph execution error"))]
    return "\n".join(lines).strip() or message
