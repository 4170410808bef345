"""An export is complete or absent, says what it is, and warms its server up."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, make_model, run_here
from PIL import Image

from infogan_tf.errors import UserError
from infogan_tf.export import export_saved_model
from infogan_tf.export.warmup import FILE, warmup_requests
from infogan_tf.files import versions

SIGNATURES = {
    "serving_default", "generate", "generate_png", "sample", "traverse", "encode", "encode_png", "describe",
}  # fmt: skip


def test_versions_are_numbered_and_never_overwritten(live_model, tmp_path):
    base = tmp_path / "infogan"
    (base / "7").mkdir(parents=True)
    (base / "7" / "mine.txt").write_text("kept")
    assert export_saved_model(live_model, base) == base / "8"
    assert versions(base) == [7, 8]
    assert (base / "7" / "mine.txt").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["infogan"]


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_exported_in_float32(dtype):
    mixed, plain = make_model(dtype=dtype), make_model()
    plain.set_weights(mixed.get_weights())
    latents = plain.layout.sample(8, tf.constant([1, 1]))
    twin = mixed.float32_twin()
    np.testing.assert_array_equal(twin(latents), plain(latents))
    assert np.abs(mixed(latents) - plain(latents)).max() > 0
    assert mixed.trunk.layers[0].compute_dtype != "float32"


# === Half the size ===


def weights_size(folder):
    return sum(path.stat().st_size for path in (folder / "variables").iterdir())


def test_float16_halves_the_size_and_rounds_the_weights_alone(live_model, exported, tmp_path):
    folder = export_saved_model(live_model, tmp_path / "infogan", "float16")
    assert weights_size(folder) < 0.51 * weights_size(exported)
    assert json.loads((folder / "assets.extra" / "metadata.json").read_text())["precision"] == "float16"
    noise, values = live_model.layout.sample_parts(64, tf.constant([1, 1]))
    signatures = tf.saved_model.load(str(folder)).signatures
    images = signatures["serving_default"](noise=noise, **values)["images"]
    # What export/README.md promises.
    live = live_model(live_model.layout.join(noise, values))
    assert 0.0 < np.abs(images - live).max() < 2e-3
    # The encoder is that of the live model with rounded matrices, to the bit.
    rounded = live_model.float32_twin()
    for variable in [*rounded.trunk.variables, *rounded.q_head.variables]:
        if len(variable.shape) > 1:
            variable.assign(variable.numpy().astype(np.float16))
    found = signatures["encode"](images=live)
    for name, parts in rounded.posterior(live).items():
        for what, value in parts.items():
            np.testing.assert_array_equal(found[f"{name}_{what}"], value)


def test_weights_too_large_for_float16_are_refused(tmp_path):
    model = make_model()
    model.trunk.get_layer("conv1").kernel.assign(tf.fill((4, 4, 1, 64), 70_000.0))
    with pytest.raises(UserError, match=r"--export_precision: expected float32, as .*conv1.* up to 70000"):
        export_saved_model(model, tmp_path / "infogan", "float16")
    assert list(tmp_path.iterdir()) == []


# === What it says of itself ===


def test_the_metadata_says_what_the_model_is(live_model, exported):
    metadata = json.loads((exported / "assets.extra" / "metadata.json").read_text())
    assert re.fullmatch("[0-9a-f]{64}", metadata.pop("weights"))
    assert metadata["versions"].pop("tensorflow") == tf.__version__
    assert set(metadata.pop("versions")) == {"infogan_tf", "keras", "numpy", "python"}
    assert metadata == {
        "format": 2,
        "model": "InfoGAN",
        "latents": "noise:6,cat:10,uniform:1,normal:1,bernoulli:1",
        "noise": {"size": 6, "distribution": "uniform"},
        "codes": [
            {
                "name": "c1",
                "kind": "categorical",
                "num_classes": 10,
                "read": True,
                "does": "the class",
                "classes": ["zero", "one", *[""] * 8],
            },
            {
                "name": "c2",
                "kind": "uniform",
                "num_classes": None,
                "read": True,
                "does": "width, rho = 0.68",
                "classes": [],
            },
            {"name": "c3", "kind": "normal", "num_classes": None, "read": True, "does": "", "classes": []},
            {"name": "c4", "kind": "bernoulli", "num_classes": 2, "read": True, "does": "", "classes": []},
        ],
        "read_classes": [],
        "reads": "codes",
        "labels": "none",
        "image_shape": [8, 8, 1],
        "dataset": "digits",
        "step": 2,
        "options": {"steps": 2, "latents": "a|b"},
        "precision": "float32",
        "figures": {"accuracy/c1": 0.9651, "mutual_info/c1": 2.297},
        "stderrs": {"mutual_info/c1": 0.0008},
        "licence": "Apache-2.0",
    }


def test_an_evaluation_of_another_step_is_left_out(live_model, tmp_path):
    evaluation = {"step": 1, "figures": {"fid": 1.0}, "stderrs": {}, "codes": {"c1": {"does": "the class"}}}
    folder = export_saved_model(live_model, tmp_path / "infogan", evaluation=evaluation)
    metadata = json.loads((folder / "assets.extra" / "metadata.json").read_text())
    assert metadata["figures"] == {}
    assert metadata["codes"][0]["does"] == ""
    card = (folder / "README.md").read_text()
    assert "not evaluated" in card
    assert "model-index" not in card


def test_the_model_card_is_what_hubs_read_and_shows_its_pictures(exported):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    _, head, text = (exported / "README.md").read_text().split("---\n", 2)
    facts = yaml.safe_load(head)
    assert facts["license"] == "apache-2.0"
    assert facts["datasets"] == ["digits"]
    assert facts["pipeline_tag"] == "unconditional-image-generation"
    metrics = facts["model-index"][0]["results"][0]["metrics"]
    assert [(metric["type"], metric["value"]) for metric in metrics] == [
        ("accuracy/c1", 0.9651), ("mutual_info/c1", 2.297),
    ]  # fmt: skip
    for section in ("Latents", "Data", "Metrics", "Intended use and limits", "Use", "Options"):
        assert f"\n## {section}\n" in text
    assert "| Accuracy, one-to-one, c1 | 96.51% | higher is better |" in text
    assert "| c2 | uniform | -1 to 1 in training | width, rho = 0.68 |" in text
    for name in ("samples", "c1", "c2", "c3", "c4"):
        assert f"(pictures/{name}.png)" in text
        with Image.open(exported / "pictures" / f"{name}.png") as picture:
            assert picture.size[0] > 8


def test_the_example_of_the_model_card_runs(exported, monkeypatch, capsys):
    example = (exported / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(exported)
    found = {}
    exec(compile(example, "README.md", "exec"), found)
    assert found["images"].shape == (16, 8, 8, 1)
    assert json.loads(capsys.readouterr().out)["dataset"] == "digits"


# === Warm-up ===


def test_every_signature_is_warmed_up_by_a_request_that_it_answers(live_model, exported):
    requests = warmup_requests(live_model)
    signatures = tf.saved_model.load(str(exported)).signatures
    assert {name for name, _ in requests} == set(signatures) == SIGNATURES
    for name, inputs in requests:
        signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})


def test_the_server_reads_the_warm_up_file(live_model, exported):
    prediction_log_pb2 = pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2", reason="tensorflow-serving-api is not installed"
    )
    records = list(tf.data.TFRecordDataset(str(exported / "assets.extra" / FILE)).as_numpy_iterator())
    requests = warmup_requests(live_model)
    for record, (signature, inputs) in zip(records, requests, strict=True):
        log = prediction_log_pb2.PredictionLog.FromString(record)
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert request.model_spec.signature_name == signature
        assert set(request.inputs) == set(inputs)
        for name, value in inputs.items():
            np.testing.assert_array_equal(tf.make_ndarray(request.inputs[name]), tf.constant(value).numpy())


# === Complete or absent ===

EXPORTER = """
import os, sys
sys.path[:0] = [{tests!r}, {root!r}]
from conftest import make_model
from infogan_tf.export import export_saved_model
model = make_model()
print("ready", flush=True)
while True:
    export_saved_model(model, "infogan")
    print("done", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_kill_leaves_no_new_version_or_a_complete_one(tmp_path):
    """INFOGAN_KILLS says how many random moments are tried, in processes that export without end."""
    rng, base = random.Random(0), tmp_path / "infogan"
    code = EXPORTER.format(tests=str(ROOT / "tests"), root=str(ROOT))
    found = []
    for _ in range(int(os.environ.get("INFOGAN_KILLS", "2"))):
        process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        started = time.monotonic()
        if not found:
            # The length of one export.
            assert process.stdout.readline() == "done\n"
            seconds = time.monotonic() - started
        time.sleep(rng.uniform(0.0, 1.5 * seconds))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        new = [base / str(version) for version in versions(base)]
        for folder in new:
            assert_complete(folder)
            shutil.rmtree(folder)
        assert list(base.iterdir()) == []
        found.append(len(new))
    print(f"Versions found after each kill: {found}")


def assert_complete(folder):
    """All that an export of the model in EXPORTER has is there, and answers."""
    signatures = tf.saved_model.load(str(folder)).signatures
    requests = warmup_requests(make_model())
    for name, inputs in requests:
        signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
    assert len(list(tf.data.TFRecordDataset(str(folder / "assets.extra" / FILE)))) == len(requests)
    text = signatures["describe"](what=tf.constant("metadata"))["text"].numpy().decode()
    assert (folder / "assets.extra" / "metadata.json").read_text() == text
    assert {path.name for path in (folder / "pictures").iterdir()} == {"samples.png", "c1.png", "c2.png", "c3.png"}
    for path in (folder / "pictures").iterdir():
        with Image.open(path) as picture:
            picture.load()


def test_export_mode_takes_the_next_version(tmp_path, tiny_run):
    run = tmp_path / "run"
    shutil.copytree(tiny_run[0], run)
    done = run_here("--mode=export", "--run_dir=run", "--export_precision=float16", cwd=tmp_path)
    assert "Exported run/export/infogan/2" in done.stdout
    base = run / "export" / "infogan"
    assert versions(base) == [1, 2]
    assert weights_size(base / "2") < 0.51 * weights_size(base / "1")
    config = json.loads((run / "config.json").read_text())["config"]
    metadata = json.loads((base / "2" / "assets.extra" / "metadata.json").read_text())
    for place in ("data_dir", "start_from"):
        config.pop(place)
    assert metadata["options"] == {**config, "export_precision": "float16"}
    assert (metadata["dataset"], metadata["step"]) == ("digits", 4)
