"""dcgan, resnet and the paper's presets through all that a run does, on small oblong images in colour."""

import json

import numpy as np
import pytest
from conftest import assert_same, logged, run_here, weights

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.models.choices import check_options
from infogan_tf.runs.records import existing_run
from infogan_tf.runs.restored import restored_model

SHORT = ("--batch_size=8", "--latents=noise:4,cat:3,uniform:1", "--precision=float32", "--eval_every=1",
         "--checkpoint_every=1", "--cache_dir=cache")  # fmt: skip
FAMILIES = {
    "dcgan": ("--networks=dcgan", "--width=4", "--average_decay=0.9"),
    "resnet": ("--networks=resnet", "--width=4", "--d_updates=2"),
    "svhn": ("--networks=paper", "--preset=svhn", "--virtual_batch_norm", "--minibatch_kernels=3"),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_goes_on_to_the_same_bits_and_is_measured_drawn_and_exported(tmp_path, family):
    images = np.random.default_rng(0).integers(0, 256, (60, 20, 28, 3), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(60) % 3)
    flags = ("--dataset=own.npz", *SHORT, *FAMILIES[family])
    run_here(*flags, "--steps=2", "--run_dir=run", "--evaluation=none", cwd=tmp_path, exporting=False)
    kept = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert kept["spectral_norm"]  # the recipe's
    run_here("--resume", "--run_dir=run", "--steps=4", "--evaluation=quick", cwd=tmp_path)
    run_here(*flags, "--steps=4", "--run_dir=straight", "--evaluation=none", cwd=tmp_path, exporting=False)
    assert_same(weights(tmp_path / "straight", 4), weights(tmp_path / "run", 4))
    assert logged(tmp_path / "straight") == logged(tmp_path / "run")
    assert "mutual_info/c1" in json.loads((tmp_path / "run" / "evaluation.json").read_text())["figures"]
    run_here("--mode=export", "--run_dir=run", "--export_precision=float16", cwd=tmp_path)
    run_here("--mode=sample", "--run_dir=run", "--count=3", cwd=tmp_path)

    import tensorflow as tf

    model = restored_model(*existing_run(str(tmp_path / "run"), {})).float32_twin()
    shown, expected = images[:5] / np.float32(255), model.encode(images[:5])
    for version, tolerance in (("2", 1e-5), ("3", 1e-2)):
        served = tf.saved_model.load(str(tmp_path / "run" / "export" / "infogan" / version)).signatures
        found = served["encode"](images=tf.constant(shown))
        np.testing.assert_allclose(found["c1_probabilities"], expected["c1"]["probabilities"], atol=tolerance)
        noise = {"noise": tf.zeros((2, 4)), "c1": tf.constant([0, 1]), "c2": tf.constant([0.0, 0.5])}
        assert served["generate"](**noise)["images"].shape == (2, 20, 28, 3)


@pytest.mark.parametrize(
    ("networks", "size", "fits"),
    [
        ({"networks": "paper"}, "64", True),
        ({"networks": "paper"}, "64x128", False),
        ({"networks": "paper", "preset": "chairs"}, "128", False),
        ({"networks": "paper", "preset": "svhn"}, "128", True),
        ({"networks": "dcgan"}, "128x64", True),
        ({"networks": "resnet"}, "128", True),
    ],
)
def test_the_papers_dense_layers_go_to_64_pixels(networks, size, fits):
    config = Config(dataset="./photos", image_size=size, latents="noise:6,cat:10", **networks)
    if fits:
        check_options(config)
    else:
        with pytest.raises(UserError, match=f"--image_size: expected at most 64.*Received: '{size}'"):
            check_options(config)
