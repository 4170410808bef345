"""The package's own kernels beside Keras's layers and optimizer that compute the same.

python benchmarks/kernels.py --json=out.json

FusedAdam and Keras's Adam update all weights of the paper's MNIST networks. BatchNormReLU, and Keras's
BatchNormalization with its rectifier, run forward in training and back to inputs and weights, on the activations of
three layers of these networks: D's batch holds real and fake images. Keras / ours is the median of the rounds' ratios.
"""

from collections.abc import Callable

from absl import app, flags
from common import PRECISIONS, define_flags, in_turn, median, median_ratio, paper_model, report

FLAGS = flags.FLAGS
define_flags(rounds=9, steps=10, batch_size=128, image_size=28, precisions=PRECISIONS)

# A network, a layer of it, and how many batches pass through it at a time.
LAYERS = (("generator", "fc2_bn", 1), ("generator", "upconv1_bn", 1), ("trunk", "conv2_bn", 2))


def adam_updates(weights) -> dict[str, Callable]:
    """An update of `weights` by each Adam."""
    import keras
    import tensorflow as tf

    from infogan_tf.models.optimizers import FusedAdam

    gradients = [tf.random.normal(weight.shape) for weight in weights]
    functions = {}
    for name, kind in (("Keras", keras.optimizers.Adam), ("ours", FusedAdam)):
        optimizer = kind(1e-4)
        optimizer.build(weights)
        functions[name] = tf.function(lambda optimizer=optimizer: optimizer.apply(gradients, weights))
    return functions


def batch_norms(slope: float, shape: list[int], precision: str) -> dict[str, Callable]:
    """Batch norm and a rectifier of this negative slope, forward and back, by each kind of layers."""
    import keras
    import tensorflow as tf

    from infogan_tf.networks.layers import BatchNormReLU

    constants = {"momentum": 0.9, "epsilon": 1e-5, "dtype": precision}
    rectifier = keras.layers.LeakyReLU(slope, dtype=precision) if slope else keras.layers.ReLU(dtype=precision)
    layers = {
        "Keras": [keras.layers.BatchNormalization(**constants), rectifier],
        "ours": [BatchNormReLU(slope, **constants)],
    }
    dtype = keras.DTypePolicy(precision).compute_dtype
    inputs, upstream = (tf.cast(tf.random.normal(shape), dtype) for _ in range(2))
    return {name: _forward_and_back(keras.Sequential(pair), inputs, upstream) for name, pair in layers.items()}


def _forward_and_back(network, inputs, upstream):
    import tensorflow as tf

    network.build(inputs.shape)

    @tf.function
    def function():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = network(inputs, training=True)
        return outputs, tape.gradient(outputs, [inputs, *network.trainable_variables], output_gradients=upstream)

    return function.get_concrete_function()


def main(_):
    """Prints the table."""
    model = paper_model(FLAGS.image_size, "float32")
    weights = [v for player in model.PLAYERS for v in model.variables_of(player)]
    count = sum(weight.numpy().size for weight in weights)
    contenders = {("Adam", f"{count:,} weights", "float32"): adam_updates(weights)}
    for network, name, batches in LAYERS:
        layer = getattr(model, network).get_layer(name)
        shape = [batches * FLAGS.batch_size, *layer.output.shape[1:]]
        for precision in FLAGS.precisions:
            functions = batch_norms(layer.negative_slope, shape, precision)
            contenders["batch norm and rectifier", f"{network}, {name}: {shape}", precision] = functions
    functions = {(*what, who): function for what, pair in contenders.items() for who, function in pair.items()}
    times = in_turn(functions, FLAGS.rounds, FLAGS.steps)

    rows = []
    for what, on, precision in contenders:
        keras_times, ours = (times[what, on, precision, who] for who in ("Keras", "ours"))
        row = {"what": what, "on": on, "precision": precision}
        row |= {"Keras, ms": median(keras_times), "ours, ms": median(ours)}
        rows.append(row | {"Keras / ours": median_ratio(keras_times, ours)})
    report(f"median of {FLAGS.rounds} rounds of {FLAGS.steps} calls", rows, times)


if __name__ == "__main__":
    app.run(main)
