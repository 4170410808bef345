"""What is exported of a network computes what the network does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.export.inference import DoublingConvolution, for_inference
from infogan_tf.networks.layers import BatchNormReLU
from infogan_tf.networks.paper import paper_networks


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("virtual", [False, True])
def test_batch_norm_becomes_part_of_the_weights(channels, virtual):
    rng = np.random.default_rng(0)
    reference = rng.standard_normal((4, 16)).astype(np.float32) if virtual else None
    network = paper_networks(16, 4, (12, 16, channels), reference_latents=reference)["generator"]
    for variable in network.variables:
        # Weights that have learnt something, variances positive.
        change = rng.uniform(0.5, 1.5, variable.shape)
        variable.assign(variable * change + (0.1 if variable.shape[0] > 8 else 0.0) * change)
    before = [variable.numpy() for variable in network.variables]
    found = for_inference(network)
    assert not any(isinstance(layer, BatchNormReLU) for layer in found.layers)
    assert sum(isinstance(layer, DoublingConvolution) for layer in found.layers) == 1
    for count in (0, 1, 5):
        latents = rng.standard_normal((count, 16)).astype(np.float32)
        expected = network(latents, training=False)
        assert found(latents, training=False).shape == expected.shape
        np.testing.assert_allclose(found(latents, training=False), expected, atol=1e-5)
    assert np.std(expected) > 1e-3
    for variable, value in zip(network.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


@pytest.mark.parametrize("shape", [(3, 5, 7, 6), (1, 1, 1, 2), (2, 1, 4, 3)])
def test_the_product_is_the_transposed_convolution(shape):
    inputs = tf.random.stateless_normal(shape, [1, 2])
    expected = keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", bias_initializer="normal")
    outputs = expected(inputs)
    found = DoublingConvolution.from_config(expected.get_config())
    found.build(shape)
    found.set_weights(expected.get_weights())
    np.testing.assert_allclose(found(inputs), outputs, atol=1e-6)


def test_other_convolutions_are_left_alone():
    network = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            keras.layers.Conv2DTranspose(3, 3, padding="same"),
            BatchNormReLU(0.1),
            keras.layers.Conv2DTranspose(8, 4, strides=2, padding="same"),
        ]
    )
    assert [type(layer) for layer in for_inference(network).layers] == [type(layer) for layer in network.layers]
