"""The networks of an export: they compute in float32, with weights as they are stored."""

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.export.inference import for_inference
from infogan_tf.models import InfoGAN
from infogan_tf.models.infogan import NETWORKS


def float32_twin(model: InfoGAN) -> InfoGAN:
    """A copy of `model`, not compiled, that computes in float32.

    It has the averaged weights, where `model` keeps them, and the class frequencies that were learnt.
    """
    twin = InfoGAN.from_config(model.get_config())
    for name in NETWORKS:
        network = getattr(twin, name)
        for layer in (network, *network._flatten_layers()):
            layer.dtype_policy = "float32"
    with model.averaged():
        for name in NETWORKS:
            getattr(twin, name).set_weights(getattr(model, name).get_weights())
    twin.step.assign(model.step)
    twin.layout = model.learnt_layout()
    return twin


class ExportedNetworks:
    """Generator and encoder, for the graphs of signatures, with weights that a SavedModel keeps.

    Attributes:
        module: holds the weights; what is to be saved.
        layout: of the latents.
        image_shape: height, width and channels.

    Args:
        model: computes in float32; its weights are copied.
        precision: "float32", or "float16": matrices and convolutions are stored so and made float32 where they are
            used, which halves the file. The few other weights stay float32.

    Raises:
        UserError: where weights are too large for float16.
    """

    def __init__(self, model: InfoGAN, precision: str = "float32"):
        self._model, self.layout, self.image_shape = model, model.layout, model.image_shape
        self._generator = for_inference(model.generator)
        networks = (self._generator, model.trunk, model.q_head)
        self._originals = [variable for network in networks for variable in network.variables]
        # Keras variables inside a tf.Module load in Python but not in the C++ loader of TF Serving; raw ones do.
        self.module = tf.Module()
        self.module.weights = [_stored(variable, precision) for variable in self._originals]

    def generate(self, latents: tf.Tensor) -> tf.Tensor:
        """Images [B, H, W, C] in [0, 1] of latents [B, layout.width]."""
        with self._weights():
            return self._generator(latents, training=False)

    def posterior(self, images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """As `InfoGAN.posterior`."""
        with self._weights():
            return self._model.posterior(images)

    def _weights(self):
        """A scope in which the Keras layers compute with the weights that are stored."""
        stored = (tf.cast(weight, tf.float32) for weight in self.module.weights)
        return keras.StatelessScope(state_mapping=zip(self._originals, stored, strict=True))


def _stored(variable: keras.Variable, precision: str) -> tf.Variable:
    value = variable.numpy()
    if precision == "float16" and value.ndim > 1:
        if np.abs(value).max() > np.finfo(np.float16).max:
            raise UserError(
                f"--export_precision: expected float32, as {variable.path} has weights up to {np.abs(value).max():g}, "
                "which are too large for float16. Received: float16"
            )
        value = value.astype(np.float16)
    return tf.Variable(value, trainable=False, name=variable.path)
