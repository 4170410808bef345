"""The paper's networks: shapes, parameter counts, initialisation, precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.networks.layers import VirtualBatchNormReLU, batch_statistics
from infogan_tf.networks.paper import paper_networks


def counts(**arguments):
    networks = paper_networks(**arguments)
    return {name: sum(int(np.prod(v.shape)) for v in net.trainable_variables) for name, net in networks.items()}


def test_parameter_counts_of_the_mnist_networks():
    assert counts(num_latents=74, num_parameters=14) == {
        # FC1024 + BN; FC 7*7*128 + BN; upconv64 + BN; upconv1 with bias
        "generator": 74 * 1024 + 2 * 1024 + 1024 * 6272 + 2 * 6272 + 4 * 4 * 128 * 64 + 2 * 64 + 4 * 4 * 64 + 1,
        # conv64 with bias; conv128 + BN; FC1024 + BN
        "trunk": 4 * 4 * 64 + 64 + 4 * 4 * 64 * 128 + 2 * 128 + 6272 * 1024 + 2 * 1024,
        "d_head": 1024 + 1,
        "q_head": 1024 * 128 + 2 * 128 + 128 * 14 + 14,
    }


def test_parameter_counts_of_the_digits_networks():
    assert counts(num_latents=74, num_parameters=14, image_shape=(16, 16, 1)) == {
        "generator": 74 * 1024 + 2 * 1024 + 1024 * 2048 + 2 * 2048 + 4 * 4 * 128 * 64 + 2 * 64 + 4 * 4 * 64 + 1,
        "trunk": 4 * 4 * 64 + 64 + 4 * 4 * 64 * 128 + 2 * 128 + 2048 * 1024 + 2 * 1024,
        "d_head": 1024 + 1,
        "q_head": 1024 * 128 + 2 * 128 + 128 * 14 + 14,
    }


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_shapes_ranges_and_float32_outputs(dtype):
    networks = paper_networks(9, 5, image_shape=(12, 8, 3), dtype=dtype)
    images = networks["generator"](np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32))
    features = networks["trunk"](images)
    logits, parameters = networks["d_head"](features), networks["q_head"](features)
    assert [tuple(x.shape) for x in (images, features, logits, parameters)] == [
        (4, 12, 8, 3),
        (4, 1024),
        (4, 1),
        (4, 5),
    ]
    assert {x.dtype.name for x in (images, logits, parameters)} == {"float32"}
    assert features.dtype.name == keras.DTypePolicy(dtype).compute_dtype
    assert 0.0 <= np.min(images) <= np.max(images) <= 1.0


def test_initial_weights_have_the_papers_spread():
    networks = paper_networks(74, 14)
    kernels = [v.numpy() for net in networks.values() for v in net.trainable_variables if v.path.endswith("kernel")]
    assert len(kernels) == 10
    for kernel in kernels:
        # A truncated normal of scale 0.02 has 0.88 of its spread.
        expected = 0.02 if kernel.ndim == 2 else 0.02 * 0.8796
        assert kernel.std() == pytest.approx(expected, rel=4 / np.sqrt(kernel.size))


def test_other_sizes_are_refused():
    with pytest.raises(UserError, match=r"multiples of 4. Received: \(30, 28, 1\)"):
        paper_networks(74, 14, image_shape=(30, 28, 1))


IMAGES = np.random.default_rng(0).uniform(size=(8, 8, 8, 1)).astype(np.float32)
TINY = {"num_latents": 9, "num_parameters": 5, "image_shape": (8, 8, 1)}


def spectral_norms(networks):
    """The largest singular values of D's kernels, by path."""
    variables = networks["trunk"].variables + networks["d_head"].variables
    kernels = {v.path: v.numpy() for v in variables if v.path.endswith("kernel")}
    return {path: np.linalg.svd(k.reshape(-1, k.shape[-1]), compute_uv=False)[0] for path, k in kernels.items()}


def test_spectral_norm_brings_ds_singular_values_to_one():
    keras.utils.set_random_seed(0)
    networks, images = paper_networks(9, 5, (4, 4, 1), spectral_norm=True), IMAGES[:, :4, :4]
    before = spectral_norms(networks)
    assert len(before) == 4
    assert all(abs(value - 1) > 0.05 for value in before.values())
    networks["d_head"](networks["trunk"](images))
    assert spectral_norms(networks) == before
    train = tf.function(lambda: networks["d_head"](networks["trunk"](images, training=True), training=True))
    # Each step is one power iteration. Of twelve starts, the worst was 1.2% off after 100 of them, 0.5% after 200.
    for _ in range(200):
        train()
    assert list(spectral_norms(networks).values()) == pytest.approx([1.0] * 4, abs=0.01)


def test_spectral_norm_is_ds_alone_and_adds_nothing_to_train():
    plain, normed = counts(**TINY), counts(**TINY, spectral_norm=True)
    assert normed == plain
    networks = paper_networks(**TINY, spectral_norm=True)
    wrapped = {name: sum("vector_u" in v.path for v in network.variables) for name, network in networks.items()}
    assert wrapped == {"generator": 0, "trunk": 3, "d_head": 1, "q_head": 0}
    for network in networks.values():
        assert len({id(v) for v in network.variables}) == len(network.variables)


def test_minibatch_discrimination_widens_ds_head():
    plain, wider = counts(**TINY), counts(**TINY, minibatch_kernels=7)
    assert wider == plain | {"d_head": 1024 * 7 * 5 + 1024 + 7 + 1}


def test_virtual_batch_norm_leaves_the_generators_weights_and_inference_as_they_are():
    reference = np.random.default_rng(1).normal(size=(6, 9)).astype(np.float32)
    assert counts(**TINY, reference_latents=reference) == counts(**TINY)
    plain, virtual = (paper_networks(**TINY, **more)["generator"] for more in ({}, {"reference_latents": reference}))
    assert sum(isinstance(layer, VirtualBatchNormReLU) for layer in virtual.layers) == 3
    plain.set_weights(virtual.get_weights())
    latents = np.random.default_rng(2).normal(size=(4, 9)).astype(np.float32)
    np.testing.assert_array_equal(virtual(latents), plain(latents))
    # In training an image does not depend on the rest of its batch, and the reference batch's are not given away.
    images = virtual(latents, training=True)
    assert images.shape == (4, 8, 8, 1)
    np.testing.assert_allclose(virtual(latents[:1], training=True), images[:1], atol=1e-5)
    assert np.abs(plain(latents[:2], training=True) - plain(latents, training=True)[:2]).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_everything_at_once_has_a_float32_twin(dtype):
    reference = np.random.default_rng(1).normal(size=(6, 9)).astype(np.float32)
    more = {"spectral_norm": True, "minibatch_kernels": 7, "reference_latents": reference}
    keras.utils.set_random_seed(0)
    model = InfoGAN("noise:4,cat:3,uniform:2", **paper_networks(9, 7, (8, 8, 1), dtype, **more))
    plain = InfoGAN("noise:4,cat:3,uniform:2", **paper_networks(9, 7, (8, 8, 1), **more))
    with batch_statistics(parts=2):
        logits = model.d_head(model.trunk(IMAGES, training=True), training=True)
    assert logits.dtype == "float32"
    plain.set_weights(model.get_weights())
    twin = model.float32_twin()
    for part in (lambda m: m.generator(np.eye(9, dtype=np.float32)), lambda m: m.d_head(m.trunk(IMAGES)),
                 lambda m: m.q_head(m.trunk(IMAGES))):  # fmt: skip
        np.testing.assert_array_equal(part(twin), part(plain))
        assert (np.abs(part(model) - part(plain)).max() > 0) == (dtype != "float32")
