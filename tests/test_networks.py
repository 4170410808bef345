"""The paper's networks: shapes, parameter counts, initialisation, precision."""

import keras
import numpy as np
import pytest

from infogan_tf.errors import UserError
from infogan_tf.networks import paper_networks


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
