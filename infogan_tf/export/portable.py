"""Generator and encoder as plain Keras models, which Keras and others write in further formats, such as ONNX."""

from collections.abc import Callable

import keras
import numpy as np

from infogan_tf.models.base import GenerativeModel


class Posterior(keras.layers.Layer):
    """What a model reads by name, of its posterior's parameters.

    Args:
        posterior_of: The model's method of this name.
    """

    def __init__(self, posterior_of: Callable):
        super().__init__(name="posterior", dtype="float32")
        self.posterior_of = posterior_of

    def call(self, parameters):
        """[B, num_parameters] to <code>_<quantity>, [B, ...] each, as the exported model's `encode` calls it."""
        found = self.posterior_of(parameters)
        return {f"{name}_{what}": value for name, parts in found.items() for what, value in parts.items()}


def portable_networks(model: GenerativeModel) -> dict[str, keras.Model]:
    """Makes of a model what can be used without it: in float32, with the averaged weights where there are any.

    Args:
        model: The model, which stays as it is.

    Returns:
        "generator": Latents [B, layout.width] to images [B, H, W, C] in [0, 1]. `LatentLayout.join` makes latents: the
            noise, then each code's columns, a class as one of K that is 1 where the others are 0.
        "encoder": Images [B, H, W, C] in [0, 1] to Q(c|x), by names such as c1_probabilities [B, K], c2_mean and
            c2_stddev [B]; or to q(z|x), noise_mean and noise_stddev [B, noise.size]; not of a model that reads nothing.
    """
    twin = model.float32_twin()
    networks = {"generator": twin.generator}
    if twin.READERS:
        images = outputs = keras.Input(twin.image_shape, name="images")
        for role in twin.READERS:
            outputs = getattr(twin, role)(outputs)
        networks["encoder"] = keras.Model(images, Posterior(twin.posterior_of)(outputs), name="encoder")
    for network in networks.values():
        network(np.zeros((1, *network.input_shape[1:]), np.float32))  # Keras exports what was called
    return networks
