"""Asks a served model, over TF Serving's REST or gRPC API: a Python client, and a command line.

python export/client.py --url http://127.0.0.1:8501 --count 16 --c1 3 --output grid.png
python export/client.py --url grpc://127.0.0.1:8500 --traverse c2 --output c2.png
python export/client.py --url http://127.0.0.1:8501 --encode drawing.png
python export/client.py --url http://127.0.0.1:8501

The last says what the model is. Needs NumPy and, to write a grid, Pillow; for gRPC also tensorflow-serving-api. In
Python:

    with connect("http://127.0.0.1:8501") as client:
        images = client.sample(count=16, seed=0, c1=3)["images"]
"""

import argparse
import base64
import contextlib
import http.client
import io
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np

Inputs = Mapping[str, object]
Outputs = dict[str, np.ndarray]

# How TensorFlow begins the message of a check inside the graph; the check's own parts follow, each in brackets.
_ASSERTION = "assertion failed: "
# Of the metadata, as export/metadata.py of the package writes them.
_FORMAT = 2


class ClientError(Exception):
    """What went wrong, in one line."""


class Refused(ClientError):
    """The server lives, and refuses the request: it is malformed, or a value is out of range."""


def connect(url: str, model: str = "infogan", timeout: float = 60.0) -> "Client":
    """A client of the model that is served at `url`; to be closed, or used in a `with` statement.

    Args:
        url: http://HOST:PORT or https://HOST:PORT for REST, grpc://HOST:PORT for gRPC.
        model: the name that it is served under.
        timeout: of a request, in seconds.

    Raises:
        ClientError: For another form of address.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme = host = port = None
    if scheme not in ("http", "https", "grpc") or not host or parts.path not in ("", "/"):
        raise ClientError(f"--url: expected http://HOST:PORT, https://HOST:PORT or grpc://HOST:PORT. Received: {url!r}")
    if scheme == "grpc":
        return Client(_Grpc(f"[{host}]:{port or 8500}" if ":" in host else f"{host}:{port or 8500}", model, timeout))
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return Client(_Rest(kind(host, port, timeout=timeout), model))


class Client:
    """What can be asked of the model; see export/README.md for shapes and ranges. Not for several threads at once.

    Every method raises `Refused` where the server refuses the request, and `ClientError` where it cannot be reached.
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

    def call(self, signature: str, inputs: Inputs) -> Outputs:
        """Any signature: its inputs and outputs as arrays by name; text is an array of bytes objects."""
        return self.transport.call(signature, inputs)

    @property
    def metadata(self) -> dict[str, object]:
        """What the model is: codes, figures, options."""
        if self._metadata is None:
            found = json.loads(self.call("describe", {"what": "metadata"})["text"].item())
            if found.get("format") != _FORMAT:
                raise ClientError(f"metadata: expected format {_FORMAT}. Received: {found.get('format')!r}")
            self._metadata = found
        return self._metadata

    def readme(self) -> str:
        """The model card, Markdown."""
        return self.call("describe", {"what": "readme"})["text"].item().decode()

    def generate(self, noise: np.ndarray, **codes: Sequence[float]) -> np.ndarray:
        """Images [B, H, W, C] in [0, 1] of noise [B, n] and a value for every code, [B]."""
        return self.call("serving_default", self._latents(noise, codes))["images"]

    def generate_png(self, noise: np.ndarray, **codes: Sequence[float]) -> list[bytes]:
        """The same as PNG files."""
        return list(self.call("generate_png", self._latents(noise, codes))["png_bytes"])

    def sample(self, count: int, seed: int = 0, **codes: float | Sequence[float]) -> Outputs:
        """Draws `images` [count, H, W, C] and gives the codes of each.

        Codes that are given, one value for all or `count` of them, are not drawn.
        """
        given = {code["name"]: np.atleast_1d(codes.pop(code["name"], [])) for code in self.metadata["codes"]}
        self._refuse_others(codes)
        return self.call(
            "sample", {"count": _int32("count", count), "seed": _int32("seed", seed), **self._typed(given)}
        )

    def traverse(
        self, code: str, low: float = -2.0, high: float = 2.0, steps: int = 10, rows: int = 5, seed: int = 0
    ) -> Outputs:
        """Varies one code along each row: `images`, row by row, the `values`, and one picture, `png_bytes`."""
        self._require(bool(self.metadata["codes"]), "traverse", "codes")
        numbers = {"low": np.float32(low), "high": np.float32(high)}
        numbers |= {"steps": _int32("steps", steps), "rows": _int32("rows", rows), "seed": _int32("seed", seed)}
        return self.call("traverse", {"code": code, **numbers})

    def encode(self, images: np.ndarray) -> Outputs:
        """What the codes of images [B, H, W, C] in [0, 1] are, by name of quantity."""
        self._require_reading("encode")
        return self.call("encode", {"images": np.asarray(images, np.float32)})

    def encode_png(self, files: Sequence[bytes]) -> Outputs:
        """The same of PNG, JPEG, GIF or BMP files of any size."""
        self._require_reading("encode_png")
        return self.call("encode_png", {"image_bytes": _objects(list(files))})

    def _latents(self, noise, codes):
        known = {code["name"]: codes.pop(code["name"]) for code in self.metadata["codes"] if code["name"] in codes}
        self._refuse_others(codes)
        return {"noise": np.asarray(noise, np.float32), **self._typed(known)}

    def _typed(self, given):
        """Values by code, in the types of the codes."""
        discrete = {code["name"]: code["num_classes"] is not None for code in self.metadata["codes"]}
        return {
            name: _int32(name, values) if discrete[name] else np.asarray(values, np.float32)
            for name, values in given.items()
        }

    def _refuse_others(self, codes):
        if codes:
            raise ClientError(f"{next(iter(codes))}: expected {_code_of(self.metadata)}")

    def _require_reading(self, what):
        self._require(any(code["read"] for code in self.metadata["codes"]), what, "codes that are read from images")

    def _require(self, has, what, wanted):
        if not has:
            raise ClientError(f"{what}: expected a model with {wanted}. Received: {self.metadata['model']}, without")


class _Rest:
    """TF Serving's REST API, in the columnar form, over one connection that is kept."""

    def __init__(self, connection: http.client.HTTPConnection, model: str):
        self.connection, self.path = connection, f"/v1/models/{quote(model, safe='')}"
        self._outputs = {}

    def close(self):
        self.connection.close()

    def call(self, signature: str, inputs: Inputs) -> Outputs:
        body = {"signature_name": signature, "inputs": {name: _to_json(value) for name, value in inputs.items()}}
        found = self.request("POST", f"{self.path}:predict", json.dumps(body).encode())["outputs"]
        names = self._outputs_of(signature)
        # One output comes without its name.
        columns = {names[0]: found} if len(names) == 1 else found
        return {name: _from_json(columns[name]) for name in names}

    def _outputs_of(self, signature):
        if not self._outputs:
            metadata = self.request("GET", f"{self.path}/metadata")["metadata"]["signature_def"]["signature_def"]
            self._outputs = {name: list(definition["outputs"]) for name, definition in metadata.items()}
        return self._outputs[signature]

    def request(self, method: str, path: str, body: bytes | None = None) -> dict:
        """The JSON of an answer of status 200."""
        # A server may have closed a connection that was not used for a while: a new one is tried.
        for last in (False, True) if self.connection.sock else (True,):
            try:
                status, content = self._exchange(method, path, body)
                break
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                if last or not isinstance(error, ConnectionError):
                    where = f"{self.connection.host}:{self.connection.port}"
                    raise ClientError(f"--url: no answer from {where} ({error or type(error).__name__})") from error
        try:
            found = json.loads(content)
        except ValueError:
            found = {"error": content[:200].decode("utf-8", "replace")}
        if status == 200:
            return found
        message = _first_line(str(found.get("error", found)) if isinstance(found, dict) else str(found))
        raise (Refused if 400 <= status < 500 else ClientError)(message or f"HTTP status {status}")

    def _exchange(self, method, path, body):
        self.connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = self.connection.getresponse()
        return answer.status, answer.read()


class _Grpc:
    """TF Serving's gRPC API, with its official stubs."""

    def __init__(self, address: str, model: str, timeout: float):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            import grpc
            import tensorflow as tf
            from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
        except ImportError as error:
            raise ClientError(
                f"--url: grpc:// needs tensorflow-serving-api (pip install tensorflow-serving-api): {error}"
            ) from error
        self.grpc, self.tf, self.predict_pb2 = grpc, tf, predict_pb2
        self.address, self.model, self.timeout = address, model, timeout
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(address, unlimited)
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def close(self):
        self.channel.close()

    def call(self, signature: str, inputs: Inputs) -> Outputs:
        request = self.predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.model, signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(self.tf.make_tensor_proto(value))
        try:
            outputs = self.stub.Predict(request, self.timeout).outputs
        except self.grpc.RpcError as error:
            message = _first_line(error.details())
            refusals = {self.grpc.StatusCode[name] for name in ("INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION")}
            if error.code() in refusals:
                raise Refused(message) from error
            raise ClientError(f"--url: no answer from {self.address} ({message})") from error
        return {name: self.tf.make_ndarray(value) for name, value in outputs.items()}


def _to_json(value):
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    if array.dtype == object:
        return [{"b64": base64.b64encode(content).decode()} for content in array]
    return array.tolist()


def _from_json(value) -> np.ndarray:
    """An output as an array: int32, float32, or bytes as objects."""
    leaf = value
    while isinstance(leaf, list) and leaf:
        leaf = leaf[0]
    if isinstance(leaf, (dict, str)):
        return _objects([_content(item) for item in value] if isinstance(value, list) else _content(value))
    return np.asarray(value, np.int32 if isinstance(leaf, int) else np.float32)


def _content(text) -> bytes:
    return base64.b64decode(text["b64"]) if isinstance(text, dict) else text.encode()


def _objects(value: bytes | list[bytes]) -> np.ndarray:
    array = np.empty(len(value) if isinstance(value, list) else (), object)
    array[...] = value
    return array


def _code_of(metadata):
    """What is expected of a code's name, in words."""
    names = ", ".join(code["name"] for code in metadata["codes"])
    return f"a code of the model, one of {names}" if names else f"no code, as {metadata['model']} has none"


def _int32(name: str, values: object) -> np.ndarray:
    array, bounds = np.asarray(values), np.iinfo(np.int32)
    if array.size and (array.dtype.kind not in "iu" or array.min() < bounds.min or array.max() > bounds.max):
        raise ClientError(f"{name}: expected integers of 32 bits. Received: {values!r}")
    return array.astype(np.int32)


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


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Reads the command line; what it does not know, such as --c1 3, is left for `codes_of`."""
    parser = argparse.ArgumentParser(
        prog="client.py", description="Draws from a served model, or reads pictures; alone, says what the model is.",
        epilog="A code is fixed by its name: --c1 3 --c2 -1.5.", allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="http://HOST:PORT or grpc://HOST:PORT")
    parser.add_argument("--model", default="infogan", help="the name that it is served under")
    parser.add_argument("--timeout", type=float, default=60.0, help="of a request, in seconds")
    parser.add_argument("--count", type=int, default=16, help="how many images to draw, at most 10,000")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument("--traverse", metavar="CODE", help="vary this code along each row")
    parser.add_argument("--rows", type=int, default=5, help="of a traversal")
    parser.add_argument("--output", help="a new .png file to write")
    parser.add_argument("--encode", nargs="+", metavar="FILE", help="pictures to read the codes of")
    return parser.parse_known_args(argv)


def codes_of(rest: Sequence[str], metadata: Mapping[str, object]) -> dict[str, float]:
    """The codes that are fixed by what the command line did not know, such as ["--c1", "3", "--c2=-1.5"].

    Raises:
        ClientError: Where that is no code of the model, or the value not one of its own.
    """
    known, fixed = {code["name"]: code for code in metadata["codes"]}, {}
    words = [word for item in rest for word in (item.split("=", 1) if item.startswith("--") else [item])]
    for flag, value in zip(words[::2], [*words[1::2], ""], strict=False):
        name = flag.removeprefix("--")
        if not flag.startswith("--") or name not in known:
            raise ClientError(f"{flag}: expected a flag (see --help), or {_code_of(metadata)}")
        try:
            discrete = known[name]["num_classes"] is not None
            fixed[name] = int(value) if discrete else float(value)
        except ValueError as error:
            wanted = "a class" if discrete else "a number"
            raise ClientError(f"{flag}: expected {wanted}. Received: {value!r}") from error
    return fixed


def grid(images: np.ndarray) -> bytes:
    """Images [N, H, W, C] in [0, 1] as one PNG, about as many rows as columns."""
    from PIL import Image

    columns = math.ceil(math.sqrt(len(images)))
    height, width, channels = images.shape[1:]
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
    return "\n".join(lines)


def _write_new(name: str, content: bytes) -> None:
    """Writes a file where there is none, whole or not at all."""
    partial = Path(f"{name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        os.link(partial, name)  # fails where something lies there
    except OSError as error:
        raise ClientError(f"--output: expected a new file in a folder that can be written ({error})") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> str:
    """Does what the command line asks for; returns what to print."""
    draws = arguments.output is not None
    if draws and not arguments.output.endswith(".png"):
        raise ClientError(f"--output: expected a .png file. Received: {arguments.output!r}")
    if draws and Path(arguments.output).exists():
        raise ClientError(f"--output: expected a new file. Received: {arguments.output!r}, which exists")
    if (arguments.traverse or rest) and not draws:
        raise ClientError("--output: expected the name of a .png file to write. Received none")
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
        return f"Wrote {arguments.output}."


def _encode(client, names):
    try:
        files = [Path(name).read_bytes() for name in names]
    except OSError as error:
        raise ClientError(f"--encode: expected files that can be read ({error})") from error
    found, lines = client.encode_png(files), []
    for i, name in enumerate(names):
        said = ", ".join(f"{key} {value[i]:.4g}" for key, value in found.items() if value.ndim == 1)
        lines.append(f"{name}: {said}")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Returns the exit status: 0 done, 2 bad input or no answer."""
    try:
        print(run(*parse(argv)))
    except ClientError as error:
        print(f"client.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
