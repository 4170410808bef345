"""A server that is wrong or hostile: the client, the load generator and the explorer of --url say so in one line.

The servers here are small and know no TensorFlow: `Raw` sends bytes as they are, over sockets; gRPC's sends any bytes
as an answer to Predict.
"""

import base64
import contextlib
import io
import itertools
import json
import os
import re
import socket
import sys
import threading
import time

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from infogan_tf.commands import explore
from infogan_tf.errors import UserError
from infogan_tf.explorer import remote as remote_module
from infogan_tf.explorer.remote import Remote

sys.path.insert(0, str(ROOT / "export"))

import client as client_module
import load
from client import ClientError, connect

# What turns a terminal's colours on, by two ways; what turns the direction of text; a line of its own; a bell.
STEERING = "\x1b[31m\x9b31m\u202e\u2066\u200f\r\nclient.py: all is well\x07\x00\u2028\ud800"
DEEP = b"[" * 100_000
DIGITS = b"9" * 5_000


# === A server ===


class Raw:
    """Answers every request with what `reply(line, body)` gives, bytes or pieces of them, and closes the connection.

    Attributes:
        address: HOST:PORT.
        requests: How many came.
        sent: Bytes of all answers.
    """

    def __init__(self, reply):
        self.reply, self.requests, self.sent = reply, 0, 0
        self.ending = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self.listener.accept()[:1], daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as file:
            line, size = file.readline().decode(), 0
            while (header := file.readline()).strip():
                name, _, value = header.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            self.requests += 1
            reply = self.reply(line, file.read(size))
            for piece in [reply] if isinstance(reply, bytes) else reply:
                if self.ending.is_set():
                    break
                connection.sendall(piece)
                self.sent += len(piece)


def http(content, status="200 OK", *headers):
    """An answer; content that is no bytes is sent as JSON."""
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers)
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + content


def chunked(*chunks, end=b"0\r\n\r\n"):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def slowly(start, piece=b"a"):
    """A byte or so again and again, without an end."""
    yield start
    while True:
        time.sleep(0.02)
        yield piece


def fast(start, piece=b"[[1.5], " * 2**13):
    yield start
    yield from itertools.repeat(piece)


# === What a right one answers ===


def png(mode="L", size=(3, 2)):
    content = io.BytesIO()
    Image.new(mode, size).save(content, format="PNG")
    return content.getvalue()


PICTURE = {"b64": base64.b64encode(png()).decode()}
C1 = {"name": "c1", "kind": "categorical", "num_classes": 3, "read": True, "does": "the digit"}
C2 = {"name": "c2", "kind": "uniform", "num_classes": None, "read": True, "does": ""}
METADATA = {
    "format": 2, "model": "InfoGAN", "dataset": "mnist", "step": 4000, "noise": {"size": 3}, "codes": [C1, C2],
    "image_shape": [2, 2, 1],
}  # fmt: skip
IMAGE = [[[0.0], [1.0]], [[0.25], [1]]]
OUTPUTS = {
    "describe": {"text": json.dumps(METADATA)},
    "sample": {"images": [IMAGE], "c1": [2], "c2": [0.5]},
    "traverse": {"images": [IMAGE] * 3, "values": [0.0, 1.0, 2.0], "png_bytes": PICTURE},
    "encode_png": {"c1_probabilities": [[0.25, 0.5, 0.25]], "c1_class": [1], "c2_mean": [0.5], "c2_stddev": [1.0]},
    "serving_default": {"images": [IMAGE]},
    "generate_png": {"png_bytes": [PICTURE]},
}
TYPES = {"text": "DT_STRING", "png_bytes": "DT_STRING", "c1": "DT_INT32", "c1_class": "DT_INT32"}
SIGNATURES = {
    name: {"inputs": {}, "outputs": {each: {"dtype": TYPES.get(each, "DT_FLOAT")} for each in outputs}}
    for name, outputs in OUTPUTS.items()
}


def as_served(signatures):
    return {"metadata": {"signature_def": {"signature_def": signatures}}}


SERVED = as_served(SIGNATURES)


def answering(outputs=OUTPUTS, signatures=SERVED):
    """The reply of a server whose signatures give these outputs, and whose metadata are these."""

    def reply(line, body):
        if line.startswith("GET"):
            return http(signatures)
        found = outputs[json.loads(body)["signature_name"]]
        return http({"outputs": next(iter(found.values())) if isinstance(found, dict) and len(found) == 1 else found})

    return reply


ASKED = {
    "describe": [],
    "sample": ["--count=1", "--output=x.png"],
    "traverse": ["--traverse=c1", "--rows=1", "--output=x.png"],
    "encode_png": ["--encode", "picture.png"],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with a picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(png())
    return tmp_path


@pytest.fixture
def told(folder, capsys, recwarn):
    """Gives what the client says of a server; asserts that it is one line, and that nothing was written."""

    def ask(reply, *arguments, program=client_module, timeout=60):
        with Raw(reply) as server:
            line = ["--url", f"http://{server.address}", f"--timeout={timeout}", *arguments]
            assert program.main(line) == 2, capsys.readouterr()
        said = capsys.readouterr()
        assert said.out == ""
        assert_one_line(said.err)
        assert [path.name for path in folder.iterdir()] == ["picture.png"]
        assert not [str(each.message) for each in recwarn.list]
        return said.err

    return ask


def assert_one_line(text):
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    assert 0 < len(text) < 700


@pytest.mark.parametrize("signature", ASKED)
def test_a_right_one_is_understood(folder, capsys, signature):
    with Raw(answering()) as server:
        assert client_module.main(["--url", f"http://{server.address}", *ASKED[signature]]) == 0, capsys.readouterr()
    said = {
        "describe": "InfoGAN on mnist, step 4,000, images [2, 2, 1]\n"
        "  c1  categorical of 3  the digit\n  c2  uniform\n",
        "encode_png": "picture.png: c1_class 1, c2_mean 0.5, c2_stddev 1\n",
    }
    assert capsys.readouterr().out == said.get(signature, "Wrote x.png.\n")
    if signature == "traverse":
        assert (folder / "x.png").read_bytes() == png()
    if signature == "sample":
        pixels = np.asarray(Image.open("x.png"))
        assert pixels[1:3, 1:3].tolist() == [[0, 255], [64, 255]]


# === No HTTP, or bad HTTP ===

WHOLE = json.dumps({"outputs": OUTPUTS["describe"]["text"]}).encode()
NO_ANSWERS = {
    "nothing": b"",
    "noise": b"\xff\xfe\x00\x01" * 100,
    "HTTP/0.9": b"<html>hello</html>",
    "HTTP/9": b"HTTP/9.9 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 abc OK\r\n\r\n",
    "thousands of headers": http(WHOLE, "200 OK", *(f"X-{i}: a" for i in range(5_000))),
    "a header of a megabyte": http(WHOLE, "200 OK", "X: " + "a" * 2**20),
    "broken off in the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "broken off in the body": http(WHOLE)[:-10],
    "longer than it says": http(WHOLE[:50]).replace(b"Length: 50", b"Length: 40"),
    "a length of 5,000 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + DIGITS + b"\r\n\r\n{",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{",
    "broken off between chunks": chunked(WHOLE[:50], end=b""),
    "broken off in a chunk": chunked(end=b"ff\r\n{"),
    "a chunk without a size": chunked(end=b"z\r\n{"),
    "a chunk of -1 bytes": chunked(end=b"-1\r\n" + WHOLE),
    "a chunk of -5 bytes": chunked(end=b"-5\r\n" + WHOLE),
    "compressed": http(b"\x1f\x8b\x08\x00" + bytes(100), "200 OK", "Content-Encoding: gzip"),
    "nothing of JSON": http(b""),
    "HTML": http(b"<html>\x1b[31m</html>"),
    "no UTF-8": http(b'{"outputs": "\xff\xfe"}'),
    "UTF-16": http(WHOLE.decode().encode("utf-16")),
    "deep": http(DEEP),
    "deep objects": http(b'{"outputs": ' * 100_000),
    "a list": http([1, 2]),
    "a number": http(3),
    "null": http(None),
    "a text": http(STEERING),
    "without outputs": http({"predictions": [3]}),
    "an error that is none": http({"error": STEERING}),
    "digits": http(b'{"outputs": ' + DIGITS + b"}"),
    "204": http(b"", "204 No Content"),
    "304": http(b"", "304 Not Modified"),
    "101": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "206": http(WHOLE, "206 Partial Content"),
    "999": http(WHOLE, "999 \x1b[31m"),
    "an error without a word": http({"error": ""}, "500 \x9b31m"),
    "an error that is a list": http({"error": [STEERING]}, "400 Bad"),
    "an error in a list": http([STEERING], "404 Bad"),
    "an error that steers": http({"error": STEERING}, "400 Bad"),
    "an error of a check that steers": http({"error": "a\nassertion failed: [" + STEERING + "]"}, "500 Bad"),
    "a long error": http({"error": "\x1b" * 2**20}, "500 Bad"),
    "a deep error": http(b'{"error": ' + DEEP, "503 Bad"),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer(told, name):
    said = told(lambda *_: NO_ANSWERS[name])
    assert said.startswith("client.py: ")
    if "error that steers" not in name and "error of a" not in name and "long error" not in name:
        assert said.startswith("client.py: --url: ")


def test_an_answer_in_chunks_is_one(folder, capsys):
    chunks = [bytes([byte]) for byte in WHOLE]

    def reply(line, body):
        return answering()(line, body) if line.startswith("GET") else chunked(*chunks)

    with Raw(reply) as server:
        assert client_module.main(["--url", f"http://{server.address}"]) == 0
    assert "InfoGAN on mnist" in capsys.readouterr().out


# === Without an end ===

HEAD = b"HTTP/1.1 200 OK\r\n"
SLOW = {
    "silence": (b"", b""),
    "the status": (b"HTTP/1.1 200 ", b"a"),
    "a header": (HEAD + b"X: ", b"a"),
    "headers": (HEAD, b"X: a\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "the body": (HEAD + b"Content-Length: 1000000\r\n\r\n", b"a"),
    "the body to the end": (HEAD + b"Connection: close\r\n\r\n", b"a"),
    "chunks": (chunked(end=b""), b"1\r\na\r\n"),
    "a chunk's size": (chunked(end=b""), b"0"),
    "what follows the chunks": (chunked(end=b"0\r\n"), b"X: a\r\n"),
}


@pytest.mark.parametrize("name", SLOW)
def test_the_whole_answer_has_a_deadline(told, monkeypatch, name):
    started = time.monotonic()
    said = told(lambda *_: slowly(*SLOW[name]), timeout=0.5)
    assert "no answer from 127.0.0.1" in said
    assert "within 0.5 s" in said
    assert time.monotonic() - started < 30  # without the deadline it would not end
    # Nor does the thread that read.
    while any("(attempt)" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() - started < 60
        time.sleep(0.05)


def test_the_search_for_a_host_has_a_deadline(told, monkeypatch):
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found.wait(60) and [])
    assert "within 0.5 s" in told(lambda *_: b"", timeout=0.5)
    found.set()


ENDLESS = {
    "a body to the end": HEAD + b"\r\n",
    "a body of a terabyte": HEAD + b"Content-Length: 1099511627776\r\n\r\n",
    "a chunk of a terabyte": chunked(end=b"10000000000\r\n"),
    "a chunk of -1 bytes": chunked(end=b"-1\r\n"),
    "an error": b"HTTP/1.1 400 Bad\r\n\r\n",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_has_a_largest_size(folder, capsys, name):
    with Raw(lambda *_: fast(ENDLESS[name])) as server:
        assert client_module.main(["--url", f"http://{server.address}"]) == 2
        assert server.sent < client_module.BASE_BYTES + 2**25  # with what the sockets hold
    said = capsys.readouterr().err
    assert_one_line(said)
    assert re.search("at most 16,777,216 bytes. Received: more|says to have -1 bytes", said)


def test_how_much_may_be_sent_follows_from_what_was_asked(monkeypatch):
    with Raw(answering()) as server, connect(f"http://{server.address}") as client:
        asked = []

        def call(signature, inputs, most):
            asked.append(most)
            return {"images": np.zeros((len(asked) and 1, 2, 2, 1), np.float32), "c1": np.array([1], np.int32),
                    "c2": np.array([0.5], np.float32)}  # fmt: skip

        assert client.metadata
        monkeypatch.setattr(client.transport, "call", call)
        client.sample(1)
        for count in (10_000, 2**31 - 1):
            with pytest.raises(ClientError):
                client.sample(count)
    # An image is 4 numbers; what is read of it 5, and two more for the class and the standard deviation.
    numbers = 4 + (2 + 3) + 2
    assert asked == [2**24 + 32 * numbers, 2**24 + 32 * 10_000 * numbers, 2**29]


def test_nobody_is_sent_elsewhere(told):
    with Raw(answering()) as other:
        for status in ("301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"):
            said = told(lambda *_, status=status: http(b"", status, f"Location: http://{other.address}/"))
            assert f"HTTP status {status[:3]}, which is not followed" in said
        assert other.requests == 0


# === JSON that is another ===


def changed(found, **changes):
    return found | changes


METADATAS = {
    "no JSON": "{",
    "deep": "[" * 100_000,
    "empty": "",
    "a list": "[]",
    "a number": "2",
    "null": "null",
    "a text": json.dumps(STEERING),
    "digits": '{"format": ' + "9" * 5_000 + "}",
    **{
        f"{name}: {value!r}"[:40]: json.dumps(changed(METADATA, **{name: value}))
        for name, values in {
            "format": [1, 3, "2", None, [], STEERING, 10**4000, True],
            "model": [None, 3, [], {}],
            "dataset": [None, 3, ["mnist"]],
            "step": [None, "4000", 1.5, -1, True, 2**70, [4000]],
            "noise": [None, 3, [], {}, {"size": "3"}, {"size": -1}, {"size": 2**40}],
            "image_shape": [
                None, 3, [], [2, 2], [2, 2, 1, 1], [2, 2, "1"], [2, 2, 0], [2, -2, 1], [2, 2, 1.0], [[2], 2, 1],
                [2**20, 2**20, 3], [2, 2, 10**400], {"0": 2},
            ],
            "codes": [
                None, 3, {"c1": C1}, [3], [None], [[C1]], [{}], ["c1"], [C1, C1],
                *([changed(C1, name=name)] for name in (None, 3, "", "c 1", STEERING, ["c1"])),
                *([changed(C1, num_classes=number)] for number in ("3", 3.0, -1, [], True, 2**40, 10**400)),
                *([changed(C1, **{name: value})] for name in ("kind", "does", "read") for value in (None, 3, [])),
                [{name: value for name, value in C1.items() if name != "name"}],
            ],
        }.items()
        for value in values
    },
    **{
        f"without {name}": json.dumps({key: value for key, value in METADATA.items() if key != name})
        for name in METADATA
    },
}  # fmt: skip


@pytest.mark.parametrize("text", METADATAS.values(), ids=range(len(METADATAS)))
def test_metadata_that_are_others(told, text):
    outputs = OUTPUTS | {"describe": {"text": text}}
    assert "metadata" in told(answering(outputs), *ASKED["sample"])
    assert told(answering(outputs), program=load).startswith("load.py: ")


def test_a_text_is_needed(told):
    for text in (
        None,
        3,
        [],
        ["{}"],
        {},
        {"b64": 3},
        {"b64": "!"},
        {"b64": "AAA"},
        {"b65": ""},
        [[]],
        "\ud800",
        {"b64": "/w=="},
    ):
        told(answering(OUTPUTS | {"describe": [text] if isinstance(text, list) else {"text": text}}))


SIGNATURE_ANSWERS = [
    [], 3, None, {}, {"metadata": []}, {"metadata": {"signature_def": 3}}, as_served([]), as_served(None),
    as_served({}), as_served({"describe": {}}), as_served({"describe": []}), as_served({"describe": {"outputs": []}}),
    as_served({"describe": {"outputs": {}}}), as_served({"describe": {"outputs": {"text": "DT_STRING"}}}),
    as_served({"describe": {"outputs": {"text": {}}}}), as_served({"describe": {"outputs": {"text": {"dtype": []}}}}),
    as_served({"describe": {"outputs": {"text": {"dtype": "DT_VARIANT"}}}}),
    as_served({"describe": {"outputs": {"text": {"dtype": "DT_FLOAT"}}}}),
    as_served({"describe": {"outputs": {STEERING: {"dtype": "DT_STRING"}}}}),
    as_served({"describe": {"outputs": {"text": {"dtype": "DT_STRING"}, STEERING: {"dtype": "DT_STRING"}}}}),
    as_served({STEERING: {"outputs": {"text": {"dtype": "DT_STRING"}}}}),
]  # fmt: skip


@pytest.mark.parametrize("answer", SIGNATURE_ANSWERS, ids=range(len(SIGNATURE_ANSWERS)))
def test_signatures_that_are_others(told, answer):
    told(answering(signatures=answer))


BAD_OUTPUTS = {
    "sample": {
        "images": [
            None, 3, 0.5, "0.5", {}, [], [[]], [IMAGE, IMAGE], [IMAGE[0]], IMAGE, [[IMAGE]],
            [[[[0.0], [1.0]], [[0.5]]]],
            [[[[0.0], [1.0]], [0.5, 0.5]]], [[[["0.0"], [1.0]], [[0.5], [1.0]]]], [[[[None], [1.0]], [[0.5], [1.0]]]],
            [[[[True], [1.0]], [[0.5], [1.0]]]], [[[[{}], [1.0]], [[0.5], [1.0]]]], [[[[1.5], [1.0]], [[0.5], [1.0]]]],
            [[[[-0.5], [1.0]], [[0.5], [1.0]]]], [[[[float("nan")], [1.0]], [[0.5], [1.0]]]],
            [[[[float("inf")], [1.0]], [[0.5], [1.0]]]], [[[[1e300], [1.0]], [[0.5], [1.0]]]],
            [[[[10**4000], [1.0]], [[0.5], [1.0]]]], [[[[0.0, 0.0, 0.0], [1.0] * 3], [[0.5] * 3, [1.0] * 3]]],
            [["a" * 2**16, ""]],
        ],
        "c1": [None, 3, [], [1, 2], ["1"], [1.5], [1.0], [True], [None], [2**40], [10**4000], [[1]], {"b64": "AAAA"}],
        "c2": [None, 3.0, [], [0.5, 0.5], ["0.5"], [float("nan")], [float("-inf")], [1e300], [10**4000], [[0.5]], {}],
    },
    "traverse": {
        "images": [[IMAGE], [IMAGE] * 4, None],
        "values": [[], [0.0], [float("nan")] * 3, None],
        "png_bytes": [
            None, 3, "", "GIF89a", {"b64": ""}, {"b64": "!!!!"}, {"b64": None}, [PICTURE], {},
            *({"b64": base64.b64encode(content).decode()} for content in (
                b"GIF89a", b"<html>", png()[:8], png()[:-1], png()[:-12], png() + b"\n", b"\n" + png(),
                png().replace(b"IDAT", b"IDAU"), png()[:40] + bytes([png()[40] ^ 1]) + png()[41:],
                b"#!/bin/sh\n" + png(),
            )),
        ],
    },
    "encode_png": {
        "c1_probabilities": [None, [], [0.5], [[0.5, 0.5]], [[0.25, 0.5, float("nan")]], [["a", "b", "c"]]],
        "c1_class": [None, [], [0.5], [1, 1], ["\u202e"]],
        "c2_mean": [None, 0.5, [[0.5]], [float("inf")], ["0.5"]],
    },
}  # fmt: skip
CASES = [
    (signature, changed(OUTPUTS[signature], **{name: value}))
    for signature, names in BAD_OUTPUTS.items()
    for name, values in names.items()
    for value in values
]
CASES += [
    (signature, found)
    for signature in ("sample", "traverse", "encode_png")
    for found in (None, 3, [], "a", STEERING, [OUTPUTS[signature]], {}, {"images": [IMAGE]}, {STEERING: 3})
]


@pytest.mark.parametrize(("signature", "found"), CASES, ids=range(len(CASES)))
def test_outputs_that_are_others(told, signature, found):
    said = told(answering(OUTPUTS | {signature: found}), *ASKED[signature])
    assert said.startswith("client.py: --url: expected ")


def test_lists_in_lists_are_no_array(told):
    def reply(line, body):
        if b"sample" not in body:
            return answering()(line, body)
        return http(b'{"outputs": {"c1": [1], "c2": [0.5], "images": ' + b"[" * 500 + b"]" * 500 + b"}}")

    told(reply, *ASKED["sample"])


def test_nothing_that_a_server_says_steers_the_terminal(folder, capsys):
    found = METADATA | {"model": STEERING, "dataset": STEERING}
    found["codes"] = [C1 | {"does": STEERING, "kind": STEERING}, C2]
    reply = answering(OUTPUTS | {"describe": {"text": json.dumps(found)}})
    with Raw(reply) as server:
        assert client_module.main(["--url", f"http://{server.address}"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3
    assert all(line.isprintable() for line in said)
    assert "\\x1b[31m" in said[0]


# === gRPC ===


@pytest.fixture(scope="module")
def tf():
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # as the client does where it is the first to import it
    pytest.importorskip("tensorflow_serving.apis", reason="tensorflow-serving-api is not installed")
    import tensorflow

    return tensorflow


@contextlib.contextmanager
def grpc_serving(reply):
    """A server whose Predict answers with the bytes that `reply(context)` gives."""
    from concurrent import futures

    import grpc

    handler = grpc.unary_unary_rpc_method_handler(lambda _, context: reply(context))
    service = grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", {"Predict": handler})
    server = grpc.server(futures.ThreadPoolExecutor(2), options=[("grpc.max_send_message_length", -1)])
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()


def prediction(tf, dtype="string", sizes=(), **values):
    """The bytes of an answer with one output, `text`."""
    from tensorflow_serving.apis import predict_pb2

    found = predict_pb2.PredictResponse()
    found.outputs["text"].dtype = getattr(tf, dtype).as_datatype_enum
    for size in sizes:
        found.outputs["text"].tensor_shape.dim.add().size = size
    for name, value in values.items():
        if isinstance(value, bytes):
            setattr(found.outputs["text"], name, value)
        else:
            getattr(found.outputs["text"], name).extend(value)
    return found.SerializeToString()


WORDS = [json.dumps(METADATA).encode()]
GRPC_ANSWERS = {
    "empty": lambda tf: b"",
    "noise": lambda tf: b"\xff" * 100,
    "another type": lambda tf: prediction(tf, "float32", float_val=[0.5]),
    "a type of 64 bits": lambda tf: prediction(tf, "float64", double_val=[0.5]),
    "a resource": lambda tf: prediction(tf, "resource"),
    "a vast shape": lambda tf: prediction(tf, "string", [2**31, 2**31], string_val=WORDS),
    "a large shape": lambda tf: prediction(tf, "string", [2**31], string_val=WORDS),
    "an overflowing shape": lambda tf: prediction(tf, "string", [2**62] * 33, string_val=WORDS),
    "a negative shape": lambda tf: prediction(tf, "string", [-1], string_val=WORDS),
    "many dimensions": lambda tf: prediction(tf, "string", [1] * 1_000, string_val=WORDS),
    "a vector": lambda tf: prediction(tf, "string", [1], string_val=WORDS),
    "too many values": lambda tf: prediction(tf, "string", string_val=WORDS * 2),
    "content of another size": lambda tf: prediction(tf, "float32", [3], tensor_content=b"abc"),
    "another format": lambda tf: prediction(tf, string_val=[b'{"format": 7}']),
    "text that is no UTF-8": lambda tf: prediction(tf, string_val=[b"\xff\xfe"]),
    "more than may be sent": lambda tf: prediction(tf, string_val=[bytes(2**24)]),
}


@pytest.mark.parametrize("name", GRPC_ANSWERS)
def test_grpc_answers_that_are_others(tf, folder, capfd, name):
    content = GRPC_ANSWERS[name](tf)
    with grpc_serving(lambda _: content) as url:
        assert client_module.main(["--url", url]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert_one_line(said.err)


def test_grpc_answers_that_are_right(tf, folder, capsys):
    with grpc_serving(lambda _: prediction(tf, string_val=WORDS)) as url:
        assert client_module.main(["--url", url]) == 0
    assert "InfoGAN on mnist" in capsys.readouterr().out


def test_grpc_errors_and_silence(tf, folder, capfd):
    import grpc

    code = {name: grpc.StatusCode[name] for name in ("INVALID_ARGUMENT", "INTERNAL")}
    printable = STEERING.replace("\ud800", "")
    replies = [
        (60, lambda context: context.abort(code["INVALID_ARGUMENT"], printable), "\\x1b[31m"),
        (60, lambda context: context.abort(code["INTERNAL"], printable), "\\x1b[31m"),
        (60, lambda context: context.abort(code["INTERNAL"], ""), "INTERNAL"),
        (1, lambda context: time.sleep(4) or b"", "no answer from 127.0.0.1"),
    ]
    for seconds, reply, words in replies:
        with grpc_serving(reply) as url:
            assert client_module.main(["--url", url, f"--timeout={seconds}"]) == 2
        said = capfd.readouterr().err
        assert_one_line(said)
        assert words in said


def test_grpc_of_a_server_that_speaks_none(tf, folder, capfd):
    for reply in (lambda *_: NO_ANSWERS["noise"], lambda *_: http(WHOLE), lambda *_: slowly(b"")):
        with Raw(reply) as server:
            assert client_module.main(["--url", f"grpc://{server.address}", "--timeout=1"]) == 2
        said = capfd.readouterr().err
        assert_one_line(said)
        assert "no answer from 127.0.0.1" in said


# === Load ===


def test_a_server_that_turns_bad_under_load(folder, capsys):
    counted, bad = (
        itertools.count(),
        itertools.cycle([*NO_ANSWERS.values(), http({"outputs": {STEERING: DEEP.decode()}})]),
    )
    lock = threading.Lock()

    def reply(line, body):
        with lock:
            return answering()(line, body) if next(counted) < 40 else next(bad)

    with Raw(reply) as server:
        line = ["--url", f"http://{server.address}", "--clients=3", "--requests=150", "--rows=1"]
        assert load.main([*line, "--signatures", "describe", "sample"]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert "went wrong." in said.out
    assert all(row.isprintable() for row in said.out.split("\n"))


# === The explorer of another server ===


def refused(request):
    with pytest.raises(UserError) as error:
        request()
    assert str(error.value).startswith("--url: ")
    assert str(error.value).isprintable()
    return str(error.value)


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_the_explorer_of_what_is_no_answer(name):
    with Raw(lambda *_: NO_ANSWERS[name]) as server:

        def begin():
            remote = Remote(f"http://{server.address}")
            explore._require_signatures(remote, "url")

        assert f"Received: 'http://{server.address}'" in refused(begin) or "Received one with none" in refused(begin)


@pytest.mark.parametrize("answer", SIGNATURE_ANSWERS, ids=range(len(SIGNATURE_ANSWERS)))
def test_the_explorer_of_signatures_that_are_others(answer):
    with Raw(lambda *_: http(answer)) as server:
        remote = Remote(f"http://{server.address}")
        assert "expected a model with the signatures" in refused(lambda: explore._require_signatures(remote, "url"))


@pytest.mark.parametrize("name", SLOW)
def test_the_explorer_gives_a_server_so_much_time(monkeypatch, name):
    monkeypatch.setattr(remote_module, "FIRST_SECONDS", 0.5)
    with Raw(lambda *_: slowly(*SLOW[name])) as server:
        assert "does not answer" in refused(lambda: Remote(f"http://{server.address}"))


@pytest.mark.parametrize("name", ENDLESS)
def test_the_explorer_takes_so_much_and_no_more(monkeypatch, name):
    monkeypatch.setattr(remote_module, "MAX_ANSWER", 2**20)
    with Raw(lambda *_: fast(ENDLESS[name])) as server:
        said = refused(lambda: Remote(f"http://{server.address}"))
        assert server.sent < 2**25  # with what the sockets hold
    assert re.search("at most 1,048,576 bytes. Received: more|says to have -1 bytes", said)


def test_the_explorer_follows_nobody_and_passes_no_answer_without_a_body_on():
    statuses = iter(
        ["200 OK", "302 Found", "204 No Content", "304 Not Modified", "101 Switching", "400 Bad", "503 Bad"]
    )
    with Raw(answering()) as other:

        def reply(*_):
            return http({"error": "a word"}, next(statuses), f"Location: http://{other.address}/")

        with Raw(reply) as server:
            remote = Remote(f"http://{server.address}")
            found = [remote.answer("GET", "/v1/models/infogan", b"").status for _ in range(6)]
        assert found == [502, 502, 502, 502, 400, 503]
        assert other.requests == 0


BAD_URLS = [
    "", "http", "http://", "http://:1", "http:///v1/models/a", "ftp://a", "file:///etc/passwd", "//a", "a:8501",
    "http://a:0", "http://a:65536", "http://a:-1", "http://a:" + "9" * 500, "http://a:x", "http://a:\u0661",
    "http://user:word@a", "http://a?b", "http://a#b", "http://a\\b", "http://a b", "http://a\nb", "http://a\r\nX: y",
    "http://[::1", "http://::1", "http://[g]", "http://" + "a" * 254, "http://a\0b\n", " http://a", "http://a ",
]  # fmt: skip
# No name can be like this; it is found out when the name is looked for.
BAD_HOSTS = ["http://" + "a" * 70, "http://a..b", "http://\udcff", "http://\u202e", "http://\0", "http://\x1b[31m"]


@pytest.mark.parametrize("url", [*BAD_URLS, *BAD_HOSTS], ids=range(len(BAD_URLS + BAD_HOSTS)))
def test_addresses_that_cannot_be(folder, capsys, url):
    refused(lambda: Remote(url))
    for scheme in ("http", "grpc"):
        assert client_module.main(["--url", url.replace("http", scheme)]) == 2
        said = capsys.readouterr().err
        assert_one_line(said)
        assert said.startswith("client.py: --url: ")
    assert load.main(["--url", url]) == 2
    assert_one_line(capsys.readouterr().err)


@pytest.mark.parametrize("name", ["a/b", "a:b", "a?b", "a b", "a\nb", "\u202e", "\udcff", "\0", "a" * 256])
def test_the_explorer_of_names_that_cannot_be(name):
    refused(lambda: Remote(f"http://127.0.0.1:1/v1/models/{name}"))


# === Command lines ===

TEXTS = ["", "a\0b", "\udcff", "a" * 5_000]
NUMBERS = [
    "",
    "x",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "0x10",
    "9" * 500,
    "9" * 5_000,
    "1.5e400",
    "\udcff",
    "\x1b[31m",
]
FLAGS = {
    "timeout": [*NUMBERS, "0", "0.0", "1e-9", "1e9", "86401"],
    "model": TEXTS,
}
CLIENT_FLAGS = FLAGS | {
    "count": [*NUMBERS, "0", "1.5", "10001"],
    "rows": [*NUMBERS, "0", "1.5", "10001"],
    "seed": [*[text for text in NUMBERS if text != "-1"], "1.5", str(2**31), str(-(2**31) - 1)],
    "traverse": TEXTS,
    "output": [
        *TEXTS,
        "a" * 300 + ".png",
        "a\0.png",
        "\udcff.png",
        "no/x.png",
        "picture.png",
        "picture.png/x.png",
        "x",
    ],
    "encode": [*TEXTS, "a" * 300, "no.png", "a\0.png", ".", "/dev/zero"],
    "url": TEXTS,
    "cunt": ["3"],
}
LOAD_FLAGS = FLAGS | {
    "clients": [*NUMBERS, "0", "1001", "1.5"],
    "requests": [*NUMBERS, "0", "1.5"],
    "rows": [*NUMBERS, "0", "10001"],
    "hostile": [*NUMBERS, "1.01"],
    "signatures": ["fly", "", "\udcff"],
    "pid": [*NUMBERS, "0", str(2**31), str(2**31 - 1)],
    "url": TEXTS,
}
CLIENT_LINES = [
    *([f"--{flag}={value}"] for flag, values in CLIENT_FLAGS.items() for value in values),
    *([f"--c2={value}"] for value in [*NUMBERS, "2e6", "-2e6"] if value != "-1"),
    *([f"--c1={value}"] for value in [*NUMBERS, "1.5", str(2**31)] if value != "-1"),
    ["--c1=1", "--c1=2"], ["--c1", "1", "--c2", "0", "--c1", "1"], ["--c3=1"], ["\udcff"], ["--\udcff=1"], ["--"],
    ["a" * 5_000], ["--encode"], ["--count"], ["--encode", "picture.png", "--output=y.png"],
]  # fmt: skip


@pytest.mark.parametrize("line", CLIENT_LINES, ids=range(len(CLIENT_LINES)))
def test_command_lines_of_the_client(folder, capsys, line):
    output = [] if line[0].startswith(("--output", "--encode", "--traverse")) else ["--output=x.png"]
    with Raw(answering()) as server:
        assert client_module.main(["--url", f"http://{server.address}", *output, *line]) == 2
    said = capsys.readouterr()
    assert_one_line(said.err)
    assert said.err.startswith("client.py: ")
    assert [path.name for path in folder.iterdir()] == ["picture.png"]
    # It says which option was wrong.
    assert line[0].partition("=")[0].encode("unicode_escape").decode()[:100] in said.err


LOAD_LINES = [[f"--{flag}={value}"] for flag, values in LOAD_FLAGS.items() for value in values]


@pytest.mark.parametrize("line", LOAD_LINES, ids=range(len(LOAD_LINES)))
def test_command_lines_of_the_load(folder, capsys, line):
    with Raw(answering()) as server:
        assert load.main(["--url", f"http://{server.address}", "--requests=1", *line]) == 2
    said = capsys.readouterr()
    assert_one_line(said.err)
    assert said.err.startswith(f"load.py: {line[0].partition('=')[0]}")


def test_a_name_may_be_as_long_as_names_can_be(folder, capsys):
    name = "a" * 251 + ".png"
    with Raw(answering()) as server:
        assert client_module.main(["--url", f"http://{server.address}", "--count=1", f"--output={name}"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [name, "picture.png"]


def test_a_terminal_that_knows_no_such_letters(monkeypatch):
    written = io.TextIOWrapper(io.BytesIO(), "ascii")
    client_module.say("caf\u00e9 \u4e2d", written)
    written.flush()
    assert written.buffer.getvalue() == b"caf\\xe9 \\u4e2d\n"
