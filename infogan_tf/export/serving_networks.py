"""The networks of an export: they compute in float32, with weights as they are stored."""

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.export.inference import for_inference
from infogan_tf.models.base import GenerativeModel


class ExportedNetworks:
    """Generator and encoder, for the graphs of signatures, with weights that a SavedModel keeps.

    Attributes:
        module: holds the weights; what is to be saved.
        layout: of the latents.
        read_codes: those that can be read back from images.
        image_shape: height, width and channels.

    Args:
        model: computes in float32; its weights are copied.
        precision: "float32", or "float16": matrices and convolutions are stored so and made float32 where they are
            used, which halves the file. The few other weights stay float32.

    Raises:
        UserError: where weights are too large for float16.
    """

    def __init__(self, model: GenerativeModel, precision: str = "float32"):
        self._model = model
        self.layout, self.read_codes, self.image_shape = model.layout, model.read_codes, model.image_shape
        self._generator = for_inference(model.generator)
        networks = (self._generator, *(getattr(model, role) for role in model.READERS))
        self._originals = [variable for network in networks for variable in network.variables]
        # Keras variables inside a tf.Module load in Python but not in the C++ loader of TF Serving; raw ones do.
        self.module = tf.Module()
        self.module.weights = [_stored(variable, precision) for variable in self._originals]

    def generate(self, latents: tf.Tensor) -> tf.Tensor:
        """Images [B, H, W, C] in [0, 1] of latents [B, layout.width]."""
        with self._weights():
            return self._generator(latents, training=False)

    def posterior(self, images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """As `GenerativeModel.posterior`."""
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
