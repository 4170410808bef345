"""FusedAdam is Keras's Adam."""

import keras
import numpy as np
import pytest

from infogan_tf.models.optimizers import FusedAdam


@pytest.mark.parametrize("learning_rate", [1e-2, keras.optimizers.schedules.PiecewiseConstantDecay([3], [1e-2, 1e-3])])
def test_weights_and_state_follow_keras_adam(learning_rate):
    results = []
    for kind in (keras.optimizers.Adam, FusedAdam):
        rng = np.random.default_rng(0)
        weights = [keras.Variable(rng.normal(size=shape).astype(np.float32)) for shape in ((5, 3), (3,))]
        optimizer = kind(learning_rate, beta_1=0.5)
        optimizer.build(weights)
        for _ in range(8):
            optimizer.apply([rng.normal(size=v.shape).astype(np.float32) for v in weights], weights)
        results.append([v.numpy() for v in (*weights, *optimizer.variables)])
    for expected, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


def test_amsgrad_is_refused():
    with pytest.raises(ValueError, match=r"amsgrad: expected False; keras\.optimizers\.Adam has it"):
        FusedAdam(1e-3, amsgrad=True)
