"""Networks of dense layers alone, as in the paper that GANs come from (Goodfellow et al. 2014, arXiv:1406.2661).

On MNIST the authors' generator has two layers of 1,200 rectifiers, and their discriminator two of 240 maxout units of
five pieces each (Goodfellow et al. 2013, arXiv:1302.4389). Weights are uniform in +-0.05 in G and +-0.005 in D, as in
their code. Their dropout is left out: it would need draws of its own, and the default optimizers do without.
"""

import math

import keras
import tensorflow as tf
from keras import layers

G_UNITS, D_UNITS, PIECES = 1200, 240, 5


@keras.saving.register_keras_serializable(package="infogan_tf")
class Maxout(keras.layers.Dense):
    """A dense layer whose units are each the greatest of several linear pieces.

    Args:
        units: How many units.
        pieces: Of each, from 1.
        **kwargs: As `keras.layers.Dense` takes them; no activation.
    """

    def __init__(self, units: int, pieces: int = PIECES, **kwargs):
        super().__init__(units * pieces, **kwargs)
        self.pieces = pieces

    def call(self, inputs, training=None):
        """[B, F] -> [B, units]."""
        linear = super().call(inputs, training=training)
        return tf.reduce_max(tf.reshape(linear, (-1, self.units // self.pieces, self.pieces)), axis=-1)

    def compute_output_shape(self, input_shape):  # noqa: D102
        return (*input_shape[:-1], self.units // self.pieces)

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        return {**super().get_config(), "units": self.units // self.pieces, "pieces": self.pieces}


def mlp_networks(
    num_latents: int,
    num_parameters: int = 0,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    dtype: str | keras.DTypePolicy | None = None,
    num_labels: int = 0,
) -> dict[str, keras.Sequential]:
    """Builds the networks of dense layers, for images of any size.

    Args:
        num_latents: Width of the latents [z, c].
        num_parameters: How many numbers describe Q(c|x); 0 for no Q.
        image_shape: Height, width, channels.
        dtype: A Keras dtype policy; None is the global one.
        num_labels: How many columns say which label an image has; 0 for networks that are told none.

    Returns:
        "generator": latents [B, num_latents] to images [B, H, W, C] in [0, 1], float32;
        "trunk": images to features [B, 240];
        "d_head": features to the logit of "real" [B, 1], float32;
        "q_head", where there are parameters: features to the parameters of Q(c|x) [B, num_parameters], float32;
        "label_embedding", where there are labels: labels [B, num_labels] to vectors [B, F], float32.
    """

    def dense(kind, size, name, spread, **kwargs):
        initializer = keras.initializers.RandomUniform(-spread, spread)
        return kind(size, kernel_initializer=initializer, name=name, **{"dtype": dtype, **kwargs})

    generator = keras.Sequential(
        [
            keras.Input((num_latents,), name="latents"),
            dense(layers.Dense, G_UNITS, "fc1", 0.05, activation="relu"),
            dense(layers.Dense, G_UNITS, "fc2", 0.05, activation="relu"),
            dense(layers.Dense, math.prod(image_shape), "pixels", 0.05),
            layers.Reshape(image_shape, dtype=dtype, name="to_image"),
            layers.Activation("sigmoid", dtype="float32", name="images"),
        ],
        name="generator",
    )
    trunk = keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Flatten(dtype=dtype, name="flatten"),
            dense(Maxout, D_UNITS, "maxout1", 0.005),
            dense(Maxout, D_UNITS, "maxout2", 0.005),
        ],
        name="trunk",
    )

    def head(name, size, layer):
        inputs = keras.Input(trunk.output_shape[1:], name="features")
        return keras.Sequential([inputs, dense(layers.Dense, size, layer, 0.005, dtype="float32")], name=name)

    networks = {"generator": generator, "trunk": trunk, "d_head": head("d_head", 1, "logit")}
    if num_parameters:
        networks["q_head"] = head("q_head", num_parameters, "parameters")
    if num_labels:
        vector = dense(layers.Dense, D_UNITS, "vector", 0.005, use_bias=False, dtype="float32")
        inputs = keras.Input((num_labels,), name="labels")
        networks["label_embedding"] = keras.Sequential([inputs, vector], name="label_embedding")
    return networks
