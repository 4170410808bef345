"""Inception of 2015: read from a small graph with its names and operations, and fetched from a local server."""

import contextlib
import gzip
import http.server
import threading
import time

import numpy as np
import pytest
import stand_in_inception as stand_in
import tensorflow as tf

from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.feature_networks import inception, published_network
from infogan_tf.evaluation.feature_networks.inception import FILE, inception_features


@pytest.fixture
def placed(tmp_path):
    """A cache in which the graph was put by hand."""
    (tmp_path / FILE).write_bytes(stand_in.graph().SerializeToString())
    return tmp_path


def images(count=5, height=8, width=8, channels=3):
    return np.random.default_rng(1).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


# === What it reads ===


def enlarged(pictures, size=19):
    """Bilinear, a place of the new image at its number times old size over new: as TensorFlow did in 2015."""

    def shares(old):
        places = np.arange(size) * old / size
        low = np.floor(places).astype(int)
        found = np.zeros((size, old))
        for row, (at, place) in enumerate(zip(low, places, strict=True)):
            found[row, at] += 1 - (place - at)
            found[row, min(at + 1, old - 1)] += place - at
        return found

    return np.einsum("yh,nhwc,xw->nyxc", shares(pictures.shape[1]), pictures, shares(pictures.shape[2]))


def by_hand(pictures):
    """Features and class probabilities of pictures from 0 to 255."""
    w = stand_in.weights()
    inputs = (enlarged(pictures.astype(np.float64)) - 128.0) / 128.0
    patches = np.lib.stride_tricks.sliding_window_view(inputs, (3, 3), axis=(1, 2))[:, ::2, ::2]  # [N, 9, 9, C, 3, 3]
    convolved = np.einsum("nyxcab,abcd->nyxd", patches, w["conv"])
    normal = (convolved - w["mean"]) / np.sqrt(w["variance"] + 0.001) * w["gamma"] + w["beta"]
    features = np.maximum(normal, 0.0).mean(axis=(1, 2))
    logits = features @ w["softmax/weights"]  # without the bias
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return features, shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("height", "width", "channels"), [(8, 8, 3), (32, 24, 3), (28, 28, 1)])
def test_features_and_classes_are_those_of_the_graph(placed, height, width, channels):
    network = inception_features(placed)
    assert "Inception of 2015" in network.name
    pictures = images(7, height, width, channels)
    features, probabilities = network(pictures)
    expected = by_hand(np.repeat(pictures, 3 // channels, axis=-1))
    np.testing.assert_allclose(features, expected[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(probabilities, expected[1], atol=1e-5)
    # Drawn images are floats: of the same 256 levels.
    drawn = np.clip(pictures / 255.0 + 0.001, 0.0, 1.0).astype(np.float32)
    np.testing.assert_array_equal(network(drawn)[0], features)


def test_images_are_read_in_batches_under_a_bar(placed, capsys):
    features, _ = inception_features(placed)(images(120), "Inception: training")
    np.testing.assert_allclose(features[100:], by_hand(images(120)[100:])[0], rtol=1e-4, atol=1e-4)
    assert "Inception: training: 100%" in capsys.readouterr().err


def test_grey_data_sets_by_name_are_left_to_their_classifiers(placed):
    def data(channels, own=False):
        return ImageData("some", Split(images(channels=channels)), Split(images(channels=channels)), own=own)

    assert published_network(data(1), placed) is None
    assert published_network(data(1, own=True), placed).name == inception.NAME
    assert published_network(data(3), placed).name == inception.NAME


# === What is refused ===


def without(name):
    graph = stand_in.graph()
    for node in graph.node:
        if node.name == name:
            node.name = "other"
    return graph.SerializeToString()


def that_writes(path):
    """A graph that would write a file before it multiplies."""
    graph = stand_in.graph()
    for name, text in (("name", str(path)), ("contents", "bad")):
        node = graph.node.add(op="Const", name=name)
        node.attr["dtype"].type = tf.string.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(text))
    graph.node.add(op="WriteFile", name="write", input=["name", "contents"])
    next(node for node in graph.node if node.name == "Mul").input.append("^write")
    return graph.SerializeToString()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda path: b"no graph", "no TensorFlow graph"),
        (lambda path: stand_in.graph().SerializeToString()[:-100], "no TensorFlow graph"),
        (lambda path: b"", "a graph without ExpandDims, pool_3, softmax/logits/MatMul"),
        (lambda path: without("pool_3"), "a graph without pool_3"),
        (lambda path: without("conv/value"), "a graph without conv/value"),
        (that_writes, "a graph with WriteFile, which does more than to compute"),
    ],
    ids=["text", "torn", "empty", "without features", "without weights", "that writes a file"],
)
def test_another_file_in_its_place_is_said_and_left(tmp_path, content, reason):
    (tmp_path / FILE).write_bytes(content(tmp_path / "written"))
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(NotMeasuredError, match=rf"{FILE}: expected the graph of .* Received: {reason}.* Delete it"):
        inception_features(tmp_path)(images())
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_bytes() == before


# === Fetching ===


@pytest.fixture
def served(monkeypatch):
    """A server on this machine: a function that sets how it answers, and returns the paths that it was asked for."""
    asked, answers, over = [], [], threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            with contextlib.suppress(OSError):  # the other side went
                answers[-1](self, over)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(inception, "URL", f"http://127.0.0.1:{server.server_port}/models/inception.tgz")
    monkeypatch.setattr(inception, "_not_to_be_had", {})

    def serve(answer):
        answers.append(answer)
        return asked

    yield serve
    over.set()
    server.shutdown()
    server.server_close()


def whole(content, length=None):
    """Answers with the content, and says that it has `length` bytes; with length 0 it says nothing of it."""

    def answer(handler, _):
        handler.send_response(200)
        if length != 0:
            handler.send_header("Content-Length", str(length or len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def trickling(handler, over):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not over.wait(0.02):
        handler.wfile.write(b"\x1f")


def silent(handler, over):
    over.wait(60)


def trickling_headers(handler, over):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
    while not over.wait(0.02):
        handler.wfile.write(b"x")


def redirecting(content):
    def answer(handler, over):
        if handler.path == "/elsewhere":
            return whole(content)(handler, over)
        handler.send_response(302)
        handler.send_header("Location", "/elsewhere")
        handler.end_headers()

    return answer


def failing(handler, _):
    handler.send_error(404)


def test_it_is_fetched_once_and_then_found_in_the_cache(tmp_path, served):
    asked = served(whole(stand_in.archive()))
    cache = tmp_path / "new" / "cache"
    for _ in range(2):
        features, _ = inception_features(cache)(images())
        np.testing.assert_allclose(features, by_hand(images())[0], rtol=1e-4, atol=1e-4)
    assert asked == ["/models/inception.tgz"]
    assert [path.name for path in cache.iterdir()] == [FILE]


@pytest.mark.parametrize("answer", [redirecting(stand_in.archive()), whole(stand_in.archive(), length=0)])
def test_it_is_fetched_from_where_a_server_sends_one_and_without_a_size(tmp_path, served, answer):
    served(answer)
    assert inception_features(tmp_path)(images())[0].shape == (5, stand_in.FEATURES)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (failing, "the server answered 404 Not Found"),
        (whole(b"<html>Please log in</html>"), "Not a gzipped file"),
        (whole(gzip.compress(b"no archive" * 100)), "file could not be opened successfully|truncated|bad checksum"),
        (whole(stand_in.archive(name="other.pb")), f"it has no {FILE}"),
        (whole(stand_in.archive(b"no graph")), "no TensorFlow graph"),
        (whole(stand_in.archive()[:-500]), "ended before the end-of-stream marker"),
        (whole(stand_in.archive()[:-500], length=len(stand_in.archive())), "it broke off after [0-9,]+ of"),
        (whole(b"\0" * 30_000), "it is larger than 0 MB"),
        (whole(b"\0" * 30_000, length=0), "it is larger than 0 MB"),
        (whole(gzip.compress(b"\0" * 300_000)), "it unpacks to more than 0 MB"),
    ],
    ids=["none", "a page", "no archive", "another", "no graph", "torn", "broken off", "large", "no size", "a bomb"],
)
def test_what_cannot_be_had_is_said_and_not_asked_for_again(tmp_path, served, monkeypatch, answer, reason):
    monkeypatch.setattr(inception, "MOST_BYTES", 20_000)
    monkeypatch.setattr(inception, "MOST_UNPACKED", 200_000)
    asked = served(answer)
    for _ in range(2):
        with pytest.raises(
            NotMeasuredError, match=rf"no Inception in .*{FILE}.* fetched \(.*({reason}).*\).*curl -L"
        ) as told:
            inception_features(tmp_path)
        assert "\n" not in str(told.value)
    assert len(asked) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("answer", [trickling, silent, trickling_headers])
def test_a_slow_server_is_given_up(tmp_path, served, monkeypatch, answer):
    monkeypatch.setattr(inception, "SECONDS", 0.5)
    served(answer)
    begun = time.monotonic()
    with pytest.raises(NotMeasuredError, match=r"could not be fetched \(.*(MB came in 0\.5 s|timed out)"):
        inception_features(tmp_path)
    assert time.monotonic() - begun < 5.0  # of a busy machine
    assert not list(tmp_path.iterdir())


def test_a_machine_without_network_and_a_cache_that_cannot_be_written_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(inception, "_not_to_be_had", {})
    monkeypatch.setattr(inception, "URL", "http://127.0.0.1:9/inception.tgz")
    with pytest.raises(NotMeasuredError, match="Connection refused"):
        inception_features(tmp_path)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(inception, "_not_to_be_had", {})
    with pytest.raises(NotMeasuredError, match=r"Not a directory|File exists"):
        inception_features(tmp_path / "file")
