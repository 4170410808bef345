"""export/: client, load generator, examples and configuration, against servers that speak as TF Serving does.

REST is answered by `infogan_tf.explorer.rest`, gRPC by `prediction_service`. The real server is asked too where the
environment names its program, INFOGAN_MODEL_SERVER=/path/to/tensorflow_model_server, or one that runs,
INFOGAN_SERVER=http://HOST:PORT or grpc://HOST:PORT.
"""

import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, make_model
from PIL import Image

from infogan_tf import pictures
from infogan_tf.explorer.local_server import serving
from infogan_tf.explorer.rest import SavedModelRest
from infogan_tf.export import export_saved_model

sys.path.insert(0, str(ROOT / "export"))

import client as client_module
import load
from client import Client, ClientError, Refused, connect

README = (ROOT / "export" / "README.md").read_text()
REST, GRPC = "http://127.0.0.1:8501", "127.0.0.1:8500"  # as printed in the README


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    """Of the default latents on images of MNIST's size, which the README's examples ask for."""
    model = make_model(latents="noise:62,cat:10,uniform:2", image_shape=(28, 28, 1))
    return export_saved_model(model, tmp_path_factory.mktemp("kit") / "infogan", dataset="mnist")


@pytest.fixture(scope="module")
def loaded(saved_model):
    return tf.saved_model.load(str(saved_model))


@pytest.fixture(scope="module")
def rest(saved_model):
    with serving(SavedModelRest(saved_model).answer) as address:
        yield address


@pytest.fixture(scope="module")
def grpc_address(saved_model):
    pytest.importorskip("tensorflow_serving.apis", reason="tensorflow-serving-api is not installed")
    import prediction_service

    with prediction_service.serving(saved_model) as address:
        yield address


@pytest.fixture(params=["rest", "grpc"])
def url(request):
    return request.getfixturevalue("rest") if request.param == "rest" else f"grpc://{_grpc_of(request)}"


def _grpc_of(request):
    return request.getfixturevalue("grpc_address")


# === The client ===


def assert_answers_as(client: Client, loaded) -> None:
    """Every signature gives through the client what it gives in this process."""

    def expect(found, signature, **inputs):
        outputs = loaded.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
        assert set(found) == set(outputs)
        for name, value in outputs.items():
            value = np.asarray(value.numpy(), object if value.dtype == tf.string else None)
            assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape), name
            if value.dtype == object:
                assert found[name].tolist() == value.tolist()
            else:
                np.testing.assert_allclose(found[name], value, atol=1e-6, err_msg=name)

    rng = np.random.default_rng(0)
    codes = {"c1": np.array([3, 0, 9], np.int32), "c2": rng.uniform(-1, 1, 3).astype(np.float32)}
    codes["c3"] = codes["c2"][::-1].copy()
    noise, none = rng.uniform(-1, 1, (3, 62)).astype(np.float32), np.zeros(0, np.float32)
    images = client.generate(noise, **codes)
    expect({"images": images}, "serving_default", noise=noise, **codes)
    files = client.generate_png(noise, **codes)
    for file, image in zip(files, images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))), pictures.to_bytes(image)[..., 0])
    fixed = {"c1": np.array([3], np.int32), "c2": none, "c3": codes["c3"]}
    expect(client.sample(3, seed=-7, c1=3, c3=codes["c3"]), "sample", count=3, seed=-7, **fixed)
    inputs = {"code": "c3", "low": np.float32(-1), "high": np.float32(1.5), "steps": 4, "rows": 2, "seed": 5}
    expect(client.traverse("c3", -1.0, 1.5, steps=4, rows=2, seed=5), "traverse", **inputs)
    expect(client.encode(images), "encode", images=images)
    expect(client.encode_png(files), "encode_png", image_bytes=np.array(files, object))
    assert client.metadata["dataset"] == "mnist"
    assert client.readme().startswith("---\nlicense: apache-2.0\n")


def assert_refuses(client: Client) -> None:
    """What is out of range is refused by name, and the next request answered."""
    noise = np.zeros((2, 62), np.float32)
    codes = {"c1": [1, 2], "c2": [0.0, 0.0], "c3": [0.0, 0.0]}
    bad = {
        "c1: expected classes from 0 to 9": lambda: client.generate(noise, **codes | {"c1": [1, 12]}),
        "noise: expected numbers from": lambda: client.generate(noise * np.nan, **codes),
        "count: expected a number from 1 to": lambda: client.sample(10_000_000),
        "code: expected one of c1, c2, c3": lambda: client.traverse("c9"),
        "images: expected numbers from 0 to 1": lambda: client.encode(np.full((1, 28, 28, 1), 255.0)),
        "image_bytes: expected files that are PNG": lambda: client.encode_png([b"no picture"]),
        "what: expected one of metadata, readme": lambda: client.call("describe", {"what": "secrets"}),
    }
    for words, request in bad.items():
        with pytest.raises(Refused, match=words) as refused:
            request()
        assert "\n" not in str(refused.value)
        assert "node" not in str(refused.value)
    with pytest.raises(Refused):
        client.generate(noise[:, :5], **codes)
    assert client.sample(1)["images"].shape == (1, 28, 28, 1)


def test_the_client_gives_what_the_model_gives(url, loaded):
    with connect(url) as client:
        assert_answers_as(client, loaded)


def test_the_client_says_what_was_refused(url):
    with connect(url) as client:
        assert_refuses(client)


def test_of_several_checks_that_failed_the_first_is_said():
    # What a model on a GPU answers.
    message = (
        "Detected at node Assert/Assert defined at (most recent call last):\n<stack traces unavailable>\n"
        "2 root error(s) found.\n"
        "  (0) INVALID_ARGUMENT:  assertion failed: [c1: expected classes from 0 to 9] [Received: 12]\n"
        "\t [[{{node Assert/Assert}}]]\n"
        "  (1) INVALID_ARGUMENT:  assertion failed: [c1: expected classes from 0 to 9] [Received: 12]\n"
        "\t [[{{node Assert/Assert}}]]\n\t [[Identity/_7]]\n"
    )
    assert client_module._first_line(message) == "c1: expected classes from 0 to 9 Received: 12"


def test_a_connection_that_the_server_closed_is_made_anew(rest):
    with connect(rest) as client:
        client.sample(1)
        client.transport.connection.sock.shutdown(socket.SHUT_RDWR)
        assert client.sample(1)["c1"].shape == (1,)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


BAD_LINES = {
    "no address": (["--url", "127.0.0.1:8501"], "--url: expected http://HOST:PORT"),
    "address with a path": (["--url", "http://127.0.0.1/v1"], "--url: expected http://HOST:PORT"),
    "nobody there": (["--url", f"http://127.0.0.1:{free_port()}"], "--url: no answer from 127.0.0.1"),
    "another model": (["--url", REST, "--model", "other"], "Servable not found"),
    "unknown flag": (["--url", REST, "--c7", "3", "--output", "x.png"], "--c7: expected a flag (see --help), or"),
    "a word": (["--url", REST, "3", "--output", "x.png"], "3: expected a flag"),
    "no class": (["--url", REST, "--c1", "x", "--output", "x.png"], "--c1: expected a class. Received: 'x'"),
    "no value": (["--url", REST, "--output", "x.png", "--c1"], "--c1: expected a class. Received: ''"),
    "class 12": (
        ["--url", REST, "--c1", "12", "--output", "x.png"],
        "py: c1: expected classes from 0 to 9. Received: classes from 12 to 12",
    ),
    "count": (["--url", REST, "--count", "0", "--output", "x.png"], "count: expected a number from 1"),
    "huge count": (["--url", REST, "--count", "9" * 12, "--output", "x.png"], "--count: expected a number from 1 to"),
    "no picture": (["--url", REST, "--output", "x.txt"], "--output: expected a .png file"),
    "there already": (["--url", REST, "--output", "there.png"], "--output: expected a new file"),
    "no folder": (["--url", REST, "--output", "no/x.png"], "--output: expected a new file in a folder"),
    "no output": (["--url", REST, "--c1", "3"], "--output: expected the name"),
    "no file": (["--url", REST, "--encode", "nothing.png"], "--encode: expected files that can be read"),
    "traversal with a code": (["--url", REST, "--traverse", "c2", "--c1=3", "--output", "x.png"], "--c1: a traversal"),
    "unknown code": (["--url", REST, "--traverse", "c9", "--output", "x.png"], "code: expected one of c1, c2, c3"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_LINES)
def test_the_command_line_says_in_one_line_what_is_wrong(rest, tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.png").write_text("kept")
    arguments, words = BAD_LINES[name]
    assert client_module.main([rest if argument == REST else argument for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("client.py: ")
    assert said.count("\n") == 1
    assert words in said
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]
    assert (tmp_path / "there.png").read_text() == "kept"


def test_the_command_line_draws_what_was_asked_for(url, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = ["--url", url, "--count", "5", "--seed", "3", "--c1", "3", "--c2=-1.5", "--output", "grid.png"]
    assert client_module.main(line) == 0
    assert capsys.readouterr().out == "Wrote grid.png.\n"
    with connect(url) as client:
        images = client.sample(5, seed=3, c1=3, c2=-1.5)["images"]
    np.testing.assert_array_equal(np.asarray(Image.open("grid.png")), pictures.tile(images, 3)[..., 0])
    assert client_module.main(["--url", url]) == 0
    said = capsys.readouterr().out
    assert "InfoGAN on mnist" in said
    assert "c1  categorical of 10" in said


def test_rest_needs_no_tensorflow(rest, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'export')!r}); import client\n"
        f"client.main(['--url', {rest!r}, '--count', '1', '--output', 'x.png'])\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=900)


# === How the programs end ===

PROGRAMS = ("client.py", "load.py")


# A function between fork and exec would do in one process less; beside gRPC's threads it aborts now and then.
HEARING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def program(name, *flags, stdout, stderr=subprocess.PIPE):
    """One of them in a process of its own, which hears Ctrl-C whatever this one ignores."""
    command = [sys.executable, "-c", HEARING, str(ROOT / "export" / name), *flags]
    return subprocess.Popen(command, stdout=stdout, stderr=stderr, text=True)


@pytest.mark.parametrize("name", PROGRAMS)
def test_ctrl_c_ends_it_without_a_word(name):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        process = program(name, "--url", f"http://127.0.0.1:{deaf.getsockname()[1]}", stdout=subprocess.PIPE)
        deaf.settimeout(60)
        with deaf.accept()[0]:
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 130


def test_ctrl_c_ends_a_load_that_runs(rest):
    process = program("load.py", "--url", rest, "--requests", "1000000", "--clients", "2", stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=5)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 130


@pytest.mark.parametrize("asked", ["--help", "an answer"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_reader_that_has_gone_is_no_traceback(rest, name, asked):
    read, write = os.pipe()
    os.close(read)
    flags = ["--help"] if asked == "--help" else ["--url", rest, *(["--requests", "1"] if name == "load.py" else [])]
    process = program(name, *flags, stdout=write)
    os.close(write)
    assert (process.communicate(timeout=60)[1], process.returncode) == ("", 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is full")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_full_disk_is_said_in_one_line(name):
    with Path("/dev/full").open("w") as full:
        process = program(name, "--help", stdout=full)
        said = f"{name}: the output cannot be written (No space left on device)\n"
        assert (process.communicate(timeout=60)[1], process.returncode) == (said, 74)
        process = program(name, "--no-such-flag", "--url=", stdout=subprocess.PIPE, stderr=full)
        assert (process.communicate(timeout=60)[0], process.returncode) == ("", 2)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_stream_that_is_closed_is_no_traceback(name):
    line = shlex.join([sys.executable, str(ROOT / "export" / name)])
    for call, status in (("--help >&-", 0), ("--url= 2>&-", 2)):
        done = subprocess.run(f"{line} {call}", shell=True, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (status, "")
        assert "Traceback" not in done.stderr


# === The examples of the README ===


def examples(kind):
    """The code blocks that follow a mark of this kind, in order."""
    return re.findall(rf"<!-- {kind} -->\n```\w+\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs bash and curl")
def test_every_rest_example_of_the_readme_works_as_printed(rest, tmp_path):
    found = []
    for example in examples("rest"):
        command = ["bash", "-e", "-o", "pipefail", "-c", example.replace(REST, rest)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout) if done.stdout else {}
        assert "error" not in answer, (example, answer)
        found.append(answer)
    status, generate, _, sample, traverse, encode, encode_png, describe = found
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    assert np.shape(generate["predictions"]) == (3, 28, 28, 1)
    assert Image.open(tmp_path / "three.png").size == (28, 28)
    assert sample["outputs"]["c1"] == [3, 3]
    assert np.shape(traverse["outputs"]["images"]) == (15, 28, 28, 1)
    assert len(encode["predictions"][0]["c1_probabilities"]) == 10
    assert set(encode_png["predictions"][0]) == set(encode["predictions"][0])
    assert json.loads(describe["outputs"])["latents"] == "noise:62,cat:10,uniform:2"


def test_every_grpc_example_of_the_readme_works_as_printed(grpc_address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (40, 30)).save("three.png")
    found = {}
    for example in examples("grpc"):
        exec(compile(example.replace(GRPC, grpc_address), "README.md", "exec"), found)
    assert found["images"].shape == (3, 28, 28, 1)
    assert found["drawn"]["c1"].tolist() == [3, 3]
    assert Image.open("c2.png").size == (5 * 29 + 1, 3 * 29 + 1)
    assert found["read"]["c1_probabilities"].shape == (1, 10)
    assert found["metadata"]["dataset"] == "mnist"


def test_each_signature_has_an_example_of_either_kind(loaded):
    for kind in ("rest", "grpc"):
        text = "\n".join(examples(kind))
        for signature in set(loaded.signatures) - {"serving_default", "generate"}:
            assert f'"{signature}"' in text


def test_the_other_examples_of_the_readme_work_as_printed(rest, saved_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export").symlink_to(ROOT / "export")
    for line in examples("client")[0].replace(REST, rest).splitlines():
        assert client_module.main(line.split()[2:]) == 0, capsys.readouterr().err
    exec(compile(examples("python")[0].replace(REST, rest), "README.md", "exec"), {})
    assert "(4, 28, 28, 1)" in capsys.readouterr().out
    found = {}
    example = examples("saved_model")[0].replace("RUN/export/infogan/1", str(saved_model))
    exec(compile(example, "README.md", "exec"), found)
    assert found["posterior"]["c1_class"].shape == (4,)


# === Configuration ===


def compose():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return yaml.safe_load((ROOT / "export" / "compose.yaml").read_text())


def test_servers_listen_on_this_machine_alone_and_read_files_that_exist():
    services = compose()["services"]
    assert set(services) == {"infogan", "infogan-batching", "prometheus"}
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        mounts = dict(volume.rsplit(":", 2)[:2][::-1] for volume in service["volumes"])
        for inside, outside in mounts.items():
            assert outside.startswith("${EXPORT:") or (ROOT / "export" / outside).is_file()
            assert inside.startswith("/")
        for flag in service.get("command", ()):
            if flag.startswith("--") and "_file=" in flag:
                assert flag.split("=")[1] in mounts
    assert "docker run --rm -p 127.0.0.1:8500:8500 -p 127.0.0.1:8501:8501" in README


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_health_check_knows_a_version_that_is_available(rest):
    *shell, script = compose()["services"]["infogan"]["healthcheck"]["test"][1:]
    here = script.replace("127.0.0.1/8501", rest.removeprefix("http://").replace(":", "/"))
    assert here != script
    assert subprocess.run([*shell, here], timeout=900).returncode == 0
    assert subprocess.run([*shell, here.replace("models/infogan", "models/other")], timeout=900).returncode != 0
    nobody = script.replace("/8501", f"/{free_port()}")
    assert subprocess.run([*shell, nobody], stderr=subprocess.DEVNULL, timeout=900).returncode != 0


def test_the_model_config_is_what_the_server_reads():
    config = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    from google.protobuf import text_format

    text = (ROOT / "export" / "models.config").read_text()
    (model,) = text_format.Parse(text, config.ModelServerConfig()).model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("infogan", "/models/infogan", "tensorflow")


# === Load ===


def test_many_clients_get_right_answers_and_hostile_ones_are_refused(url, capsys):
    line = ["--url", url, "--clients", "4", "--requests", "150", "--hostile", "0.3", "--rows", "2"]
    assert load.main([*line, "--pid", str(os.getpid())]) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "\n150 requests in " in said
    for kind in (*load.SIGNATURES, load.HOSTILE):
        assert f"| {kind} | " in said
    assert "Good ones were all answered rightly, hostile ones all refused." in said


def test_each_hostile_request_is_refused(url):
    with connect(url) as client:
        for i, request in enumerate(load.hostile_requests(client.metadata, not url.startswith("grpc"))):
            assert load.ask(client, request, None) == "", i


def test_a_wrong_answer_is_noticed(rest):
    with connect(rest) as client:
        right = client.sample(2, seed=1)
        assert load.ask(client, lambda c: c.sample(2, seed=1), right) == ""
        assert load.ask(client, lambda c: c.sample(2, seed=2), right) == "another answer than before"
        assert load.ask(client, lambda c: c.sample(0), right).startswith("refused (")
        assert load.ask(client, lambda c: c.sample(2), None) == "not refused"


# === The real server ===


@pytest.mark.skipif("INFOGAN_MODEL_SERVER" not in os.environ, reason="INFOGAN_MODEL_SERVER names no server program")
def test_the_real_server_answers_and_refuses(saved_model, loaded, tmp_path):
    ports = {"port": free_port(), "rest_api_port": free_port()}
    models = (ROOT / "export" / "models.config").read_text().replace("/models/infogan", str(saved_model.parent))
    (tmp_path / "models.config").write_text(models)
    flags = {**ports, "model_config_file": tmp_path / "models.config"}
    flags["monitoring_config_file"] = ROOT / "export" / "monitoring.config"
    command = [os.environ["INFOGAN_MODEL_SERVER"], *(f"--{name}={value}" for name, value in flags.items())]
    process = subprocess.Popen(command)
    try:
        urls = f"http://127.0.0.1:{ports['rest_api_port']}", f"grpc://127.0.0.1:{ports['port']}"
        deadline = time.monotonic() + 120
        while True:
            try:
                with connect(urls[0]) as client:
                    client.sample(1)
                break
            except ClientError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(1.0)
        for url in urls:
            with connect(url) as client:
                assert_answers_as(client, loaded)
                assert_refuses(client)
            assert load.main(["--url", url, "--requests", "1000", "--hostile", "0.05"]) == 0
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(timeout=900)


@pytest.mark.skipif("INFOGAN_SERVER" not in os.environ, reason="INFOGAN_SERVER names no server that runs")
def test_a_running_server_answers_and_refuses(capsys):
    url = os.environ["INFOGAN_SERVER"]
    assert load.main(["--url", url, "--requests", "1000", "--hostile", "0.05"]) == 0, capsys.readouterr().out
