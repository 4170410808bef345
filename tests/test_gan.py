"""A model without codes, --model=gan, and networks of another family, --networks=mlp, through all that a run can do."""

import json
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, TINY, assert_same, logged, run_here, start, wait_for, weights
from cpp_loader import from_json, to_json
from PIL import Image
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from infogan_tf.explorer.local_server import serving
from infogan_tf.explorer.rest import SavedModelRest
from infogan_tf.explorer.site import Site
from infogan_tf.export.warmup import warmup_requests
from infogan_tf.networks.mlp import Maxout, mlp_networks
from infogan_tf.pictures import write_png
from infogan_tf.reports import charts, run_page
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import existing_run
from infogan_tf.runs.restored import restored_model

sys.path.insert(0, str(ROOT / "export"))
sys.path.insert(0, str(ROOT / "benchmarks"))

import chromium
import client as client_module
import load
from client import ClientError, connect

STEPS = ("--steps=4", "--batch_size=8", "--eval_every=2", "--checkpoint_every=2", "--precision=float32")
GAN = (*STEPS, "--model=gan", "--latents=normal_noise:6")
MLP = (*TINY, "--networks=mlp")
DRAWING = {"serving_default", "generate", "generate_png", "sample", "describe"}


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    """The folder of a finished run of four steps, measured, and what it printed. Not to be changed."""
    folder = tmp_path_factory.mktemp("gan")
    done = run_here(*GAN, "--evaluation=quick", "--run_dir=run", cwd=folder)
    return folder / "run", done.stdout


@pytest.fixture(scope="module")
def mlp(tmp_path_factory):
    """The same of an InfoGAN of dense layers, not measured."""
    folder = tmp_path_factory.mktemp("mlp")
    return folder / "run", run_here(*MLP, "--run_dir=run", cwd=folder).stdout


@pytest.fixture(scope="module")
def saved_model(gan):
    return gan[0] / "export" / "infogan" / "1"


@pytest.fixture(scope="module")
def address(saved_model):
    with serving(SavedModelRest(saved_model).answer) as url:
        yield url


# === Training ===


def test_a_run_without_codes_logs_and_draws_what_it_has(gan):
    run, printed = gan
    names = set().union(*logged(run))
    assert {"d_loss", "g_loss", "prob_real", "prob_fake_before"} <= names
    assert not [name for name in names if "mutual_info" in name or name.endswith("_error") or name == "q_loss"]
    pictures = sorted(path.name for path in (run / "samples").iterdir())
    assert pictures == ["samples_00000002.png", "samples_00000004.png", "training.gif"]
    with Image.open(run / "samples" / "training.gif") as animation:
        assert animation.n_frames == 2
    assert "L_I" not in printed
    assert "\n\n\n" not in printed
    assert not [name for name in weights(run, 4) if "q_head" in name]


@pytest.mark.parametrize("networks", ["mlp", "dcgan"])
def test_g_minimises_what_the_paper_writes_first(tmp_path, networks):
    options = (*GAN, f"--networks={networks}", "--adversarial_loss=minimax", "--evaluation=none")
    run_here(*options, "--run_dir=run", cwd=tmp_path, exporting=False)
    for line in logged(tmp_path / "run"):
        # A mean of logarithms is below the logarithm of the mean; after so few steps by little.
        assert np.log(1 - line["prob_fake_before"]) - 0.1 < line["g_loss"] <= np.log(1 - line["prob_fake_before"])


@pytest.mark.slow
def test_a_run_goes_on_to_the_same_bits_after_a_kill(tmp_path):
    options = (*GAN, "--networks=mlp", "--evaluation=none")
    process = start(tmp_path, *options, "--steps=600")
    wait_for(tmp_path / "run" / "checkpoints" / "step_00000002.npz", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    steps = max(int(path.stem[5:]) for path in (tmp_path / "run" / "checkpoints").glob("step_*.npz")) + 4
    run_here("--resume", "--run_dir=run", f"--steps={steps}", "--evaluation=none", cwd=tmp_path, exporting=False)
    run_here(*options, "--run_dir=straight", f"--steps={steps}", cwd=tmp_path, exporting=False)
    assert_same(weights(tmp_path / "straight", steps), weights(tmp_path / "run", steps))
    assert logged(tmp_path / "straight") == logged(tmp_path / "run")


def test_networks_of_dense_layers_have_the_shapes_of_the_images():
    networks = mlp_networks(12, 5, (10, 6, 3))
    assert {name: network.output_shape for name, network in networks.items()} == {
        "generator": (None, 10, 6, 3), "trunk": (None, 240), "d_head": (None, 1), "q_head": (None, 5),
    }  # fmt: skip
    assert set(mlp_networks(12)) == {"generator", "trunk", "d_head"}
    kinds = {type(layer) for network in networks.values() for layer in network.layers}
    assert kinds <= {keras.layers.Dense, keras.layers.Reshape, keras.layers.Activation, keras.layers.Flatten, Maxout}


def test_maxout_is_the_greatest_of_its_pieces():
    layer = Maxout(2, pieces=3)
    assert layer.compute_output_shape((None, 4)) == (None, 2)
    inputs = np.float32([[1, 2]])
    layer.build(inputs.shape)
    layer.set_weights([np.float32([[1, 0, 5, 0, 0, 0], [0, 1, -1, -1, -2, -3]]), np.float32([0, 0, 0, 0, 1, 9])])
    np.testing.assert_array_equal(layer(inputs), [[3, 3]])
    again = Maxout.from_config(layer.get_config())
    assert (again.units, again.pieces) == (6, 3)


def test_an_infogan_of_dense_layers_reads_its_codes(mlp):
    run, printed = mlp
    assert {f"mutual_info/c{i}" for i in range(1, 5)} <= set().union(*logged(run))
    assert "Mutual information L_I" in printed
    model = restored_model(*existing_run(str(run), {}))
    served = tf.saved_model.load(str(run / "export" / "infogan" / "1"))
    images = model.generate(model.layout.sample(5, [0, 0]))
    found, own = served.signatures["encode"](images=tf.constant(images)), model.encode(images)
    np.testing.assert_allclose(found["c1_probabilities"], own["c1"]["probabilities"], atol=1e-6)
    assert len(set(found["c2_mean"].numpy().tolist())) == 5


# === What is said of it ===


def test_the_report_leaves_out_what_it_has_not(gan):
    page = (gan[0] / "report.html").read_text()
    assert "<h1>GAN on digits</h1>" in page
    for absent in ("InfoGAN", "code", "L_I", "lambda", "The classes on real test images"):
        assert absent not in page.replace("/main.py", ""), absent
    cards = page[page.index('<div class="cards">') : page.index("<h2>Training")]
    assert "FID" in cards
    assert "k-means" not in cards  # a second opinion on the features, and no figure of the model
    found = json.loads((gan[0] / "evaluation.json").read_text())
    assert found["codes"] == {}
    assert {"fid", "kid", "recall", "log_likelihood", "accuracy/k-means"} <= set(found["figures"])
    assert not [name for name in found["figures"] if "mutual_info" in name or "/c1" in name]
    assert not [note for note in found["notes"] if "not measured" in note]


def test_samples_of_early_and_late_steps_stand_side_by_side(tmp_path):
    run = RunDirectory(tmp_path)
    run.samples.mkdir()
    for step in range(500, 12_001, 500):
        write_png(run.samples / f"samples_{step:08d}.png", np.zeros((3, 3, 1), np.uint8))
    captions = [grid.caption for grid in run_page._progress(run)]
    assert captions == ["Step 500", "Step 3,000", "Step 10,000", "Step 12,000"]


def test_runs_without_codes_are_compared_by_their_samples(gan, tiny_run, tmp_path):
    shutil.copytree(gan[0], tmp_path / "other")
    for others, expected in (([tmp_path / "other"], 2), ([tiny_run[0]], 1), ([tmp_path / "other", tiny_run[0]], 2)):
        output = f"{len(others)}-{expected}.html"
        runs = ",".join(map(str, (gan[0], *others)))
        done = run_here("--mode=compare", f"--runs={runs}", f"--output={output}", cwd=tmp_path)
        page = (tmp_path / output).read_text()
        assert page.count(": samples, step 4") == 2 * expected  # the caption, and the picture's alternative
        assert page.count(": c1 varied, step 4") == 2 * (tiny_run[0] in others)
        assert "From three runs on" not in done.stdout
    assert "ModelCentrality: not measured; not all runs have codes" in done.stdout


def test_a_loss_of_plain_outputs_has_a_chart_of_them():
    outputs = {"output_real": 0.5, "output_fake_before": -0.5, "output_fake_after": 0.1}
    lines = [{"step": step, "d_loss": 2.0, "g_loss": 0.0, **outputs} for step in (2, 4)]
    charted = dict(run_page._curves(lines, {}))
    assert list(charted) == ["Losses", "D's mean output"]
    assert all(name in charted["D's mean output"] for name in outputs)


def test_a_chart_leaves_out_what_cannot_be_drawn():
    values = (0.5, 1.7e308, float("nan"), float("-inf"), 1e299)
    curve = charts.curve([{"step": i, "d_loss": value} for i, value in enumerate(values, 1)], "d_loss")
    assert curve == ([1, 5], [0.5, 1e299])
    assert charts.line_chart({"a": curve}, "step", "d_loss").startswith("<svg")


def test_a_legend_has_room_for_its_names_and_none_for_lines_of_nothing():
    names = ("output_real", "output_fake_before", "output_fake_after")
    svg = charts.line_chart({name: ([1, 2, 3], [0, 1, 2]) for name in names} | {"nothing": ([], [])}, "step", "D")
    width = float(svg.partition('viewBox="0 0 ')[2].split()[0])
    for name in names:
        left = float(svg.partition(f">{name}<")[0].rpartition(' x="')[2].partition('"')[0])
        assert left + 5 * len(name) < width, name
    assert ">nothing<" not in svg


# === Samples ===


def test_samples_come_with_their_noise_and_without_codes(gan, tmp_path):
    for output in ("a.png", "a.npy", "a/"):
        done = run_here("--mode=sample", f"--run_dir={gan[0]}", "--count=5", f"--output={output}", cwd=tmp_path)
        assert "codes" not in done.stdout
    assert np.load(tmp_path / "a.npy").shape == (5, 16, 16, 1)
    pictures = [f"00000{i}.png" for i in range(5)]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [*pictures, "latents.csv"]
    for table in (tmp_path / "a.csv", tmp_path / "a" / "latents.csv"):
        header, *rows = table.read_text().splitlines()
        assert header.split(",") == [f"z{i}" for i in range(1, 7)]
        assert len(rows) == 5
    done = run_here("--mode=sample", f"--run_dir={gan[0]}", "--codes=c1=3", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--codes: " in done.stderr


# === Its export ===


def test_the_export_has_no_signature_that_needs_codes(gan, saved_model):
    served = tf.saved_model.load(str(saved_model))
    assert set(served.signatures) == DRAWING
    metadata = json.loads((saved_model / "assets.extra" / "metadata.json").read_text())
    assert (metadata["format"], metadata["model"], metadata["codes"]) == (2, "GAN", [])
    assert "lambda_info" not in metadata["options"]
    card = (saved_model / "README.md").read_text()
    assert "# GAN on digits" in card
    assert card.count("- gan\n") == 1
    for absent in ("InfoGAN", "infogan\n", "disentanglement", "encoder", "c1", "learnt without labels"):
        assert absent not in card, absent
    assert [path.name for path in (saved_model / "pictures").iterdir()] == ["samples.png"]

    model = restored_model(*existing_run(str(gan[0]), {}))
    requests = warmup_requests(model)
    assert {signature for signature, _ in requests} == DRAWING
    for signature, inputs in requests:
        served.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    noise = model.layout.sample(3, [0, 0]).numpy()
    drawn = served.signatures["serving_default"](noise=tf.constant(noise))["images"]
    np.testing.assert_allclose(drawn, model.generate(noise), atol=1e-6)


def test_a_card_of_codes_says_so(mlp):
    card = (mlp[0] / "export" / "infogan" / "1" / "README.md").read_text()
    for tag in ("infogan", "gan", "disentanglement"):
        assert card.count(f"- {tag}\n") == 1
    assert "representations with a meaning" in card


def test_the_export_loads_where_there_is_no_python(saved_model, tmp_path):
    graph = SavedModel.FromString((saved_model / "saved_model.pb").read_bytes()).meta_graphs[0]
    sample, inputs = graph.signature_def["sample"], {"count": np.int32(3), "seed": np.int32(7)}
    output = sample.outputs["images"].name
    fed = {sample.inputs[name].name: to_json(value) for name, value in inputs.items()}
    request = {"inputs": fed, "outputs": [output]}
    (tmp_path / "requests.json").write_text(json.dumps([request]))
    command = [sys.executable, str(ROOT / "tests" / "cpp_loader.py"), str(saved_model)]
    subprocess.run([*command, "requests.json", "answers.json"], cwd=tmp_path, check=True, timeout=900)
    (answer,) = json.loads((tmp_path / "answers.json").read_text())
    served = tf.saved_model.load(str(saved_model))
    expected = served.signatures["sample"](**{name: tf.constant(value) for name, value in inputs.items()})["images"]
    np.testing.assert_allclose(from_json(answer[output]), expected, atol=1e-6)


# === Asking a server for it ===


def test_the_client_draws_and_says_what_there_is_not(address):
    with connect(address) as client:
        drawn = client.sample(3, seed=5)
        assert set(drawn) == {"images"}
        assert drawn["images"].shape == (3, 16, 16, 1)
        noise = np.zeros((2, 6), np.float32)
        assert client.generate(noise).shape == (2, 16, 16, 1)
        assert len(client.generate_png(noise)) == 2
        for request, words in (
            (lambda: client.traverse("c1"), "traverse: expected a model with codes that vary. Received: GAN, without"),
            (lambda: client.encode(drawn["images"]), "encode: expected a model with codes that are read from images."),
            (lambda: client.encode_png([b""]), "encode_png: expected a model with codes that are read"),
            (lambda: client.sample(2, c1=3), "c1: expected no code, as GAN has none"),
            (lambda: client.generate(noise, c1=[3, 3]), "c1: expected no code, as GAN has none"),
        ):
            with pytest.raises(ClientError, match=words):
                request()


def test_the_client_on_the_command_line(address, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.png").write_bytes(b"")
    assert client_module.main(["--url", address]) == 0
    assert capsys.readouterr().out == "GAN on digits, step 4, images [16, 16, 1]\n"
    assert client_module.main(["--url", address, "--count=4", "--output=grid.png"]) == 0
    with Image.open("grid.png") as grid:
        assert grid.size == (35, 35)
    capsys.readouterr()
    for arguments, words in (
        (
            ["--traverse=c1", "--output=c1.png"],
            "traverse: expected a model with codes that vary. Received: GAN, without",
        ),
        (["--encode", "x.png"], "encode_png: expected a model with codes that are read from images. Received: GAN"),
        (["--c1=3", "--output=c1.png"], "--c1: expected a flag (see --help), or no code, as GAN has none"),
    ):
        assert client_module.main(["--url", address, *arguments]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"client.py: {words}")
        assert said.count("\n") == 1


def test_a_client_refuses_metadata_that_it_does_not_know(monkeypatch):
    client = client_module.Client(None)
    text = np.array(json.dumps({"format": 1}).encode(), object)
    monkeypatch.setattr(client, "call", lambda *_: {"text": text})
    with pytest.raises(ClientError, match=r"metadata: expected format 2\. Received: 1"):
        _ = client.metadata


def test_load_asks_what_the_model_has(address, capsys):
    asked = ["--url", address, "--clients=2", "--requests=60", "--hostile=0.5"]
    assert load.main(asked) == 0
    printed = capsys.readouterr().out
    assert "sample" in printed
    assert "encode" not in printed
    assert load.main([*asked, "--signatures", "sample", "encode"]) == 2
    assert "--signatures: expected those of the model. Received: encode" in capsys.readouterr().err
    with connect(address) as client:
        for i, request in enumerate(load.hostile_requests(client.metadata, over_http=True)):
            assert load.ask(client, request, None) == "", f"hostile request {i}"


# === The explorer ===


def test_the_page_shows_samples_alone(saved_model, gan):
    if chromium.missing():
        pytest.skip(chromium.missing())
    site = Site(SavedModelRest(saved_model), "a run without codes", RunDirectory(gan[0]))
    with chromium.browser() as browser, serving(site.answer) as url:
        page, wrong = browser.new_page(), []
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(url)
        page.wait_for_selector("#grid[data-shown]")
        assert (page.title(), page.inner_text("h1")) == ("GAN explorer: digits", "GAN explorer")
        images = "images => images.map(image => [image.src, image.alt])"
        before = page.eval_on_selector_all("#grid img", images)
        assert len(before) == 16
        assert before[0][1] == "Sample 1"
        assert not page.is_visible("#read")
        assert page.inner_text("#codes") == ""
        assert page.is_visible("#training")
        assert "strips" not in page.inner_text("#lock-note")
        # One is locked, the others change.
        page.click("#grid button >> nth=2")
        page.click("#new-noise")
        for _ in range(600):
            after = page.eval_on_selector_all("#grid img", images)
            if after[0] != before[0]:
                break
            page.wait_for_timeout(50)
        assert [a == b for a, b in zip(after, before, strict=True)] == [i == 2 for i in range(16)]
        assert "strips" not in page.inner_text("#lock-note")
        page.wait_for_timeout(300)  # longer than the strips wait
        assert wrong == []
        assert not page.is_visible("#error")
