"""The SavedModel answers as the live model does, in TensorFlow alone and in its C++ loader."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model, run_here

from infogan_tf.export import export_saved_model, float32_twin, versions

LATENTS = "noise:6,cat:10,uniform:1,normal:1,bernoulli:1"


@pytest.fixture(scope="module")
def model():
    model = make_model(latents=LATENTS)
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), dtype=np.uint8)
    model.fit(images, batch_size=8, verbose=0)
    return model


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("export") / "infogan")


def request(model, count):
    """Inputs of serving_default, and the images that the live model draws of them."""
    noise, values = model.layout.sample_parts(count, tf.constant([4, 2]))
    inputs = {"noise": noise.numpy()} | {name: value.numpy() for name, value in values.items()}
    return inputs, model.generate(model.layout.join(noise, values))


def test_signatures_are_as_documented(exported):
    signatures = tf.saved_model.load(str(exported)).signatures
    inputs = signatures["serving_default"].structured_input_signature[1]
    assert {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in inputs.items()} == {
        "noise": ("float32", [None, 6]), "c1": ("int32", [None]), "c2": ("float32", [None]), "c3": ("float32", [None]),
        "c4": ("int32", [None]),
    }  # fmt: skip
    assert set(signatures["serving_default"].structured_outputs) == {"images"}
    assert set(signatures["encode"].structured_outputs) == {
        "c1_probabilities", "c1_class", "c2_mean", "c2_stddev", "c3_mean", "c3_stddev", "c4_probability",
    }  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 64])
def test_it_draws_and_reads_as_the_live_model(model, exported, count):
    signatures = tf.saved_model.load(str(exported)).signatures
    inputs, images = request(model, count)
    found = signatures["serving_default"](**{name: tf.constant(value) for name, value in inputs.items()})["images"]
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, images, atol=1e-6)
    posterior = signatures["encode"](images=found)
    live = model.encode(images)
    np.testing.assert_allclose(posterior["c1_probabilities"], live["c1"]["probabilities"], atol=1e-5)
    np.testing.assert_allclose(posterior["c3_stddev"], live["c3"]["stddev"], atol=1e-5)
    np.testing.assert_allclose(posterior["c4_probability"], live["c4"]["probability"], atol=1e-5)


def test_tensorflow_alone_loads_it(model, exported, tmp_path):
    inputs, images = request(model, 3)
    np.savez(tmp_path / "inputs.npz", **inputs)
    code = (
        "import sys, numpy as np, tensorflow as tf\n"
        "inputs = {k: tf.constant(v) for k, v in np.load('inputs.npz').items()}\n"
        "images = tf.saved_model.load(sys.argv[1]).signatures['serving_default'](**inputs)['images']\n"
        "np.save('images.npy', images)\n"
        "assert 'infogan_tf' not in sys.modules\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", code, str(exported)], cwd=tmp_path, env=environment, check=True, timeout=300)
    np.testing.assert_allclose(np.load(tmp_path / "images.npy"), images, atol=1e-6)


def tensor_names(exported):
    """The graph's tensor names of serving_default's inputs and outputs, as a server reads them."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    content = SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    signature = content.meta_graphs[0].signature_def["serving_default"]
    return {name: info.name for part in (signature.inputs, signature.outputs) for name, info in part.items()}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C++ library's name is Linux's")
@pytest.mark.parametrize("count", [0, 1, 64])
def test_the_cpp_session_loader_of_tf_serving_runs_it(model, exported, tmp_path, count):
    inputs, images = request(model, count)
    np.savez(tmp_path / "inputs.npz", **inputs)
    (tmp_path / "names.json").write_text(json.dumps(tensor_names(exported)))
    runner = Path(__file__).with_name("cpp_loader.py")
    command = [sys.executable, str(runner), str(exported), "names.json", "inputs.npz", "images.npy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "images.npy"), images, atol=1e-6)


@pytest.mark.parametrize(("name", "value"), [("c1", 10), ("c1", -1), ("c4", 2)])
def test_a_class_out_of_range_is_refused(model, exported, name, value):
    generate = tf.saved_model.load(str(exported)).signatures["serving_default"]
    inputs, _ = request(model, 2)
    inputs[name][1] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{name}: expected classes from 0"):
        generate(**{key: tf.constant(array) for key, array in inputs.items()})


def test_versions_are_numbered_and_never_overwritten(model, tmp_path):
    base = tmp_path / "infogan"
    (base / "7").mkdir(parents=True)
    (base / "7" / "mine.txt").write_text("kept")
    assert export_saved_model(model, base) == base / "8"
    assert export_saved_model(model, base) == base / "9"
    assert versions(base) == [7, 8, 9]
    assert (base / "7" / "mine.txt").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["infogan"]


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_exported_in_float32(dtype):
    mixed, plain = make_model(dtype=dtype), make_model()
    plain.set_weights(mixed.get_weights())
    latents = plain.layout.sample(8, tf.constant([1, 1]))
    twin = float32_twin(mixed)
    np.testing.assert_array_equal(twin(latents), plain(latents))
    assert np.abs(mixed(latents) - plain(latents)).max() > 0
    assert mixed.trunk.layers[0].compute_dtype != "float32"


def test_export_mode_takes_the_next_version(tmp_path, tiny_run):
    run = tmp_path / "run"
    shutil.copytree(tiny_run[0], run)
    done = run_here("--mode=export", "--run_dir=run", cwd=tmp_path)
    assert "Exported run/export/infogan/2" in done.stdout
    assert versions(run / "export" / "infogan") == [1, 2]
    config = json.loads((run / "config.json").read_text())["config"]
    assert config["latents"] == LATENTS
