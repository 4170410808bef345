"""The stand-in for TF Serving answers the documented REST forms, and lives on after every bad request."""

import http.client
import json
import socket
import threading
from urllib.parse import urlsplit

import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model

from infogan_tf.errors import UserError
from infogan_tf.explorer import rest
from infogan_tf.explorer.local_server import MAX_BODY, serving
from infogan_tf.explorer.rest import SavedModelRest
from infogan_tf.export import export_saved_model


def vector(dtype, *shape, name):
    return tf.TensorSpec((None, *shape), dtype, name=name)


class Toy(tf.Module):
    """Signatures of every kind of input and output; half_plus_three is the example of TF Serving's documentation."""

    def __init__(self):
        self.three = tf.Variable(3.0)

    @tf.function(input_signature=[vector(tf.float32, name="x")])
    def half_plus_three(self, x):
        return {"y": 0.5 * x + self.three}

    @tf.function(
        input_signature=[
            vector(tf.string, name="tag"), vector(tf.float32, 5, name="signal"), vector(tf.int32, 2, 2, name="sensor"),
        ]
    )  # fmt: skip
    def three_inputs(self, tag, signal, sensor):
        small = tf.debugging.Assert(tf.reduce_all(sensor < 100), ["sensor: expected less than 100", sensor])
        with tf.control_dependencies([small]):
            return {"tag": tag + "!", "tag_bytes": tag, "total": tf.reduce_sum(signal, 1), "sensor": 2 * sensor}

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="count"), tf.TensorSpec([], tf.bool, name="up")])
    def count(self, count, up):
        numbers = tf.range(count)
        return {"numbers": tf.where(up, numbers, -numbers), "last": tf.cast(count, tf.float64) / 0.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    toy = Toy()
    path = tmp_path_factory.mktemp("toy") / "123"
    signatures = {"serving_default": toy.half_plus_three, "three_inputs": toy.three_inputs, "count": toy.count}
    tf.saved_model.save(toy, str(path), signatures=signatures)
    rest = SavedModelRest(path, "toy")
    return rest


@pytest.fixture(scope="module")
def address(model):
    with serving(model.answer) as url:
        yield urlsplit(url).netloc


def ask(address, path, body=None, headers=(), connection=None):
    """One request; a body that is no bytes is sent as JSON. Returns status and what the JSON of the answer says."""
    opened = connection or http.client.HTTPConnection(address, timeout=900)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    opened.request("GET" if body is None else "POST", path, content, dict(headers))
    answer = opened.getresponse()
    text = answer.read()
    assert answer.headers["Content-Type"] == "application/json"
    if connection is None:
        opened.close()
    return answer.status, json.loads(text)


def predict(address, body, **kwargs):
    return ask(address, "/v1/models/toy:predict", body, **kwargs)


def test_status_and_metadata(address):
    status = {"error_code": "OK", "error_message": ""}
    expected = {"model_version_status": [{"version": "123", "state": "AVAILABLE", "status": status}]}
    assert ask(address, "/v1/models/toy") == (200, expected)
    assert ask(address, "/v1/models/toy/versions/123") == (200, expected)
    code, metadata = ask(address, "/v1/models/toy/metadata")
    assert code == 200
    assert metadata["model_spec"] == {"name": "toy", "signature_name": "", "version": "123"}
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    x = signatures["serving_default"]["inputs"]["x"]
    assert (x["dtype"], x["tensor_shape"]) == (
        "DT_FLOAT", {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
    )  # fmt: skip
    assert signatures["three_inputs"]["method_name"] == "tensorflow/serving/predict"
    assert set(signatures["three_inputs"]["outputs"]) == {"tag", "tag_bytes", "total", "sensor"}


def test_the_documented_example(address):
    assert predict(address, {"instances": [1.0, 2.0, 5.0]}) == (200, {"predictions": [3.5, 4.0, 5.5]})
    assert predict(address, {"inputs": [1.0, 2.0, 5.0]}) == (200, {"outputs": [3.5, 4.0, 5.5]})
    assert predict(address, {"instances": [{"x": 1}]}) == (200, {"predictions": [3.5]})
    body = {"signature_name": "serving_default", "inputs": {"x": [1.0]}}
    assert ask(address, "/v1/models/toy/versions/123:predict", body) == (200, {"outputs": [3.5]})
    assert predict(address, {"inputs": []}) == (200, {"outputs": []})


ROWS = [
    {"tag": "foo", "signal": [1, 2, 3, 4, 5], "sensor": [[1, 2], [3, 4]]},
    {"tag": {"b64": "YgD/cgA="}, "signal": [3, 4, 1, 2.5, 5], "sensor": [[4, 5], [6, 8]]},
]


def test_rows_and_columns_say_the_same(address):
    code, rows = predict(address, {"signature_name": "three_inputs", "instances": ROWS})
    assert code == 200
    assert rows["predictions"] == [
        {"tag": "foo!", "tag_bytes": {"b64": "Zm9v"}, "total": 15.0, "sensor": [[2, 4], [6, 8]]},
        {"tag": "b\x00�r\x00!", "tag_bytes": ROWS[1]["tag"], "total": 15.5, "sensor": [[8, 10], [12, 16]]},
    ]
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    code, found = predict(address, {"signature_name": "three_inputs", "inputs": columns})
    assert code == 200
    assert found["outputs"] == {name: [row[name] for row in rows["predictions"]] for name in rows["predictions"][0]}


def test_scalars_need_columns_and_infinity_is_a_token(address):
    body = {"signature_name": "count", "inputs": {"count": 3, "up": False}}
    assert predict(address, body) == (200, {"outputs": {"numbers": [0, -1, -2], "last": float("inf")}})
    code, answer = predict(address, b'{"inputs": [NaN, -Infinity, 1e2]}')
    assert code == 200
    np.testing.assert_array_equal(answer["outputs"], [float("nan"), float("-inf"), 53.0])


def three(**changes):
    return {"signature_name": "three_inputs", "instances": [ROWS[0] | changes]}


BAD = {
    "no JSON": (b"{", 400, "JSON Parse error"),
    "nothing": (b"", 400, "JSON Parse error"),
    "no text": (b"\xff\xfe{}", 400, "JSON Parse error"),
    "deep": (b'{"inputs": ' + b"[" * 200_000, 400, "JSON Parse error"),
    "a number without end": (b'{"inputs": [1' + b"0" * 10_000 + b"]}", 400, "JSON Parse error"),
    "no object": ([1.0], 400, "expected an object"),
    "no form": ({}, 400, "neither"),
    "both forms": ({"inputs": [1.0], "instances": [1.0]}, 400, "Expected one of"),
    "unknown signature": ({"signature_name": "fly", "inputs": [1.0]}, 400, '"fly" not found'),
    "signature no text": ({"signature_name": 3, "inputs": [1.0]}, 400, "must be a string"),
    "no rows": ({"instances": []}, 400, "at least one"),
    "rows no list": ({"instances": 3.0}, 400, "a list"),
    "mixed rows": ({"instances": [{"x": 1.0}, 2.0]}, 400, "Received: 2.0 at 1"),
    "missing input": ({"inputs": {}}, 400, "expected x. Received: none"),
    "unknown input": ({"inputs": {"z": [1.0]}}, 400, "expected x"),
    "text for a number": ({"inputs": ["1"]}, 400, 'x: expected float32. Received: "1"'),
    "truth for a number": ({"inputs": [True]}, 400, "x: expected float32. Received: true"),
    "null": ({"inputs": [None]}, 400, "Received: null"),
    "object for a number": ({"instances": [{"x": {"b64": "AA=="}}]}, 400, "x: expected float32"),
    "too large for a float": ({"inputs": [1e39]}, 400, "without loss"),
    "an integer that a float rounds": ({"inputs": [2**24 + 1]}, 400, "without loss"),
    "far too large": (b'{"inputs": [1' + b"0" * 400 + b"]}", 400, "without loss"),
    "scalar for a vector": ({"inputs": 1.0}, 400, "x: expected shape"),
    "ragged": ({"inputs": [[1.0], [1.0, 2.0]]}, 400, "lists of equal length"),
    "ragged in kind": ({"inputs": [[1.0], 2.0]}, 400, "lists of equal length"),
    "wrong rank": ({"inputs": [[1.0]]}, 400, "x: expected shape (None,). Received: [1, 1]"),
    "wrong width": (three(signal=[1.0]), 400, "signal: expected shape (None, 5). Received: [1, 1]"),
    "rows without width": (three(signal=[]), 400, "signal: expected shape"),
    "fraction for an integer": (three(sensor=[[1.5, 2], [3, 4]]), 400, "sensor: expected int32. Received: 1.5"),
    "too large for an integer": (three(sensor=[[2**31, 2], [3, 4]]), 400, "without loss"),
    "no base64": (three(tag={"b64": "?"}), 400, "tag: unable to decode"),
    "half a character": (three(tag="\ud800"), 400, "tag: "),
    "number for text": (three(tag=3), 400, "tag: expected a string"),
    "refused by the model": (three(sensor=[[100, 2], [3, 4]]), 400, "sensor: expected less than 100"),
    "scalars as rows": (
        {"signature_name": "count", "instances": [{"count": 3, "up": True}]}, 400, "count: expected shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_refused_by_name(address, name):
    body, code, words = BAD[name]
    found, answer = predict(address, body)
    assert (found, set(answer)) == (code, {"error"})
    assert words in answer["error"]
    assert "node" not in answer["error"]
    assert len(answer["error"]) < 400


def test_unknown_paths_and_models(address):
    assert ask(address, "/v1/models/half:predict", {"instances": [1.0, 5.0]}) == (
        404, {"error": "Servable not found for request: Latest(half)"},
    )  # fmt: skip
    assert ask(address, "/v1/models/toy/versions/7")[0] == 404
    for path in ("/v1/models", "/v1/models/toy:predict", "/v1/models/toy/versions/x", "/v2", "/../etc/passwd"):
        assert ask(address, path)[0] == 400, path
    assert ask(address, "/v1/models/toy:classify", {"examples": []})[0] == 400
    assert ask(address, "/v1/models/toy", {})[0] == 400


@pytest.mark.parametrize(
    "digits", ["9" * 400, "9" * 5000, "1" + "0" * 20, "١٢٣", "%D9%A1%D9%A2%D9%A3", "²", "-123", "+123", ""]
)
def test_a_version_is_a_number_of_64_bits(address, model, digits):
    for method, end in (("GET", ""), ("GET", "/metadata"), ("POST", ":predict")):
        path = f"/v1/models/toy/versions/{digits}{end}"
        found = model.answer(method, path, b"{}")
        assert (found.status, set(json.loads(found.body))) == (400, {"error"})
        assert len(found.body) < 400
        if digits.isascii():
            assert ask(address, path, {} if method == "POST" else None)[0] == 400
    assert model.answer("GET", "/v1/models/toy/versions/" + "9" * 19, b"").status == 404


def test_a_body_has_no_more_values_than_may_be(address):
    for piece in (b"[],", b"0,", b"{},", b"[[[]]],", b'{"":0},'):
        body = b'{"inputs": [' + piece * (MAX_BODY // len(piece) - 100) + b"0]}"
        code, answer = predict(address, body)
        assert code == 413
        assert "at most 1,000,000 values" in answer["error"]


def test_an_answer_has_no_more_bytes_than_may_be(model, monkeypatch):
    ran = []
    for signature in model.signatures.values():
        monkeypatch.setattr(signature, "run", lambda arrays, run=signature.run: ran.append(1) or run(arrays))
    monkeypatch.setattr(rest, "MOST_BYTES", 60)

    def status(**request):
        found = model.answer("POST", "/v1/models/toy:predict", json.dumps(request).encode())
        return found.status, len(ran)

    assert status(inputs=[1.0] * 6) == (200, 1)
    assert status(instances=[1.25] * 12) == (400, 2)  # as it turns out
    assert status(inputs=[1.0] * 21) == (400, 2)  # as is known before
    assert status(signature_name="count", inputs={"count": 10_000, "up": True}) == (400, 3)


def test_images_that_are_too_many_for_an_answer_are_not_drawn(tmp_path, monkeypatch):
    drawing = SavedModelRest(export_saved_model(make_model(latents="noise:6,cat:10,uniform:2"), tmp_path / "infogan"))
    ran = []
    for signature in drawing.signatures.values():
        monkeypatch.setattr(signature, "run", lambda arrays, run=signature.run: ran.append(1) or run(arrays))
    # Of images of 8 x 8, three characters a number.
    monkeypatch.setattr(rest, "MOST_BYTES", 3 * 100 * 70)

    def answer(signature_name, **inputs):
        body = json.dumps({"signature_name": signature_name, "inputs": inputs}).encode()
        found = drawing.answer("POST", "/v1/models/infogan:predict", body)
        ran_now, ran[:] = len(ran), []
        return found.status, ran_now, found.body.decode()

    def sample(count):
        return answer("sample", count=count, seed=0, c1=[], c2=[], c3=[])

    def traverse(code, steps, rows):
        return answer("traverse", code=code, low=-1.0, high=1.0, steps=steps, rows=rows, seed=0)

    for found in (sample(200), traverse("c1", 1, 20), traverse("c2", 20, 10)):
        assert found[:2] == (400, 0)
        assert "Received: 200 rows" in found[2]
    # What the model refuses by itself it says itself; a discrete code has as many columns as classes.
    assert "count: expected a number from 1 to" in sample(20_000)[2]
    assert "code: expected one of c1" in traverse("c9", 20, 10)[2]
    assert sample(5)[:2] == traverse("c1", 10_000, 1)[:2] == traverse("c2", 5, 1)[:2] == (200, 1)


def test_an_answer_is_the_same_in_pieces(model, monkeypatch):
    requests = [
        {"inputs": [0.5] * 10}, {"instances": [0.5] * 10}, {"inputs": []},
        {"signature_name": "count", "inputs": {"count": 7, "up": True}},
        {"signature_name": "three_inputs", "instances": ROWS * 3},
        {"signature_name": "three_inputs", "inputs": {name: [row[name] for row in ROWS * 3] for name in ROWS[0]}},
    ]  # fmt: skip
    bodies = [json.dumps(request).encode() for request in requests]
    whole = [json.loads(model.answer("POST", "/v1/models/toy:predict", body).body) for body in bodies]
    monkeypatch.setattr(rest, "_PIECE", 3)
    assert [json.loads(model.answer("POST", "/v1/models/toy:predict", body).body) for body in bodies] == whole


def test_a_huge_body_is_refused_and_the_connection_goes_on(address):
    connection = http.client.HTTPConnection(address, timeout=900)
    code, answer = predict(address, b"[" * (MAX_BODY + 1), connection=connection)
    assert code == 413
    assert "at most" in answer["error"]
    assert predict(address, {"inputs": [1.0]}, connection=connection) == (200, {"outputs": [3.5]})
    connection.close()
    # One that announces more than anybody could send is told so at once.
    with socket.create_connection(address.split(":"), timeout=900) as opened:
        host = f"Host: {address}\r\n".encode()
        opened.sendall(b"POST /v1/models/toy:predict HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999\r\n\r\n")
        opened.shutdown(socket.SHUT_WR)
        assert opened.recv(1000).startswith(b"HTTP/1.1 413")


# One that is no number makes the request malformed; one that is missing has a status of its own (RFC 9110).
@pytest.mark.parametrize(("length", "status"), [(None, 411), ("-1", 400), ("many", 400)])
def test_a_body_needs_a_length(address, length, status):
    connection = http.client.HTTPConnection(address, timeout=900)
    connection.putrequest("POST", "/v1/models/toy:predict")
    if length:
        connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_pages_elsewhere_are_kept_out(address):
    port = address.split(":")[1]
    for host in ("evil.example", f"evil.example:{port}", "", "127.0.0.1.evil.example", "[::1"):
        assert ask(address, "/v1/models/toy", headers={"Host": host})[0] == 403, host
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert ask(address, "/v1/models/toy", headers={"Host": host})[0] == 200, host
    assert predict(address, {"inputs": [1.0]}, headers={"Origin": "http://evil.example"})[0] == 403
    assert predict(address, {"inputs": [1.0]}, headers={"Origin": f"http://{address}"})[0] == 200


def test_sixteen_clients_at_once_good_and_hostile(address):
    wrong = []

    def client(number):
        rng, bad = np.random.default_rng(number), list(BAD.values())
        connection = http.client.HTTPConnection(address, timeout=900)
        for _ in range(60):
            if rng.random() < 0.2:
                body, code, words = bad[rng.integers(len(bad))]
                found, answer = predict(address, body, connection=connection)
                if found != code or words not in answer["error"]:
                    wrong.append((body[:80] if isinstance(body, bytes) else body, found, answer))
            else:
                x = rng.standard_normal(rng.integers(1, 50)).astype(np.float32)
                found, answer = predict(address, {"inputs": x.tolist()}, connection=connection)
                if found != 200 or not np.allclose(answer["outputs"], 0.5 * x + 3):
                    wrong.append((x, found, answer))
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=900)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_a_folder_that_is_no_saved_model(tmp_path):
    with pytest.raises(UserError, match=r"the folder of a SavedModel.*nowhere"):
        SavedModelRest(tmp_path / "nowhere")
    (tmp_path / "saved_model.pb").write_bytes(b"no protobuf")
    with pytest.raises(UserError, match="the folder of a SavedModel"):
        SavedModelRest(tmp_path)


def test_a_port_that_is_taken_and_a_host_that_is_not_ours(address):
    with pytest.raises(OSError, match="in use"), serving(lambda *_: None, port=int(address.split(":")[1])):
        pass
    with pytest.raises(UserError, match=r"--host.*192\.0\.2\.1"), serving(lambda *_: None, host="192.0.2.1"):
        pass
