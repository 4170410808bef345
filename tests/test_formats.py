"""ONNX and TFLite of the generator and the encoder, and the other examples of docs/keras.md and docs/measuring.md."""

import importlib.util
import re

import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, make_model, small_model

from infogan_tf.data import load_data
from infogan_tf.export import export_saved_model
from infogan_tf.export.portable import portable_networks
from infogan_tf.models.averages import AVERAGE_EVERY
from infogan_tf.models.callbacks import KNOW_SEVERAL
from infogan_tf.models.gan import GAN
from infogan_tf.networks.mlp import mlp_networks

LATENTS = "noise:6,cat:10,uniform:1,normal:1,bernoulli:1"
IMAGES = np.random.default_rng(0).integers(0, 256, (80, 8, 8, 1), dtype=np.uint8)


def run_examples(page, kind, found, **replaced):
    """Runs the examples of a kind on a page, one after another, with the names that are there."""
    texts = re.findall(rf"<!-- {kind} -->\n```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    assert texts
    for text in texts:
        for old, new in replaced.items():
            text = text.replace(old, new)
        exec(compile(text, page, "exec"), found)
    return found


@pytest.fixture(scope="module")
def model():
    """A model with averages of its weights that differ from the weights, which are float16 in part."""
    model = make_model(latents=LATENTS, dtype="mixed_bfloat16", average_decay=0.5)
    model.step.assign(AVERAGE_EVERY)
    for variable in model.network_variables:
        if "moving_variance" not in variable.path:
            variable.assign_add(0.01 * np.random.default_rng(0).standard_normal(variable.shape))
    return model


def closely(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.skipif(not importlib.util.find_spec("tf2onnx"), reason="the extra onnx is not installed")
@pytest.mark.skipif(not importlib.util.find_spec("onnxruntime"), reason="the extra onnx is not installed")
def test_onnx_gives_what_the_model_gives(model, tmp_path, monkeypatch):
    import onnxruntime

    monkeypatch.chdir(tmp_path)
    found = run_examples("keras.md", "onnx", {"model": model})
    twin = model.float32_twin()
    closely(found["drawn"], twin.generate(found["latents"]))
    closely(found["probabilities"], twin.encode(found["drawn"])["c1"]["probabilities"])

    session = onnxruntime.InferenceSession("encoder.onnx")
    images = IMAGES[:7].astype(np.float32) / 255  # another number of rows
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, {"images": images}), strict=True))
    expected = {f"{c}_{what}": v for c, parts in twin.encode(images).items() for what, v in parts.items()}
    assert set(outputs) == set(expected)
    for name, value in expected.items():
        closely(outputs[name], value)


def test_portable_networks_have_the_averaged_weights(model):
    networks = portable_networks(model)
    now = [weight.numpy() for weight in model.generator.weights]
    with model.averaged():
        averaged = [weight.numpy() for weight in model.generator.weights]
    assert any(np.abs(one - other).max() > 1e-3 for one, other in zip(now, averaged, strict=True))
    for found, expected in zip(networks["generator"].weights, averaged, strict=True):
        np.testing.assert_array_equal(found, expected)
    for network in networks.values():
        assert {weight.dtype for weight in network.weights} == {"float32"}
        assert {layer.compute_dtype for layer in network._flatten_layers()} == {"float32"}


def test_a_model_without_codes_has_a_portable_generator_alone():
    assert set(portable_networks(GAN("noise:6", **mlp_networks(6, 0, (8, 8, 1))))) == {"generator"}


def test_the_model_of_a_run_is_had_as_the_page_says(tiny_run):
    model = run_examples("keras.md", "restored", {}, RUN=str(tiny_run[0]))["model"]
    assert int(model.step) == 4
    assert set(portable_networks(model)) == {"generator", "encoder"}


def test_tflite_gives_what_the_model_gives(live_model, exported, tmp_path, monkeypatch):
    found = compared_with_tflite(live_model, exported, tmp_path, monkeypatch)
    closely(found["drawn"], live_model.generate(live_model.layout.join(found["noise"], found["codes"])))
    closely(found["probabilities"], live_model.encode(found["drawn"])["c1"]["probabilities"])


@pytest.mark.slow
def test_tflite_of_an_export_of_half_the_size(live_model, tmp_path, monkeypatch):
    compared_with_tflite(
        live_model, export_saved_model(live_model, tmp_path / "half", "float16"), tmp_path, monkeypatch
    )


def compared_with_tflite(model, export, tmp_path, monkeypatch):
    """The names of the page's example, after what it makes was compared with the SavedModel."""
    monkeypatch.chdir(tmp_path)
    found = run_examples("keras.md", "tflite", {"model": model}, **{"RUN/export/infogan/1": str(export)})
    served = tf.saved_model.load(str(export)).signatures
    closely(found["drawn"], served["generate"](noise=found["noise"], **found["codes"])["images"])
    closely(found["probabilities"], served["encode"](images=found["drawn"])["c1_probabilities"])

    many = IMAGES[np.arange(500) % len(IMAGES)].astype(np.float32) / 255
    read, expected = found["encode"](images=many), served["encode"](images=many)
    assert set(read) == set(expected)
    for name, value in expected.items():
        closely(read[name], value)
    return found


@pytest.mark.skipif(not KNOW_SEVERAL, reason="Keras before 3.15")
def test_the_other_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = small_model()
    found = run_examples("keras.md", "given", {"model": model, "images": IMAGES})
    assert found["posterior"]["c1"]["probabilities"].shape == (80, 10)
    run_examples("keras.md", "callbacks", {"model": model, "images": IMAGES})
    assert (tmp_path / "best.keras").exists()


def test_an_encoder_of_ones_own_is_measured():
    # Its codes are the factors themselves but for the shape, which it does not know.
    factors = load_data("sprites").factors
    known = np.float64(factors.values())[:, 1:]
    seen = []

    def encoder(images):
        seen.append(images.shape)
        return known

    small = {"train=10_000, test=5_000": "train=150, test=100"}
    scores = run_examples("measuring.md", "encoder", {"encoder": encoder}, **small)["scores"]
    assert seen == [factors.images.shape]
    named = {"mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness", "factor_vae", "beta_vae"}
    assert set(scores) == named | {"modularity", "explicitness"}
    assert scores["modularity"] > 0.9
    assert scores["mig"] < 0.99  # of the shape nothing is known
