"""The networks of an export, which compute in float32 whatever precision their weights are stored in."""

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.export.inference import for_inference
from infogan_tf.models.base import GenerativeModel

# What weights can be stored in.
PRECISIONS = ("float32", "float16")


class ExportedNetworks:
    """Generator and encoder for the graphs of signatures, with weights that a SavedModel can store.

    Args:
        model: A model that computes in float32; its weights are copied.
        precision: Format in which weights are stored, "float32" or "float16". The latter applies to matrices and
            convolutions, which become float32 where they are used, and halves the file; other weights stay float32.

    Attributes:
        module: Module that holds the weights, to be saved.
        layout: Layout of the latents.
        reads: What can be read from images: "codes", "noise", "classes", or nothing, an empty text.
        image_shape: Height, width and channels of the images.

    Raises:
        UserError: Where weights are too large for float16.
    """

    def __init__(self, model: GenerativeModel, precision: str = "float32"):
        self._model = model
        self.layout, self.reads, self.image_shape = model.layout, model.READS, model.image_shape
        self._generator = for_inference(model.generator)
        networks = (self._generator, *(getattr(model, role) for role in model.READERS))
        self._originals = [variable for network in networks for variable in network.variables]
        # Keras variables inside a tf.Module load in Python but not in TF Serving's C++ loader; those of TensorFlow do.
        self.module = tf.Module()
        self.module.weights = [_stored(variable, precision) for variable in self._originals]

    def generate(self, latents: tf.Tensor) -> tf.Tensor:
        """Generates images, float32 [B, H, W, C] in [0, 1], from latents [B, layout.width]."""
        with self._weights():
            return self._generator(latents, training=False)

    def posterior(self, images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """Reads Q(c|x), or q(z|x), of images [B, H, W, C] in [0, 1], as `GenerativeModel.posterior` does."""
        with self._weights():
            return self._model.posterior(images)

    def _weights(self):
        """Returns a scope in which the Keras layers compute with the stored weights."""
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
