"""What a train step needs at the least, counted from the layers of the networks: operations and bytes."""

import math


def step_flops(model, batch_size: int) -> int:
    """Floating-point operations of a step's matrix products and convolutions, two for each multiplication and addition.

    G runs forward once, and back to its weights and inputs. D and Q see real and fake images forward, and back to
    weights and inputs; then, for G, the fakes again, forward and back to the images. Nothing goes back to the inputs of
    G, or in D's own update to the images.
    """
    generator = _multiplications(model.generator)
    trunk, q_head, d_head = (_multiplications(network) for network in (model.trunk, model.q_head, model.d_head))
    forward = 3 * (sum(trunk) + sum(d_head)) + 2 * sum(q_head) + sum(generator)
    to_weights = 2 * (sum(trunk) + sum(d_head)) + sum(q_head) + sum(generator)
    to_inputs = 3 * (sum(trunk) + sum(d_head)) - 2 * trunk[0] + 2 * sum(q_head) + sum(generator) - generator[0]
    return 2 * batch_size * (forward + to_weights + to_inputs)


def _multiplications(network) -> list[int]:
    """Of each layer with a kernel, for one image."""
    import keras

    counts = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            counts.append(math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3]))
        elif isinstance(layer, keras.layers.Conv2D):
            counts.append(math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3]))
        elif isinstance(layer, keras.layers.Dense):
            counts.append(math.prod(layer.kernel.shape))
    return counts


def activation_bytes(model, batch_size: int) -> int:
    """Bytes of all that the layers put out in the passes of a step.

    G runs once; trunk and D's head see real and fake images, and the fakes again for G; Q's head sees the fakes twice.
    A batch norm with its rectifier is one layer; gradients, and copies of weights in bfloat16, are not counted.
    """
    heads = 3 * _output_bytes(model.d_head) + 2 * _output_bytes(model.q_head)
    return batch_size * (_output_bytes(model.generator) + 3 * _output_bytes(model.trunk) + heads)


def _output_bytes(network) -> int:
    """Of all layers, for one image; those that give the same bytes another shape put out nothing."""
    import keras
    import tensorflow as tf

    views = (keras.layers.Reshape, keras.layers.Flatten)
    outputs = [layer.output for layer in network.layers if not isinstance(layer, views)]
    return sum(math.prod(output.shape[1:]) * tf.as_dtype(output.dtype).size for output in outputs)


def weight_bytes(model) -> int:
    """Of the four networks, batch norm's moving averages among them."""
    return sum(_bytes(network.variables) for network in model.networks.values())


def optimizer_bytes(model) -> int:
    """Of the state of both optimizers: Adam keeps two numbers for each weight."""
    return sum(_bytes(optimizer.variables) for optimizer in model.optimizers.values())


def average_bytes(model) -> int:
    """Of the averages of its weights."""
    return _bytes(model.averages.values) if model.averages else 0


def _bytes(variables) -> int:
    return sum(variable.numpy().nbytes for variable in variables)
