"""Layers with spectral normalisation: weights divided by their largest singular value (Miyato et al. 2018).

A layer keeps its weights W as they are learnt, and computes with W / sigma(W); gradients flow through both (section
3.3 of arXiv:1802.05957). Sigma is |W u| of a vector u that power iteration turns towards the first singular vector. The
iteration does not belong to the forward pass, of which a train step has several: a model calls `iterate` once after
each update of these weights, see `GenerativeModel.update`.
"""

import keras
import tensorflow as tf

# Iterations on the weights that a layer begins with; training's one after each update then follows them.
FIRST_ITERATIONS = 10


class SpectralNorm:
    """What makes a Keras layer with a kernel one with spectral normalisation; it stands before it among the bases.

    The kernel counts as a matrix whose columns are its outputs. Everything here is float32, whatever the layer
    computes in.
    """

    def add_weight(self, *args, **kwargs):  # noqa: D102
        # Sigma is taken of the float32 weights; `kernel` casts the quotient.
        return super().add_weight(*args, **(kwargs | {"autocast": False} if kwargs.get("name") == "kernel" else kwargs))

    def build(self, input_shape):  # noqa: D102
        super().build(input_shape)
        self.u = self.add_weight(
            name="u", shape=self._kernel.shape[-1:], initializer="random_normal", trainable=False, autocast=False
        )
        for _ in range(FIRST_ITERATIONS):
            self.iterate()

    # Keras's dense and convolution layers save their own weights by name, and know no other.

    def save_own_variables(self, store):  # noqa: D102
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):  # noqa: D102
        keras.layers.Layer.load_own_variables(self, store)

    @property
    def kernel(self) -> tf.Tensor:
        """The weights divided by sigma, in the dtype that the layer computes in."""
        return tf.cast(tf.convert_to_tensor(self._kernel) / self.sigma(), self.compute_dtype)

    def sigma(self) -> tf.Tensor:
        """The largest singular value of the weights, as far as the iterations have found it; a float32 scalar.

        Its derivative by W is v u^T with v = W u / |W u|, as that of equation 10 of the paper. The vector need not have
        length 1: averages of it have less.
        """
        u = tf.convert_to_tensor(self.u)
        # The least number added has the root a derivative where all weights are 0.
        return tf.sqrt(tf.reduce_sum(tf.square(tf.linalg.matvec(self._matrix(), u))) + 1e-20) / tf.norm(u)

    def iterate(self) -> None:
        """One power iteration: u becomes W^T W u, of length 1; with weights that are all 0 it stays."""
        matrix, u = self._matrix(), tf.convert_to_tensor(self.u)
        turned = tf.linalg.matvec(matrix, tf.linalg.matvec(matrix, u), transpose_a=True)
        length = tf.norm(turned)
        self.u.assign(tf.where(length > 0.0, turned / length, u))

    def _matrix(self):
        """The weights, [inputs of an output, outputs]."""
        return tf.reshape(tf.convert_to_tensor(self._kernel), (-1, self._kernel.shape[-1]))


@keras.saving.register_keras_serializable(package="infogan_tf")
class SpectralDense(SpectralNorm, keras.layers.Dense):
    """`keras.layers.Dense` with spectral normalisation; its arguments are the same."""


@keras.saving.register_keras_serializable(package="infogan_tf")
class SpectralConv2D(SpectralNorm, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with spectral normalisation; its arguments are the same."""
