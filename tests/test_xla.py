"""XLA compiles the whole step of every model, and of InfoGAN with everything that can be added to it."""

import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.config.options import Config
from infogan_tf.models import MODELS
from infogan_tf.models.build import build_model
from infogan_tf.models.choices import resolve

pytestmark = pytest.mark.slow

SMALL = {"precision": "float32", "average_decay": 0.9, "seed": 1}
EVERYTHING = {
    "latents": "noise:6,cat:3,uniform:2", "invariance_weight": 1.0, "haste": 2.0, "haste_steps": 1,
    "invariances": "rotate:10,shift:0.1,thicken:0.3,contrast:0.2,brightness:0.1,cutout:0.3,noise:0.1;c2~shear:0.3",
    "feature_matching_weight": 0.5, "augmentation": "scale:0.1,flip", "r1_weight": 0.1, "labelled": 6,
}  # fmt: skip
STEPS = {
    **{name: {"model": name} for name in MODELS},
    "everything": EVERYTHING,
    "a dcgan with spectral norm": {
        "networks": "dcgan", "width": 4, "spectral_norm": True, "trunk_batch_norm": True,
        "adversarial_loss": "relativistic", "invariance_weight": 1.0, "invariances": "crop:0.5,hue:20,grey:0.2",
    },
}  # fmt: skip


@pytest.mark.parametrize("options", STEPS.values(), ids=STEPS)
def test_the_whole_step_is_compiled_and_updates_everything(options):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8), np.arange(12) % 3
    config = resolve(Config(), {**SMALL, **options, "jit_compile": "true"})
    model = build_model(config, images.shape[1:])
    assert model.jit_compile
    before = {role: [variable.numpy() for variable in own.variables] for role, own in model.networks.items()}
    known = {"caption": np.zeros((12, 5), np.int32)}.get(model.TOLD, labels)
    data = tf.data.Dataset.from_tensors((images, (images, labels) if config.labelled else known))
    history = model.fit(data.repeat(2), verbose=0).history
    # The figures are not compared with those of the other step: XLA draws other numbers of the same seeds.
    assert all(np.isfinite(values).all() for values in history.values()), history
    for role, network in model.networks.items():
        moved = [(variable.numpy() != old).any() for variable, old in zip(network.variables, before[role], strict=True)]
        assert any(moved), role
