"""Asks a served model, over TF Serving's REST or gRPC API: a Python client, and a command line.

python export/client.py --url http://127.0.0.1:8501 --count 16 --c1 3 --output grid.png
python export/client.py --url grpc://127.0.0.1:8500 --traverse c2 --output c2.png
python export/client.py --url http://127.0.0.1:8501 --encode drawing.png
python export/client.py --url http://127.0.0.1:8501

The last says what the model is. Needs NumPy and, to write a grid, Pillow; for gRPC also tensorflow-serving-api. In
Python:

    with connect("http://127.0.0.1:8501") as client:
        images = client.sample(count=16, seed=0, c1=3)["images"]

The server is not trusted: it has so many seconds for a whole answer, may send so many bytes (see MOST_BYTES), sends
nobody elsewhere, and what it says is checked before it is used, shown or written.
"""

import argparse
import base64
import concurrent.futures
import contextlib
import http.client
import io
import itertools
import json
import logging
import math
import os
import re
import reprlib
import socket
import sys
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TextIO
from urllib.parse import quote

import numpy as np

Inputs = Mapping[str, object]
Outputs = dict[str, np.ndarray]

# How TensorFlow begins the message of a check inside the graph; the check's own parts follow, each in brackets.
_ASSERTION = "assertion failed: "
# Of the metadata, as export/metadata.py of the package writes them.
_FORMAT = 2
# Bytes that an answer may have: enough to describe a model of ten thousand codes, and for every number that was asked
# for as many as JSON takes at the most, with brackets and all 17 digits; but never more than 10,000 images of 64x64 in
# colour take over gRPC, or of 28x28, and mostly also of 32x32 in colour, as JSON.
BASE_BYTES, NUMBER_BYTES, MOST_BYTES = 16 * 2**20, 32, 512 * 2**20
# Of noise and continuous codes, and of a request's seconds.
LARGEST, MOST_SECONDS = 1e6, 86_400.0
# Longer messages are cut.
_MOST_SHOWN = 600
# The kind of the code whose values are text.
CAPTION = "caption"
_URL = re.compile(
    r"(?P<scheme>https?|grpc)://(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<host>[^\s\0-\x1f\x7f/?#@:%\[\]\\]{1,253}))"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
_PORTS = {"http": 80, "https": 443, "grpc": 8500}


class ClientError(Exception):
    """What went wrong, in one line that may be shown: what would steer a terminal stands there by its number."""

    def __init__(self, message: str):
        super().__init__(_plain(message))


class Refused(ClientError):
    """The server lives, and refuses the request: it is malformed, or a value is out of range."""


def connect(url: str, model: str = "infogan", timeout: float = 60.0) -> "Client":
    """A client of the model that is served at `url`; to be closed, or used in a `with` statement.

    Args:
        url: http://HOST:PORT or https://HOST:PORT for REST, grpc://HOST:PORT for gRPC.
        model: the name that it is served under.
        timeout: of a request, in seconds, from the search for the host to the last byte of the answer; at most a day.

    Raises:
        ClientError: For another form of address, or a name or a time that cannot be.
    """
    model, timeout = text_of("--model")(model), number_of("--timeout", 0.001, MOST_SECONDS)(timeout)
    scheme, host, port = _address(url)
    if scheme == "grpc":
        return Client(_Grpc(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", model, timeout))
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return Client(_Rest(lambda: kind(host, port, timeout=timeout), model, timeout))


def _address(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; a ClientError where a host or a port cannot be."""
    if parts := _URL.fullmatch(url):
        port = int(parts["port"] or _PORTS[parts["scheme"]])
        with contextlib.suppress(UnicodeError):
            host = parts["v6"] or parts["host"].encode("idna").decode()
            if 0 < port < 2**16:
                return parts["scheme"], host, port
    raise ClientError(f"--url: expected http://HOST:PORT, https://HOST:PORT or grpc://HOST:PORT. Received: {url!r}")


class Client:
    """What can be asked of the model; see export/README.md for shapes and ranges. Not for several threads at once.

    Every method raises `Refused` where the server refuses the request, and `ClientError` where it cannot be reached or
    answers anything else than what was asked for.
    """

    def __init__(self, transport: "_Rest | _Grpc"):
        self.transport = transport
        self._metadata = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self.transport.close()

    def call(self, signature: str, inputs: Inputs, most: int = MOST_BYTES) -> Outputs:
        """Any signature: its inputs and outputs as arrays by name; text is an array of bytes objects.

        Args:
            signature: its name.
            inputs: by name.
            most: bytes that the answer may have.
        """
        for name, value in inputs.items():
            if isinstance(value, str):
                text_of(name)(value)
        return self.transport.call(signature, inputs, most)

    @property
    def metadata(self) -> dict[str, object]:
        """What the model is: codes, figures, options."""
        if self._metadata is None:
            self._metadata = _read_metadata(self._described("metadata"))
        return self._metadata

    def readme(self) -> str:
        """The model card, Markdown, as the server has it; it may hold what steers a terminal."""
        return self._described("readme")

    def generate(self, noise: np.ndarray, **codes: Sequence[float | str]) -> np.ndarray:
        """Images [B, H, W, C] in [0, 1] of noise [B, n] and a value for every code, [B], a text for a caption."""
        inputs = self._latents(noise, codes)
        return self._ask("serving_default", inputs, len(np.atleast_1d(noise)), self._images)["images"]

    def generate_png(self, noise: np.ndarray, **codes: Sequence[float | str]) -> list[bytes]:
        """The same as PNG files."""
        inputs = self._latents(noise, codes)
        found = self._ask("generate_png", inputs, len(np.atleast_1d(noise)), {"png_bytes": (object, ())})
        return list(found["png_bytes"])

    def sample(self, count: int, seed: int = 0, **codes: float | str | Sequence[float | str]) -> Outputs:
        """Draws `images` [count, H, W, C] and gives the codes of each.

        Codes that are given, one value for all or `count` of them, are not drawn; a caption's values are texts.
        """
        given = {code["name"]: np.atleast_1d(codes.pop(code["name"], [])) for code in self.metadata["codes"]}
        self._refuse_others(codes)
        inputs = {"count": _int32("count", count), "seed": _int32("seed", seed), **self._typed(given)}
        outputs = {name: (kind, ()) for name, kind in self._kinds().items()}
        return self._ask("sample", inputs, int(count), self._images | outputs)

    def traverse(
        self, code: str, low: float = -2.0, high: float = 2.0, steps: int = 10, rows: int = 5, seed: int = 0
    ) -> Outputs:
        """Varies one code along each row: `images`, row by row, the `values`, and one picture, `png_bytes`."""
        self._require(any(kind is not object for kind in self._kinds().values()), "traverse", "codes that vary")
        numbers = {"low": np.float32(low), "high": np.float32(high)}
        numbers |= {"steps": _int32("steps", steps), "rows": _int32("rows", rows), "seed": _int32("seed", seed)}
        classes = {each["name"]: each["num_classes"] for each in self.metadata["codes"]}
        columns = classes.get(code) or int(steps)
        single = {"values": (np.float32, (columns,)), "png_bytes": (object, ())}
        return self._ask("traverse", {"code": code, **numbers}, int(rows) * columns, self._images, single)

    def encode(self, images: np.ndarray) -> Outputs:
        """What the codes of images [B, H, W, C] in [0, 1] are, by name of quantity."""
        self._require_reading("encode")
        images = np.asarray(images, np.float32)
        return self._ask("encode", {"images": images}, len(images), self._readings())

    def encode_png(self, files: Sequence[bytes]) -> Outputs:
        """The same of PNG, JPEG or BMP files, together of at most 67,108,864 pixels."""
        self._require_reading("encode_png")
        return self._ask("encode_png", {"image_bytes": _objects(list(files))}, len(files), self._readings())

    def _described(self, what: str) -> str:
        found = self.call("describe", {"what": what}, BASE_BYTES)
        try:
            return _checked(found, "text", object, ()).item().decode()
        except UnicodeDecodeError as error:
            raise _odd(f"{what} in UTF-8", str(error)) from error

    def _ask(self, signature: str, inputs: Inputs, rows: int, outputs, single=None) -> Outputs:
        """The outputs of these names alone.

        Args:
            signature: its name.
            inputs: by name.
            rows: images that are drawn or read.
            outputs: the type and the shape of each output, but for its rows.
            single: the same of those that have no rows.
        """
        codes = [*self.metadata["codes"], *self.metadata.get("read_classes", [])]
        # Of a row at the most: an image, what is read of each code, mean and deviation of noise that is read.
        numbers = math.prod(self.metadata["image_shape"]) + sum(2 + (code["num_classes"] or 0) for code in codes)
        if self.metadata.get("reads") == "noise":
            numbers += 2 * self.metadata["noise"]["size"]
        most = min(MOST_BYTES, BASE_BYTES + NUMBER_BYTES * max(0, rows) * numbers)
        wanted = {name: (kind, (rows, *shape)) for name, (kind, shape) in outputs.items()} | (single or {})
        found = self.call(signature, inputs, most)
        return {name: _checked(found, name, kind, shape) for name, (kind, shape) in wanted.items()}

    @property
    def _images(self):
        return {"images": (np.float32, tuple(self.metadata["image_shape"]))}

    def _readings(self):
        """The quantities that are read of an image, with type and shape."""
        found = {}
        if self.metadata.get("reads") == "noise":
            size = self.metadata["noise"]["size"]
            found = {f"noise_{what}": (np.float32, (size,)) for what in ("mean", "stddev")}
        for code in _codes_read(self.metadata):
            name, classes = code["name"], code["num_classes"]
            if code["kind"] == "bernoulli":
                found[f"{name}_probability"] = np.float32, ()
            elif classes is not None:
                found |= {f"{name}_probabilities": (np.float32, (classes,)), f"{name}_class": (np.int32, ())}
            else:
                found |= {f"{name}_mean": (np.float32, ()), f"{name}_stddev": (np.float32, ())}
        return found

    def _kinds(self):
        """By code, the type of its values; captions are text."""
        return {
            code["name"]: object if code["kind"] == CAPTION else np.float32 if code["num_classes"] is None else np.int32
            for code in self.metadata["codes"]
        }

    def _latents(self, noise, codes):
        known = {code["name"]: codes.pop(code["name"]) for code in self.metadata["codes"] if code["name"] in codes}
        self._refuse_others(codes)
        return {"noise": np.asarray(noise, np.float32), **self._typed(known)}

    def _typed(self, given):
        """Values by code, in the types of the codes."""
        kinds, made = self._kinds(), {object: _texts, np.int32: _int32, np.float32: _float32}
        return {name: made[kinds[name]](name, values) for name, values in given.items()}

    def _refuse_others(self, codes):
        if codes:
            raise ClientError(f"{next(iter(codes))}: expected {_code_of(self.metadata)}")

    def _require_reading(self, what):
        self._require(reads_images(self.metadata), what, "codes that are read from images")

    def _require(self, has, what, wanted):
        if not has:
            raise ClientError(f"{what}: expected a model with {wanted}. Received: {self.metadata['model']}, without")


def reads_images(metadata: dict) -> bool:
    """Whether a model of this metadata reads anything in images: codes, classes or noise."""
    return metadata.get("reads") == "noise" or bool(_codes_read(metadata))


def _codes_read(metadata):
    """What is read of an image, code by code; older models have no classes that are read alone."""
    return [*(code for code in metadata["codes"] if code["read"]), *metadata.get("read_classes", [])]


# === Transports ===


class _Rest:
    """TF Serving's REST API, in the columnar form, over one connection that is kept."""

    def __init__(self, connect: Callable[[], http.client.HTTPConnection], model: str, timeout: float):
        self._connect, self.connection, self.timeout = connect, connect(), timeout
        self.path = f"/v1/models/{quote(model, safe='')}"
        self._outputs = {}

    def close(self):
        self.connection.close()

    def call(self, signature: str, inputs: Inputs, most: int) -> Outputs:
        body = {"signature_name": signature, "inputs": {name: _to_json(value) for name, value in inputs.items()}}
        answer = self.request("POST", f"{self.path}:predict", json.dumps(body).encode(), most)
        if "outputs" not in answer:
            raise _odd("an object with outputs", answer)
        kinds, found = self._outputs_of(signature), answer["outputs"]
        # One output comes without its name.
        columns = {next(iter(kinds)): found} if len(kinds) == 1 else found
        if not isinstance(columns, dict) or not set(kinds) <= set(columns):
            raise _odd(f"an object with {', '.join(kinds)}", columns)
        return {name: _from_json(name, columns[name], kind) for name, kind in kinds.items()}

    def _outputs_of(self, signature):
        """The types of its outputs by name, as TF Serving's metadata have them."""
        if not self._outputs:
            found = self.request("GET", f"{self.path}/metadata", None, BASE_BYTES)
            with contextlib.suppress(AttributeError, KeyError, TypeError):
                signatures = found["metadata"]["signature_def"]["signature_def"]
                self._outputs = {
                    name: {output: str(info["dtype"]) for output, info in definition["outputs"].items()}
                    for name, definition in signatures.items()
                }
        if not self._outputs.get(signature):
            raise _odd(f"the outputs of {signature} among the model's signatures", list(self._outputs))
        return self._outputs[signature]

    def request(self, method: str, path: str, body: bytes | None = None, most: int = MOST_BYTES) -> dict:
        """The JSON object of an answer of status 200 and of at most so many bytes."""
        connection = self.connection

        def exchange(hold):
            kept = connection.sock is not None
            try:
                return _exchange(connection, hold, method, path, body, most)
            except ConnectionError:
                if not kept:
                    raise
                # The server closed a connection that was not used for a while: a new one is tried.
                return _exchange(connection, hold, method, path, body, most)

        try:
            status, content = _in_time(self.timeout, exchange)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.connection = self._connect()
            where = f"{connection.host}:{connection.port}"
            raise ClientError(f"--url: no answer from {where} ({str(error) or type(error).__name__})") from error
        try:
            found = json.loads(content.decode())
        except (ValueError, RecursionError):
            found = content[:200]
        if status != 200:
            said = found.get("error") if isinstance(found, dict) else None
            if status >= 400 and isinstance(said, str) and said.strip():
                raise (Refused if status < 500 else ClientError)(_first_line(said))
            moved = ", which is not followed" if status in (301, 302, 303, 307, 308) else ""
            message = f"--url: expected an answer. Received: HTTP status {status}{moved}"
            raise (Refused if 400 <= status < 500 else ClientError)(message)
        if not isinstance(found, dict):
            raise _odd("a JSON object", found)
        return found


def _in_time(seconds: float, work: Callable):
    """What `work` returns; after so many seconds it is given up, whatever it waits for: a name, a handshake, a byte.

    A socket's own timeout begins anew with every byte, and does not know of the search for a name.

    Args:
        seconds: until it is given up.
        work: called in a thread of its own, with a function to be called with the socket that it waits for.

    Raises:
        OSError: TimeoutError, in time; and what `work` raises.
    """
    future, sockets, given_up = concurrent.futures.Future(), [], threading.Event()

    def hold(sock):
        sockets.append(sock)
        if given_up.is_set():
            raise TimeoutError

    def attempt():
        try:
            future.set_result(work(hold))
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=attempt, daemon=True).start()
    try:
        return future.result(seconds)
    except (concurrent.futures.TimeoutError, TimeoutError):
        given_up.set()
        for sock in filter(None, sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread
        raise TimeoutError(f"none that was whole within {seconds:g} s") from None


def _exchange(connection, hold, method, path, body, most) -> tuple[int, bytes]:
    """Status and content of the answer to one request; the connection is closed where it broke off."""
    try:
        if connection.sock is None:
            connection.connect()
        hold(connection.sock)
        # A server that has seen enough may close while the rest is sent; what it said before is read all the same.
        with contextlib.suppress(BrokenPipeError):
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        with connection.getresponse() as answer:
            answer.fp, content = _Pieces(answer.fp), bytearray()
            while piece := answer.read(min(2**20, most + 1 - len(content))):
                content += piece
                if len(content) > most:
                    raise ValueError(f"expected at most {most:,} bytes. Received: more")
            if answer.length:
                raise ValueError(f"it broke off after {len(content):,} of {len(content) + answer.length:,} bytes")
        hold(connection.sock)  # of one that was given up nobody else takes care
        return answer.status, bytes(content)
    except BaseException:
        connection.close()
        raise


class _Pieces:
    """A file without a way to read all of it: a chunk that says to have -1 bytes asks for that, without a bound."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def read(self, size):
        if size < 0:
            raise ValueError(f"a part of it says to have {size} bytes")
        return self._file.read(size)


class _Grpc:
    """TF Serving's gRPC API, with its official stubs."""

    def __init__(self, address: str, model: str, timeout: float):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            import grpc
            import tensorflow as tf
            from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
        except ImportError as error:
            raise ClientError(
                f"--url: grpc:// needs tensorflow-serving-api (pip install tensorflow-serving-api): {error}"
            ) from error
        # It logs a traceback for an answer that it cannot read, beside the error that it raises.
        logging.getLogger("grpc").addHandler(logging.NullHandler())
        self.grpc, self.tf, self.predict_pb2 = grpc, tf, predict_pb2
        self._make_stub = prediction_service_pb2_grpc.PredictionServiceStub
        self.address, self.model, self.timeout = address, model, timeout
        self.channel = self.stub = None
        self._most = 0

    def close(self):
        if self.channel is not None:
            self.channel.close()

    def _open(self, most):
        """Makes a channel; one takes no larger answers than it was made for."""
        if most > self._most:
            self.close()
            options = [("grpc.max_receive_message_length", most), ("grpc.max_send_message_length", -1)]
            # With its scheme: `unix:8500` would be a file.
            self.channel = self.grpc.insecure_channel(f"dns:///{self.address}", options)
            self.stub, self._most = self._make_stub(self.channel), most

    def call(self, signature: str, inputs: Inputs, most: int) -> Outputs:
        request = self.predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.model, signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(self.tf.make_tensor_proto(value))
        self._open(most)
        try:
            outputs = self.stub.Predict(request, self.timeout).outputs
        except self.grpc.RpcError as error:
            message = _first_line(error.details() or error.code().name)
            refusals = {self.grpc.StatusCode[name] for name in ("INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION")}
            if error.code() in refusals:
                raise Refused(message) from error
            raise ClientError(f"--url: no answer from {self.address} ({message})") from error
        return {name: self._from_proto(name, value, most) for name, value in outputs.items()}

    def _from_proto(self, name, tensor, most) -> np.ndarray:
        sizes = [dimension.size for dimension in tensor.tensor_shape.dim[: _MOST_RANK + 1]]
        kinds = (self.tf.float32.as_datatype_enum, self.tf.int32.as_datatype_enum, self.tf.string.as_datatype_enum)
        # A value that is repeated is sent once: a small message may be a large array.
        odd = len(sizes) > _MOST_RANK or min(sizes, default=0) < 0 or math.prod(sizes) > most // 4
        if odd or tensor.dtype not in kinds:
            raise _odd(f"{name}: float32, int32 or text, at most {most:,} bytes", f"type {tensor.dtype}, {sizes}")
        try:
            return self.tf.make_ndarray(tensor)
        except (TypeError, ValueError) as error:
            raise _odd(f"{name}: an array ({error})", sizes) from error


# === What a server answered ===

_MOST_RANK = 32  # of NumPy 1; what is asked for has 4
_LARGEST_FLOAT = float(np.finfo(np.float32).max)
_KINDS = {"DT_FLOAT": np.float32, "DT_INT32": np.int32, "DT_STRING": object}
_FIELDS = {
    "model": (str,),
    "dataset": (str,),
    "step": (int,),
    "noise": (dict,),
    "codes": (list,),
    "image_shape": (list,),
}
_CODE = {"name": (str,), "kind": (str,), "num_classes": (int, type(None)), "read": (bool,), "does": (str,)}
# Of each number in the metadata, and of an image's numbers: no model here comes near.
_MOST_SIZE, _MOST_NUMBERS = 2**20, 2**22


def _read_metadata(text: str) -> dict[str, object]:
    """The metadata, whose fields that are used here are what they should be."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _odd("metadata in JSON", text) from error
    version = found.get("format") if isinstance(found, dict) else found
    if type(version) is not int or version != _FORMAT:
        raise ClientError(f"metadata: expected format {_FORMAT}. Received: {reprlib.repr(version)}")
    _require_fields("metadata", found, _FIELDS)
    _require_fields("metadata, noise", found["noise"], {"size": (int,)})
    _require_fields("metadata", {"reads": "", "read_classes": []} | found, {"reads": (str,), "read_classes": (list,)})
    for code in [*found["codes"], *found.get("read_classes", [])]:
        _require_fields("metadata, codes", code, _CODE)
        if not code["name"].isidentifier():
            raise _odd("metadata, codes: names such as c1", code["name"])
    names = [code["name"] for code in [*found["codes"], *found.get("read_classes", [])]]
    if len(set(names)) < len(names):
        raise _odd("metadata, codes: different names", names)
    shape = found["image_shape"]
    fits = len(shape) == 3 and all(type(size) is int and 0 < size <= _MOST_SIZE for size in shape)
    if not fits or math.prod(shape) > _MOST_NUMBERS:
        raise _odd("metadata, image_shape: height, width and channels", shape)
    return found


def _require_fields(where, found, fields):
    if not isinstance(found, dict):
        raise _odd(f"{where}: an object", found)
    for name, kinds in fields.items():
        value, most = found.get(name), 2**63 if name == "step" else _MOST_SIZE
        if type(value) not in kinds or (type(value) is int and not 0 <= value <= most):
            raise _odd(f"{where}: {name} as {' or '.join(kind.__name__ for kind in kinds)}", value)


def _to_json(value):
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    if array.dtype == object:
        return [{"b64": base64.b64encode(content).decode()} for content in array]
    return array.tolist()


def _from_json(name: str, value: object, kind: str) -> np.ndarray:
    """An output of one of the types that _KINDS has as an array; a ClientError for what is none."""
    shape, leaves = [], [value]
    while leaves and isinstance(leaves[0], list):
        shape.append(len(leaves[0]))
        if not all(isinstance(leaf, list) and len(leaf) == shape[-1] for leaf in leaves):
            raise _odd(f"{name}: lists of equal length, {shape[-1]}, at depth {len(shape)}", value)
        leaves = list(itertools.chain.from_iterable(leaves))
    if kind not in _KINDS or len(shape) > _MOST_RANK:
        raise _odd(f"{name}: an array of one of {', '.join(_KINDS)}", kind if kind not in _KINDS else value)
    types = {str, dict} if kind == "DT_STRING" else {int} if kind == "DT_INT32" else {int, float}
    try:
        if not set(map(type, leaves)) <= types:
            raise ValueError
        if kind == "DT_STRING":
            return _objects([_content(leaf) for leaf in leaves]).reshape(shape)
        if kind == "DT_INT32":
            return _int32(name, leaves).reshape(shape)
        with np.errstate(over="ignore"):
            return np.array(leaves, np.float64).astype(np.float32).reshape(shape)
    except (ValueError, OverflowError, ClientError) as error:
        raise _odd(f"{name}: values of {kind}", value) from error


def _content(text) -> bytes:
    """A string of JSON, or {"b64": ...}; a ValueError for what is neither."""
    if isinstance(text, str):
        return text.encode()
    if not isinstance(text.get("b64"), str):
        raise ValueError
    return base64.b64decode(text["b64"], validate=True)


def _objects(value: list[bytes]) -> np.ndarray:
    array = np.empty(len(value), object)
    array[:] = value
    return array


def _checked(found: Outputs, name: str, kind: type, shape: tuple[int, ...]) -> np.ndarray:
    """An output that has to be there, of this type and shape; images in [0, 1], other numbers finite, PNG files."""
    array = found.get(name)
    if array is None:
        raise _odd(f"an answer with {name}", list(found))
    # JSON does not say what lies within an empty list.
    if not array.size and not math.prod(shape):
        array = array.reshape(shape)
    if array.dtype != kind or array.shape != shape:
        wanted = "text or files" if kind is object else np.dtype(kind).name
        raise _odd(f"{name}: {wanted} of shape {list(shape)}", f"{array.dtype} {list(array.shape)}")
    if array.dtype == np.float32:
        low, high = (0.0, 1.0) if name == "images" else (-_LARGEST_FLOAT, _LARGEST_FLOAT)
        if len(odd := array[~((array >= low) & (array <= high))]):  # NaN as well
            raise _odd(f"{name}: numbers from {low:g} to {high:g}", odd[0].item())
    if name == "png_bytes":
        for content in array.ravel():
            if not _is_png(content):
                raise _odd("png_bytes: whole PNG files", content)
    return array


def _is_png(content: bytes) -> bool:
    """Whether these are a PNG file's parts, none damaged and none missing, and nothing beside them."""
    at, name = 8, b""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return False
    while at < len(content) and name != b"IEND":
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 8 + size
        if zlib.crc32(content[at + 4 : end]).to_bytes(4, "big") != content[end : end + 4]:
            return False
        at = end + 4
    return name == b"IEND" and at == len(content)


# === Words ===


def _plain(text: str) -> str:
    """A text of anybody's as one line, cut where it is long, in which nothing steers a terminal."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: _MOST_SHOWN + 1])
    return shown if len(shown) <= _MOST_SHOWN else shown[: _MOST_SHOWN - 3] + "..."


def _odd(expected: str, received: object) -> ClientError:
    """For an answer that is none to what was asked."""
    return ClientError(f"--url: expected {expected}. Received: {reprlib.repr(received)}")


def _code_of(metadata):
    """What is expected of a code's name, in words."""
    names = ", ".join(code["name"] for code in metadata["codes"])
    return f"a code of the model, one of {names}" if names else f"no code, as {metadata['model']} has none"


def _int32(name: str, values: object) -> np.ndarray:
    array, bounds = np.asarray(values), np.iinfo(np.int32)
    if array.size and (array.dtype.kind not in "iu" or array.min() < bounds.min or array.max() > bounds.max):
        raise ClientError(f"{name}: expected integers of 32 bits. Received: {reprlib.repr(values)}")
    return array.astype(np.int32)


def _float32(name: str, values: object) -> np.ndarray:
    return np.asarray(values, np.float32)


def _texts(name: str, values: object) -> np.ndarray:
    return _objects([text_of(name)(text).encode() for text in np.atleast_1d(values).tolist()])


def _first_line(message: str) -> str:
    """What the server said, without the names of graph nodes and the brackets that TensorFlow adds."""
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith("\t [[")]
    # Where several checks fail at once, as on a GPU, each has a line of its own, after their number.
    for line in lines:
        if _ASSERTION in line:
            return line.partition(_ASSERTION)[2].replace("] [", " ").strip("[]")
    start = next((i for i, line in enumerate(lines) if line.startswith("<stack traces unavailable>")), -1) + 1
    return lines[start] if start < len(lines) else message


# === Command line ===


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Raises a ClientError in place of ending the program."""
        raise ClientError(message.removeprefix("argument "))

    def print_help(self, file: TextIO | None = None) -> None:
        """Prints it by `say`, which does not pass over what cannot be written."""
        say(self.format_help().rstrip("\n"), file)


def whole_of(flag: str, low: int, high: int, wanted: str = "") -> Callable[[str], int]:
    """What reads an option's integer from `low` to `high`, or raises a ClientError; `wanted` says what it should be."""

    def read(text):
        try:
            value = int(text)
        except ValueError:  # also for more digits than Python reads
            value = low - 1
        if not low <= value <= high:
            raise ClientError(
                f"{flag}: expected {wanted or f'a number from {low:,} to {high:,}, whole'}. Received: {text!r}"
            )
        return value

    return read


def number_of(flag: str, low: float, high: float) -> Callable[[str | float], float]:
    """The same of a number."""

    def read(text):
        try:
            value = float(text)
        except (TypeError, ValueError, OverflowError):
            value = math.nan
        if not low <= value <= high:
            raise ClientError(f"{flag}: expected a number from {low:,g} to {high:,g}. Received: {text!r}")
        return value

    return read


def text_of(flag: str) -> Callable[[str], str]:
    """The same of a name or a path."""

    def read(text):
        try:
            fits = 0 < len(text.encode()) <= 4096 and "\0" not in text
        except UnicodeEncodeError:
            fits = False
        if not fits:
            raise ClientError(f"{flag}: expected 1 to 4,096 bytes of UTF-8, none of them 0. Received: {text!r}")
        return text

    return read


def add_server_options(parser: Parser) -> None:
    """Those that say whom to ask."""
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="http://HOST:PORT or grpc://HOST:PORT")
    parser.add_argument("--model", default="infogan", help="the name that it is served under")
    parser.add_argument(
        "--timeout", default=60.0, help="of a request with its whole answer, in seconds, at most 86,400"
    )


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Reads the command line; what it does not know, such as --c1 3, is left for `codes_of`."""
    parser = Parser(
        prog="client.py", description="Draws from a served model, or reads pictures; alone, says what the model is.",
        epilog="A code is fixed by its name: --c1 3 --c2 -1.5.", allow_abbrev=False,
    )  # fmt: skip
    add_server_options(parser)

    count, rows = (whole_of(flag, 1, 10_000) for flag in ("--count", "--rows"))
    seed = whole_of("--seed", -(2**31), 2**31 - 1)
    parser.add_argument("--count", type=count, default=16, help="how many images to draw, at most 10,000")
    parser.add_argument("--seed", type=seed, default=0, help="of what is drawn")
    parser.add_argument("--traverse", type=text_of("--traverse"), metavar="CODE", help="vary this code along each row")
    parser.add_argument("--rows", type=rows, default=5, help="of a traversal")
    parser.add_argument("--output", type=text_of("--output"), help="a new .png file to write")
    parser.add_argument(
        "--encode", type=text_of("--encode"), nargs="+", metavar="FILE", help="pictures to read the codes of"
    )
    return parser.parse_known_args(argv)


def codes_of(rest: Sequence[str], metadata: Mapping[str, object]) -> dict[str, float | str]:
    """The codes that are fixed by what the command line did not know, such as ["--c1", "3", "--c2=-1.5"].

    Raises:
        ClientError: Where that is no code of the model, one that was there before, or the value not one of its own.
    """
    known, fixed = {code["name"]: code for code in metadata["codes"]}, {}
    words = [word for item in rest for word in (item.split("=", 1) if item.startswith("--") else [item])]
    for flag, value in zip(words[::2], [*words[1::2], ""], strict=False):
        name = flag.removeprefix("--")
        if not flag.startswith("--") or name not in known:
            raise ClientError(f"{flag}: expected a flag (see --help), or {_code_of(metadata)}")
        if name in fixed:
            raise ClientError(f"{flag}: expected once. Received: {fixed[name]} and {value!r}")
        if known[name]["kind"] == CAPTION:
            fixed[name] = text_of(flag)(value)
        elif known[name]["num_classes"] is None:
            fixed[name] = number_of(flag, -LARGEST, LARGEST)(value)
        else:
            fixed[name] = whole_of(flag, -(2**31), 2**31 - 1, "a class")(value)
    return fixed


def grid(images: np.ndarray) -> bytes:
    """Images [N, H, W, C] in [0, 1] as one PNG, about as many rows as columns."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ClientError(f"--output: a grid needs Pillow (pip install pillow): {error}") from error
    columns = math.ceil(math.sqrt(len(images)))
    height, width, channels = images.shape[1:]
    if channels not in (1, 3):
        raise ClientError(f"--output: expected a model of images with 1 or 3 channels. Received: {channels}")
    rows = -(-len(images) // columns)
    picture = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, channels), 96, np.uint8)
    for i, image in enumerate(np.round(images * 255.0).astype(np.uint8)):
        top, left = 1 + (i // columns) * (height + 1), 1 + (i % columns) * (width + 1)
        picture[top : top + height, left : left + width] = image
    content = io.BytesIO()
    Image.fromarray(picture[..., 0] if channels == 1 else picture).save(content, format="PNG")
    return content.getvalue()


def describe(metadata: Mapping[str, object]) -> str:
    """What the model is, in a few lines."""
    data, shape = metadata["dataset"] or "unknown data", metadata["image_shape"]
    lines = [f"{metadata['model']} on {data}, step {metadata['step']:,}, images {shape}"]
    for code in metadata["codes"]:
        classes = f" of {code['num_classes']}" if code["num_classes"] else ""
        lines.append(f"  {code['name']}  {code['kind']}{classes}  {code['does']}".rstrip())
    return "\n".join(map(_plain, lines))


_NEW_FILE = "--output: expected a new file in a folder that can be written"


def _require_new(name: str) -> None:
    """Refuses a name that no new file can have, before anything is asked."""
    if not name.endswith(".png"):
        raise ClientError(f"--output: expected a .png file. Received: {name!r}")
    try:
        os.lstat(name)
    except FileNotFoundError:
        if os.access(Path(name).parent, os.W_OK | os.X_OK):
            return
        raise ClientError(f"{_NEW_FILE}. Received: {name!r}") from None
    except OSError as error:
        raise ClientError(f"{_NEW_FILE} ({error.strerror}). Received: {name!r}") from error
    raise ClientError(f"--output: expected a new file. Received: {name!r}, which exists")


def _write_new(name: str, content: bytes) -> None:
    """Writes a file where there is none, whole or not at all."""
    partial = Path(name).parent / f".client.{os.getpid()}.partial"  # short: the name may be as long as names can be
    try:
        file = partial.open("xb")
        try:
            with file:
                file.write(content)
            os.link(partial, name)  # fails where something lies there
        finally:
            partial.unlink()
    except OSError as error:
        raise ClientError(f"{_NEW_FILE} ({error})") from error


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> str:
    """Does what the command line asks for; returns what to print."""
    draws = arguments.output is not None
    if draws:
        _require_new(arguments.output)
    if (arguments.traverse or rest) and not draws:
        raise ClientError("--output: expected the name of a .png file to write. Received none")
    if arguments.encode and draws:
        raise ClientError(f"--encode: expected without --output. Received: {arguments.output!r}")
    with connect(arguments.url, arguments.model, arguments.timeout) as client:
        if arguments.encode:
            return _encode(client, arguments.encode)
        fixed = codes_of(rest, client.metadata)
        if not draws:
            return describe(client.metadata)
        if arguments.traverse:
            if fixed:
                raise ClientError(f"--{next(iter(fixed))}: a traversal draws all codes but one; leave it out")
            content = client.traverse(arguments.traverse, rows=arguments.rows, seed=arguments.seed)["png_bytes"].item()
        else:
            content = grid(client.sample(arguments.count, arguments.seed, **fixed)["images"])
        _write_new(arguments.output, content)
        return _plain(f"Wrote {arguments.output}.")


def _encode(client, names):
    try:
        files = [_content_of(Path(name)) for name in names]
    except OSError as error:
        raise ClientError(f"--encode: expected files that can be read ({error})") from error
    found, lines = client.encode_png(files), []
    for i, name in enumerate(names):
        # Of classes the most probable one is enough; of noise that is read, all its numbers.
        said = ", ".join(
            f"{key} {' '.join(f'{number:.4g}' for number in np.ravel(value[i]))}"
            for key, value in found.items()
            if value.ndim == 1 or key.startswith("noise_")
        )
        lines.append(f"{_plain(name)}: {said}")
    return "\n".join(lines)


def _content_of(path):
    if path.exists() and not path.is_file():  # a pipe, or /dev/zero, would be read for ever
        raise ClientError(f"--encode: expected files that can be read. Received: {str(path)!r}")
    return path.read_bytes()


def say(text: str, file: TextIO | None = None) -> None:
    """Prints; what the stream's encoding does not have stands there by its number."""
    file = file or sys.stdout
    encoding = getattr(file, "encoding", None) or "utf-8"  # None where the stream is closed
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=file)


def exit_status(program: str, work: Callable[[], int]) -> int:
    """The exit status that `work` gives, or that says what ended it; a traceback is for faults of the program alone.

    0 done, 2 bad input or no answer, 74 what is printed cannot be written, 130 Ctrl-C, 141 its reader has gone.

    Args:
        program: its name, for the line that says what is wrong.
        work: reads the command line, and prints.
    """
    said = ""
    try:
        try:
            status = work()
        except SystemExit as end:  # of --help
            status = int(end.code or 0)
        if sys.stdout:
            sys.stdout.flush()  # here, and not when Python ends
    except ClientError as error:
        said, status = f"{program}: {error}", 2
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        status = 141
        _drop(sys.stdout)
    except OSError as error:
        said, status = f"{program}: the output cannot be written ({error.strerror or error})", 74
        _drop(sys.stdout)
    try:
        if said and sys.stderr:
            say(said, sys.stderr)
    except OSError:
        _drop(sys.stderr)
    return status


def _drop(stream: TextIO) -> None:
    """What the stream still holds, and what comes, goes nowhere, also when Python ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def main(argv: Sequence[str]) -> int:
    """Returns the exit status, as `exit_status` has it."""

    def work():
        say(run(*parse(argv)))
        return 0

    return exit_status("client.py", work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
