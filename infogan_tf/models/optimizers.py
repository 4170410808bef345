"""Adam with its update in one kernel, and learning rates that fall at steps of a model."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="infogan_tf")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, its update computed by TensorFlow's fused kernel.

    The same formula (Kingma & Ba 2015, algorithm 1 with the bias correction folded into the step size) and the same
    saved state. Keras's own update is a dozen operations, each of which passes over all weights; with the paper's
    13 million weights they take longer than the generator. `benchmarks/kernels.py` measures the two. There is no
    `amsgrad`, of which the kernel knows nothing: a ValueError says so.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.amsgrad:
            raise ValueError("amsgrad: expected False; keras.optimizers.Adam has it. Received: True")

    def update_step(self, gradient, variable, learning_rate):  # noqa: D102 (Keras's own contract)
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, variable.dtype),
        )


@keras.saving.register_keras_serializable(package="infogan_tf")
class FallsAtSteps(keras.optimizers.schedules.PiecewiseConstantDecay):
    """A learning rate that falls at certain steps of a model, of which an optimizer may make several updates, or none.

    `compile` says whose steps they are; until then it goes by the updates of its optimizer. The arguments are those of
    `keras.optimizers.schedules.PiecewiseConstantDecay`.
    """

    model_step: keras.Variable | None = None

    def __call__(self, step):
        """The learning rate, a scalar."""
        return super().__call__(step if self.model_step is None else self.model_step)


def _handle(variable: keras.Variable | tf.Variable) -> tf.Tensor:
    """The resource that TensorFlow's kernels update in place."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
