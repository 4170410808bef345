"""The families of networks: shapes, parameter counts, initialisation, precision."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.networks.blocks import Maker, halvings, small_sides
from infogan_tf.networks.dcgan import dcgan_networks
from infogan_tf.networks.layers import BatchNormReLU, VirtualBatchNormReLU, batch_statistics
from infogan_tf.networks.paper import paper_networks
from infogan_tf.networks.presets import PRESETS
from infogan_tf.networks.resnet import resnet_networks
from infogan_tf.networks.spectral_norm import SpectralDense, SpectralNorm


def counts(family=paper_networks, **arguments):
    networks = family(**arguments)
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


def of_preset(name, latents, image_shape):
    layout = LatentLayout.parse(latents)
    return counts(num_latents=layout.width, num_parameters=layout.num_parameters, image_shape=image_shape, preset=name)


@pytest.mark.parametrize(
    ("preset", "latents"), [("svhn", "noise:124,cat:10x4,uniform:4"), ("celeb_a", "noise:128,cat:10x10")]
)
def test_parameter_counts_of_the_svhn_and_celeb_a_networks(preset, latents):
    width, parameters = {"svhn": (168, 4 * 10 + 4 * 2), "celeb_a": (228, 100)}[preset]
    assert of_preset(preset, latents, (32, 32, 3)) == {
        # FC 2*2*448 + BN; upconv256 + BN; upconv128, upconv64 and upconv3 with bias
        "generator": width * 1792 + 2 * 1792 + 16 * 448 * 256 + 2 * 256
        + 16 * 256 * 128 + 128 + 16 * 128 * 64 + 64 + 16 * 64 * 3 + 3,
        # conv64 with bias; conv128 + BN; conv256 + BN; no dense layer
        "trunk": 16 * 3 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 16 * 128 * 256 + 2 * 256,
        "d_head": 4 * 4 * 256 + 1,
        "q_head": 4096 * 128 + 2 * 128 + 128 * parameters + parameters,
    }  # fmt: skip


def test_parameter_counts_of_the_faces_networks():
    assert of_preset("faces", "noise:128,uniform:5", (32, 32, 1)) == {
        "generator": 133 * 1024 + 2 * 1024 + 1024 * 8192 + 2 * 8192 + 16 * 128 * 64 + 2 * 64 + 16 * 64 + 1,
        "trunk": 16 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 8192 * 1024 + 2 * 1024,
        "d_head": 1024 + 1,
        # One layer alone.
        "q_head": 1024 * 10 + 10,
    }


def test_parameter_counts_of_the_chairs_networks():
    assert of_preset("chairs", "noise:128,cat:20x3,uniform:1", (64, 64, 1)) == {
        # FC1024 + BN; FC 8*8*256 + BN; two upconv256, upconv128 and upconv64, each + BN; upconv1
        "generator": 189 * 1024 + 2 * 1024 + 1024 * 16384 + 2 * 16384 + 2 * (16 * 256 * 256 + 2 * 256)
        + 16 * 256 * 128 + 2 * 128 + 16 * 128 * 64 + 2 * 64 + 16 * 64 + 1,
        # conv64; conv128 and three conv256, each + BN, at 32, 16 and three times 8 pixels; FC1024 + BN
        "trunk": 16 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 16 * 128 * 256 + 2 * 256 + 2 * (16 * 256 * 256 + 2 * 256)
        + 16384 * 1024 + 2 * 1024,
        "d_head": 1024 + 1,
        "q_head": 1024 * 128 + 2 * 128 + 128 * 62 + 62,
    }  # fmt: skip


def test_parameter_counts_of_the_infogan_cr_networks():
    assert of_preset("infogan_cr", "noise:5,uniform:5", (64, 64, 1)) == {
        "generator": 10 * 128 + 2 * 128 + 128 * 1024 + 2 * 1024 + 16 * 64 * 64 + 2 * 64 + 16 * 64 * 32 + 2 * 32
        + 16 * 32 * 32 + 2 * 32 + 16 * 32 + 1,
        "trunk": 16 * 32 + 32 + 16 * 32 * 32 + 32 + 16 * 32 * 64 + 64 + 16 * 64 * 64 + 64 + 1024 * 128 + 128,
        "d_head": 128 + 1,
        "q_head": 128 * 10 + 10,
    }  # fmt: skip


def test_parameter_counts_of_the_dcgan_networks():
    assert counts(dcgan_networks, num_latents=74, num_parameters=14) == {
        # FC 4*4*256 + BN; upconv128 and upconv64, each + BN; upconv3 with bias
        "generator": 74 * 4096 + 2 * 4096 + 16 * 256 * 128 + 2 * 128 + 16 * 128 * 64 + 2 * 64 + 16 * 64 * 3 + 3,
        "trunk": 16 * 3 * 64 + 64 + 16 * 64 * 128 + 128 + 16 * 128 * 256 + 256,
        "d_head": 4096 + 1,
        "q_head": 4096 * 128 + 2 * 128 + 128 * 14 + 14,
    }
    # Batch norm takes the place of biases, but in the first layer.
    found = counts(dcgan_networks, num_latents=74, num_parameters=14, trunk_batch_norm=True)
    assert found["trunk"] == 16 * 3 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 16 * 128 * 256 + 2 * 256
    # The filters double to eight times as many and no further.
    large = counts(dcgan_networks, num_latents=7, image_shape=(128, 128, 3), width=4)
    convolutions = [(3, 4), (4, 8), (8, 16), (16, 32), (32, 32)]
    assert large["trunk"] == sum(16 * one * other + other for one, other in convolutions)
    assert large["d_head"] == 4 * 4 * 32 + 1
    assert "q_head" not in large


def test_parameter_counts_of_the_resnet_networks():
    found = counts(resnet_networks, num_latents=74, num_parameters=14, image_shape=(16, 16, 1), width=8)

    def up(one, other):
        return 2 * one + 9 * one * other + 2 * other + 9 * other * other + other + one * other + other

    def convolutions(one, other):
        return 9 * one * other + other + 9 * other * other + other

    assert found == {
        # FC 4*4*16; a block at 8 pixels and one at 16; BN; a convolution
        "generator": 74 * 256 + 256 + up(16, 16) + up(16, 8) + 2 * 8 + 9 * 8 + 1,
        # Two blocks with a 1x1 convolution beside them, and one without.
        "trunk": convolutions(1, 8) + 8 + 8 + convolutions(8, 16) + 8 * 16 + 16 + convolutions(16, 16),
        "d_head": 16 + 1,
        "q_head": 16 * 128 + 2 * 128 + 128 * 14 + 14,
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


# === Sizes ===

FAMILIES = {
    **{preset: functools.partial(paper_networks, preset=preset) for preset in PRESETS},
    "dcgan": functools.partial(dcgan_networks, width=4),
    "dcgan with batch norm": functools.partial(dcgan_networks, width=4, trunk_batch_norm=True),
    "resnet": functools.partial(resnet_networks, width=4),
}


@pytest.mark.parametrize("image_shape", [(28, 28, 3), (36, 20, 1)])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_every_size(family, image_shape):
    networks = FAMILIES[family](6, 5, image_shape)
    images = networks["generator"](np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32))
    features = networks["trunk"](images)
    assert images.shape == (3, *image_shape)
    assert len(features.shape) == 2
    assert networks["d_head"](features).shape == (3, 1)
    assert networks["q_head"](features).shape == (3, 5)


@pytest.mark.parametrize("family", [dcgan_networks, resnet_networks])
def test_new_families_go_to_128_pixels_and_refuse_what_is_no_multiple_of_4(family):
    assert family(6, image_shape=(128, 64, 1), width=4)["generator"].output_shape == (None, 128, 64, 1)
    with pytest.raises(UserError, match=r"multiples of 4. Received: \(30, 28, 1\)"):
        family(6, image_shape=(30, 28, 1))


def test_an_image_is_halved_until_its_shorter_side_is_about_4():
    found = {side: halvings((side, 128, 3)) for side in (4, 8, 16, 28, 32, 48, 60, 64, 96, 128)}
    assert found == {4: 1, 8: 1, 16: 2, 28: 2, 32: 3, 48: 3, 60: 3, 64: 4, 96: 4, 128: 5}
    for side in range(16, 132, 4):
        times = halvings((128, side, 1))
        assert all(4 <= each <= 8 or each == -(-128 // 2**times) for each in small_sides((128, side, 1), times))
        assert small_sides((side, side, 1), times)[0] * 2**times >= side


def test_what_is_over_is_cut_off_around_the_middle():
    small = np.random.default_rng(0).normal(size=(2, 40, 48, 3)).astype(np.float32)
    images = small
    for layer in Maker().images((40, 48), (36, 44, 3)):
        images = layer(images)
    np.testing.assert_allclose(images, 1 / (1 + np.exp(-small[:, 2:38, 2:46])), rtol=1e-5)
    assert [layer.name for layer in Maker().images((32, 48), (32, 48, 1))] == ["images"]


# === Residual blocks ===


def weights_of(network):
    """By layer and kind, float32."""
    found = {tuple(v.path.split("/")[-2:]): tf.constant(v.numpy()) for v in network.variables}
    return lambda layer, kind="kernel": found[layer, kind]


def test_the_discriminators_blocks_are_sngans():
    """By TensorFlow's own operations, in the paper's order: the 1x1 convolution, then half the size."""
    trunk = resnet_networks(6, image_shape=(16, 8, 3), width=4)["trunk"]
    rng = np.random.default_rng(0)
    trunk.set_weights([rng.normal(size=v.shape).astype(np.float32) / 3 for v in trunk.variables])
    of, images = weights_of(trunk), tf.constant(rng.uniform(size=(2, 16, 8, 3)).astype(np.float32))

    def conv(x, name):
        return tf.nn.conv2d(x, of(name), 1, "SAME") + of(name, "bias")

    x = conv(tf.nn.relu(conv(images, "block1_conv1")), "block1_conv2")
    x = tf.nn.avg_pool2d(x, 2, 2, "VALID") + tf.nn.avg_pool2d(conv(images, "block1_shortcut"), 2, 2, "VALID")
    x += conv(tf.nn.relu(conv(tf.nn.relu(x), "block2_conv1")), "block2_conv2")
    np.testing.assert_allclose(trunk(images), tf.reduce_sum(tf.nn.relu(x), [1, 2]), rtol=1e-4)


def test_the_generators_blocks_are_sngans():
    """The same, in inference: twice the size, then the 1x1 convolution."""
    generator = resnet_networks(6, image_shape=(8, 16, 1), width=4)["generator"]
    rng = np.random.default_rng(0)
    generator.set_weights([rng.uniform(0.2, 0.5, size=v.shape) * rng.choice([-1, 1]) ** (v.name == "kernel")
                           for v in generator.variables])  # fmt: skip
    of, latents = weights_of(generator), tf.constant(rng.normal(size=(2, 6)).astype(np.float32))

    def conv(x, name, bias=True):
        return tf.nn.conv2d(x, of(name), 1, "SAME") + (of(name, "bias") if bias else 0.0)

    def norm(x, name):
        scale = of(name, "gamma") / tf.sqrt(of(name, "moving_variance") + 1e-5)
        return tf.nn.relu((x - of(name, "moving_mean")) * scale + of(name, "beta"))

    def double(x):
        return tf.image.resize(x, [2 * side for side in x.shape[1:3]], "nearest")

    small = tf.reshape(latents @ of("fc") + of("fc", "bias"), (2, 4, 8, 4))
    x = conv(norm(conv(double(norm(small, "block1_bn1")), "block1_conv1", False), "block1_bn2"), "block1_conv2")
    x += conv(double(small), "block1_shortcut")
    expected = tf.sigmoid(conv(norm(x, "last_bn"), "last"))
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(generator(latents), expected, rtol=1e-4, atol=1e-5)


# === Options ===

IMAGES = np.random.default_rng(0).uniform(size=(8, 8, 8, 1)).astype(np.float32)
TINY = {"num_latents": 9, "num_parameters": 5, "image_shape": (8, 8, 1)}


def test_spectral_norm_is_ds_alone_and_adds_nothing_to_train():
    plain, normed = counts(**TINY), counts(**TINY, spectral_norm=True)
    assert normed == plain
    networks = paper_networks(**TINY, spectral_norm=True)
    wrapped = {name: sum(v.path.endswith("/u") for v in network.variables) for name, network in networks.items()}
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


@pytest.mark.parametrize(("family", "dtype"), [(dcgan_networks, "mixed_float16"), (resnet_networks, "mixed_bfloat16")])
def test_new_families_in_mixed_precision_have_a_float32_twin(family, dtype):
    arguments = {"image_shape": (20, 16, 3), "width": 4, "spectral_norm": True}
    keras.utils.set_random_seed(0)
    model = InfoGAN("noise:4,cat:3,uniform:2", **family(9, 7, dtype=dtype, **arguments))
    plain = InfoGAN("noise:4,cat:3,uniform:2", **family(9, 7, dtype="float32", **arguments))
    plain.set_weights(model.get_weights())
    twin, latents = model.float32_twin(), np.random.default_rng(0).normal(size=(5, 9)).astype(np.float32)
    images = model.generator(latents)
    features = model.trunk(images)
    outputs = (images, model.d_head(features), model.q_head(features))
    assert {output.dtype.name for output in outputs} == {"float32"}
    assert features.dtype.name == dtype.removeprefix("mixed_")
    np.testing.assert_array_equal(twin.generator(latents), plain.generator(latents))
    for head in ("d_head", "q_head"):
        found, expected = (getattr(m, head)(m.trunk(images)) for m in (twin, plain))
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_allclose(expected, getattr(model, head)(features), atol=0.05 * np.abs(expected).max())


def test_a_q_of_one_layer_has_ds_spectral_norm():
    networks = paper_networks(9, 5, (16, 16, 1), preset="infogan_cr", spectral_norm=True)
    assert [type(layer) for layer in networks["q_head"].layers] == [SpectralDense]
    assert sum(isinstance(layer, SpectralNorm) for layer in networks["trunk"].layers) == 5
    plain = paper_networks(9, 5, (16, 16, 1), preset="infogan_cr")
    assert [type(layer) for layer in plain["q_head"].layers] == [keras.layers.Dense]


@pytest.mark.parametrize("family", ["dcgan", "resnet"])
def test_ds_layers_all_have_spectral_norm_and_nothing_more_to_train(family):
    plain, normed = (FAMILIES[family](9, 5, (16, 16, 1), spectral_norm=given) for given in (False, True))
    for role, network in normed.items():
        has = [isinstance(layer, SpectralNorm) for layer in network.layers if hasattr(layer, "kernel_initializer")]
        assert set(has) == {role in ("trunk", "d_head")}
        norms = [layer for layer in network.layers if isinstance(layer, BatchNormReLU)]
        assert bool(norms) == (role in ("generator", "q_head"))
        trained = [[v.shape for v in networks[role].trainable_variables] for networks in (plain, normed)]
        assert trained[0] == trained[1]


def test_a_model_of_residual_networks_is_saved_whole(tmp_path):
    model = InfoGAN("noise:4,cat:3", **resnet_networks(7, 3, (8, 12, 3), width=4, spectral_norm=True))
    model.compile("adam", "adam", run_eagerly=True)
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 12, 3), dtype=np.uint8)
    model.fit(images, batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    for one, other in zip(model.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(
        copy.encode(images)["c1"]["probabilities"], model.encode(images)["c1"]["probabilities"]
    )
