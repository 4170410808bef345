"""InfoGAN's relatives through all that a run does: they go on to the same bits, are measured, drawn and exported."""

import json

import numpy as np
import pytest
import tensorflow as tf
from conftest import assert_same, logged, run_here, weights

from infogan_tf import models
from infogan_tf.config.options import Config
from infogan_tf.models.build import build_model
from infogan_tf.models.choices import resolve
from infogan_tf.networks import FAMILIES

SHORT = ("--batch_size=8", "--precision=float32", "--eval_every=1", "--checkpoint_every=1", "--average_decay=0.9")
# By model, its flags, the figure that it has, and what can be asked of it, beside drawing.
MODELS = {
    "cgan": (["--latents=noise:4,label:3"], "label_accuracy/c1", set()),
    "vae": (["--latents=normal_noise:4"], "elbo", {"encode", "encode_png", "reconstruct"}),
    "cvae": (["--latents=normal_noise:4,label:3"], "elbo", {"encode", "encode_png", "reconstruct"}),
    "vaegan": (["--latents=normal_noise:4"], "elbo", {"encode", "encode_png", "reconstruct"}),
    "began": (["--latents=noise:4"], "accuracy/k-means", set()),
    "semi_supervised": (["--latents=noise:4,class:3", "--labelled=6"], "label_error/c1", {"encode", "encode_png"}),
    "text": (["--dataset=sprites", "--latents=noise:4,caption:sprites"], "caption_accuracy/all", set()),
    "infogan": (["--latents=noise:4,cat:3", "--labelled=6"], "label_error/c1", {"encode", "encode_png"}),
}


@pytest.mark.parametrize("precision", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)])
@pytest.mark.parametrize("model", models.MODELS)
def test_every_model_trains_in_mixed_precision(model, precision):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (8, 8, 8, 1), dtype=np.uint8), np.arange(8)
    config = resolve(Config(), {"model": model, "labelled": 8} if model == "semi_supervised" else {"model": model})
    trained = build_model(config, (8, 8, 1), precision=precision)
    before = [weight.numpy() for weight in trained.generator.trainable_weights]
    known = {"caption": np.zeros((8, 5), np.int32)}.get(trained.TOLD, labels)
    data = tf.data.Dataset.from_tensors((images, (images, labels) if config.labelled else known))
    # In float16 the first steps find how far a loss can be scaled, and move nothing.
    steps = 20 if precision == "mixed_float16" else 2
    history = trained.fit(data.repeat(steps), verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values()), history
    assert any(
        (weight.numpy() != old).any() for weight, old in zip(trained.generator.trainable_weights, before, strict=True)
    )
    assert trained.generate(trained.layout.sample(2, 0)).dtype == np.float32


@pytest.mark.parametrize("networks", FAMILIES)
@pytest.mark.parametrize("model", ["cgan", "text"])
def test_what_is_told_is_known_to_every_family_of_networks(model, networks):
    latents = {"cgan": "noise:4,label:3", "text": "noise:4,caption:sprites"}[model]
    config = resolve(Config(), {"model": model, "networks": networks, "latents": latents})
    built = build_model(config, (16, 16, 1), "float32")
    told = built.layout.told.width
    assert built.label_embedding(tf.eye(told)).shape == (told, built.trunk.output_shape[-1])


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_a_run_goes_on_to_the_same_bits_and_is_measured_drawn_and_exported(tmp_path, model, monkeypatch):
    # Of the classifier in whose features samples are measured, which needs many on sprites.
    monkeypatch.setattr("infogan_tf.evaluation.feature_networks.classifier.MAX_STEPS", 20)
    images = np.random.default_rng(0).integers(0, 256, (60, 12, 16, 1), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(60) % 3)
    own, figure, asked = MODELS[model]
    width = [] if model == "semi_supervised" else ["--width=4"]
    data = [] if own[0].startswith("--dataset") else ["--dataset=own.npz", "--cache_dir=cache"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    flags = [*data, f"--model={model}", *SHORT, *own, *width]
    run_here(*flags, "--steps=2", "--run_dir=run", "--evaluation=none", cwd=tmp_path, exporting=False)
    done = run_here("--resume", "--run_dir=run", "--steps=4", "--evaluation=quick", cwd=tmp_path)
    assert ("Measured (quick)" in done.stdout) == (model != "infogan")
    run_here(*flags, "--steps=4", "--run_dir=straight", "--evaluation=none", cwd=tmp_path, exporting=False)
    assert_same(weights(tmp_path / "straight", 4), weights(tmp_path / "run", 4))
    assert logged(tmp_path / "straight") == logged(tmp_path / "run")
    assert figure in json.loads((tmp_path / "run" / "evaluation.json").read_text())["figures"]
    page = (tmp_path / "run" / "report.html").read_text()
    labels = {"cgan": "all", "cvae": "all", "semi_supervised": "6", "infogan": "6", "text": "captions"}
    assert ("Training was told" in page) == (model in labels)
    assert (tmp_path / "run" / "samples" / "training.gif").exists()
    run_here("--mode=sample", "--run_dir=run", "--count=3", cwd=tmp_path)
    exported = tmp_path / "run" / "export" / "infogan" / "2"  # the first is a stand-in, of the run's first half
    assert {"generate", "sample", *asked} <= set(tf.saved_model.load(str(exported)).signatures)
    metadata = json.loads((exported / "assets.extra" / "metadata.json").read_text())
    assert metadata["labels"] == labels.get(model, "none")
