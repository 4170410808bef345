"""Networks of dense layers with noise in D, of Salimans et al. 2016 (arXiv:1606.03498) for MNIST.

As in the authors' code: G has two layers of 500 softplus units with batch norm; D five layers of 1,000, 500, 250, 250
and 250 rectifiers with weight normalisation, Gaussian noise of 0.3 on the images and of 0.5 before each later layer.
"""

import math

import keras
import tensorflow as tf
from keras import layers

from infogan_tf.networks.blocks import Maker
from infogan_tf.networks.layers import BatchNorm, exchanges_statistics, num_parts
from infogan_tf.random import drawn_here, fold_in
from infogan_tf.replicas import over_replicas

G_UNITS, D_UNITS = (500, 500), (1000, 500, 250, 250, 250)
IMAGE_NOISE, FEATURE_NOISE = 0.3, 0.5


@keras.saving.register_keras_serializable(package="infogan_tf")
class WeightNormDense(keras.layers.Layer):
    """A dense layer whose outputs are g v x / |v| + b: Salimans & Kingma 2016 (arXiv:1602.07868).

    The first batch in training, on all replicas together, sets g and b so that its outputs have mean 0 and standard
    deviation 1 (section 3); from then on v and b are learnt, and g, one for each unit, is where `learn_scale` is true.
    Of a batch in parts (`batch_statistics`) the first part does: D is set by real images, as in the authors' code. The
    product is computed in the layer's compute dtype, all else in float32.

    Args:
        units: How many units.
        activation: What the outputs go through, as Keras names it; None is nothing.
        learn_scale: Whether g is learnt.
        **kwargs: As `keras.layers.Layer` takes them.
    """

    def __init__(self, units: int, activation: str | None = None, learn_scale: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.learn_scale = learn_scale

    def build(self, input_shape):  # noqa: D102
        def weight(name, shape, initializer, trainable=True):
            return self.add_weight(name=name, shape=shape, initializer=initializer, trainable=trainable, autocast=False)

        self.kernel = weight("kernel", (input_shape[-1], self.units), keras.initializers.RandomNormal(stddev=0.1))
        self.bias = weight("bias", (self.units,), "zeros")
        self.scale = weight("scale", (self.units,), "ones", trainable=self.learn_scale)
        self.is_set = weight("is_set", (), "zeros", trainable=False)

    def call(self, inputs, training=False):
        """[B, F] -> [B, units]."""
        v, scale, bias = (tf.convert_to_tensor(each) for each in (self.kernel, self.scale, self.bias))
        # The outputs are divided, which are fewer than the weights.
        projected = tf.cast(tf.cast(inputs, self.compute_dtype) @ tf.cast(v, self.compute_dtype), tf.float32)
        projected /= tf.norm(v, axis=0)
        if training:
            moments = _moments(tf.split(projected, num_parts())[0])
            scale, bias = tf.cond(self.is_set > 0, lambda: (scale, bias), lambda: _standardising(*moments()))
            self.scale.assign(scale)
            self.bias.assign(bias)
            self.is_set.assign(1.0)
        return self.activation(tf.cast(projected * scale + bias, self.compute_dtype))

    def compute_output_shape(self, input_shape):  # noqa: D102
        return (*input_shape[:-1], self.units)

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation, "learn_scale": self.learn_scale}


def _moments(outputs):
    """A function that gives mean and variance of outputs [B, units], over all replicas that may exchange them."""
    if not exchanges_statistics():
        return lambda: tf.nn.moments(outputs, axes=[0])
    # Here, as replicas cannot talk to each other inside a branch.
    mean, square = over_replicas(tf.reduce_mean(outputs, axis=0), tf.reduce_mean(tf.square(outputs), axis=0))
    return lambda: (mean, tf.maximum(square - tf.square(mean), 0.0))


def _standardising(mean, variance):
    """The factor and the term that give outputs of these moments mean 0 and standard deviation 1."""
    scale = tf.math.rsqrt(variance + 1e-8)
    return scale, -mean * scale


@keras.saving.register_keras_serializable(package="infogan_tf")
class Noise(keras.layers.Layer):
    """Adds Gaussian noise in training, a function of a key and of how many batches it has seen.

    The key is drawn when the layer is made, as initial weights are, and saved with them.

    Of a batch in parts (`batch_statistics`) each has noise of its own, shared out among replicas as its images are.

    Args:
        stddev: The noise's standard deviation.
        **kwargs: As `keras.layers.Layer` takes them.
    """

    def __init__(self, stddev: float, **kwargs):
        super().__init__(**kwargs)
        self.stddev = stddev
        # Its whole part is the key; float32 has all whole numbers below 2^24.
        keys = keras.initializers.RandomUniform(0.0, 2.0**24)
        self.key = self.add_weight(name="key", shape=(), initializer=keys, trainable=False, autocast=False)
        self.seen = self.add_weight(name="seen", shape=(), initializer="zeros", trainable=False, autocast=False)

    def call(self, inputs, training=False):
        """[B, ...] -> the same shape."""
        if not training:
            return inputs
        parts, shape = num_parts(), inputs.shape[1:]
        # A pass for G counts no batch, as it leaves D as it is; D's next pass, of other parts, draws other noise.
        seed = fold_in(tf.stack([tf.cast(self.key, tf.int32), tf.cast(self.seen, tf.int32)]), parts)
        noise = drawn_here(
            tf.shape(inputs)[0] // parts, lambda rows: tf.random.stateless_normal((rows, parts, *shape), seed)
        )
        self.seen.assign_add(1.0)
        return inputs + tf.cast(self.stddev * tf.concat(tf.unstack(noise, axis=1), axis=0), inputs.dtype)

    def compute_output_shape(self, input_shape):  # noqa: D102
        return input_shape

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        return {**super().get_config(), "stddev": self.stddev}


def noisy_mlp_networks(
    num_latents: int,
    num_parameters: int = 0,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    dtype: str | keras.DTypePolicy | None = None,
    sync_batch_norm: bool = True,
    num_labels: int = 0,
) -> dict[str, keras.Sequential]:
    """Builds the networks, for images of any size.

    Args:
        num_latents: Width of the latents [z, c].
        num_parameters: How many numbers describe Q(c|x); 0 for no Q.
        image_shape: Height, width, channels.
        dtype: A Keras dtype policy; None is the global one.
        sync_batch_norm: Whether batch norm takes its statistics over all replicas of a `tf.distribute` strategy.
        num_labels: How many columns say which label an image has; 0 for networks that are told none.

    Returns:
        "generator": latents [B, num_latents] to images [B, H, W, C] in [0, 1], float32;
        "trunk": images to features [B, 250];
        "d_head": features to the logit of "real" [B, 1], float32;
        "q_head", where there are parameters: features to the parameters of Q(c|x) [B, num_parameters], float32;
        "label_embedding", where there are labels: labels [B, num_labels] to vectors [B, 250], float32.
    """
    stack = [keras.Input((num_latents,), name="latents")]
    for i, units in enumerate(G_UNITS, 1):
        stack += [
            layers.Dense(units, use_bias=False, kernel_initializer=_small(), dtype=dtype, name=f"fc{i}"),
            BatchNorm(synchronized=sync_batch_norm, momentum=0.9, epsilon=1e-5, dtype=dtype, name=f"fc{i}_bn"),
            layers.Activation("softplus", dtype=dtype, name=f"fc{i}_softplus"),
        ]
    stack += [
        WeightNormDense(math.prod(image_shape), learn_scale=True, dtype=dtype, name="pixels"),
        layers.Reshape(image_shape, dtype=dtype, name="to_image"),
        layers.Activation("sigmoid", dtype="float32", name="images"),
    ]
    generator = keras.Sequential(stack, name="generator")

    stack = [keras.Input(image_shape, name="images"), layers.Flatten(dtype=dtype, name="flatten")]
    for i, units in enumerate(D_UNITS, 1):
        stddev = FEATURE_NOISE if i > 1 else IMAGE_NOISE
        stack += [
            Noise(stddev, dtype=dtype, name=f"noise{i}"),
            WeightNormDense(units, activation="relu", dtype=dtype, name=f"fc{i}"),
        ]
    trunk = keras.Sequential(stack, name="trunk")

    def head(name, units, layer):
        noise = Noise(FEATURE_NOISE, dtype="float32", name="noise")
        linear = WeightNormDense(units, learn_scale=True, dtype="float32", name=layer)
        return keras.Sequential([keras.Input(trunk.output_shape[1:], name="features"), noise, linear], name=name)

    networks = {"generator": generator, "trunk": trunk, "d_head": head("d_head", 1, "logit")}
    if num_parameters:
        networks["q_head"] = head("q_head", num_parameters, "parameters")
    if num_labels:
        networks["label_embedding"] = Maker(dtype).label_embedding(num_labels, trunk.output_shape[1:])
    return networks


def _small():
    return keras.initializers.RandomNormal(stddev=0.05)
