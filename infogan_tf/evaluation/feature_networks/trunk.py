"""The small convolutional network that is trained on the data itself, and how: on the CPU, from fixed seeds.

It neither reads nor changes any global random state: the same machine trains the same network again. Another kind of
machine rounds otherwise, which training magnifies: figures that are to agree in every digit need the same kept file.
"""

import math
import sys
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

CONVOLUTIONS = ((32, 5), (64, 3))  # filters and kernel size; the stride is 2
FEATURES = 128
SEED = 0
BATCH_SIZE = 128
LEARNING_RATE = 1e-2
# Small data sets get more passes than large ones.
MAX_EPOCHS = 30


def build(image_shape: tuple[int, int, int], outputs: int, name: str) -> keras.Sequential:
    """Builds the network from images to `outputs` numbers; its weights are a function of SEED and the shapes alone."""
    # Every option that Keras would take from its global state is given: dtypes, seeds and names.
    made = []

    def add(kind, name, *args, **kwargs):
        if kind in (layers.Conv2D, layers.Dense):
            kwargs["kernel_initializer"] = keras.initializers.HeNormal(SEED + len(made))
        made.append(kind(*args, name=name, dtype="float32", **kwargs))

    for number, (filters, width) in enumerate(CONVOLUTIONS, start=1):
        add(layers.Conv2D, f"conv{number}", filters, width, strides=2, padding="same", use_bias=False)
        add(layers.BatchNormalization, f"conv{number}_bn", momentum=0.9)
        add(layers.ReLU, f"conv{number}_relu")
    add(layers.Flatten, "flatten")
    add(layers.Dense, "fc", FEATURES, use_bias=False)
    add(layers.BatchNormalization, "fc_bn", momentum=0.9)
    add(layers.ReLU, "features")
    add(layers.Dense, "logits", outputs)
    with tf.device("/CPU:0"):
        return keras.Sequential([keras.Input(image_shape, dtype="float32", name="images"), *made], name=name)


def reader(
    model: keras.Sequential, probabilities: Callable[[tf.Tensor], tf.Tensor] | None
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor | None]]:
    """Returns the function from images to features, and to what `probabilities` makes of the model's outputs."""
    outputs = keras.Model(model.inputs, [model.get_layer("features").output, *model.outputs], name="outputs")

    @tf.function(reduce_retracing=True)
    def read(images):
        with tf.device("/CPU:0"):
            features, logits = outputs(images, training=False)
            return features, None if probabilities is None else probabilities(logits)

    return read


def train(model: keras.Model, batches: keras.utils.PyDataset, loss: Callable, learning_rate: float) -> None:
    """Fits the model to the batches, in their order, with one progress bar; the learning rate falls to 0."""
    with tf.device("/CPU:0"):
        schedule = keras.optimizers.schedules.CosineDecay(learning_rate, len(batches))
        optimizer = keras.optimizers.Adam(schedule, name=f"{model.name}_adam")
        model.compile(optimizer, loss, jit_compile=False, auto_scale_loss=False)
        # A file gets one line, not a bar.
        model.fit(batches, shuffle=False, verbose=1 if sys.stdout.isatty() else 2)


def batch_order(count: int, image_shape: tuple[int, int, int], most_steps: int) -> np.ndarray:
    """Returns which images each step trains on, int64 [steps, BATCH_SIZE]: a fixed shuffle of all, pass after pass.

    Args:
        count: Number of images.
        image_shape: Height, width and channels; larger images get fewer steps, for about the same time.
        most_steps: Steps at 28x28.
    """
    height, width, _ = image_shape
    steps = int(most_steps * min(1.0, 28 * 28 / (height * width)))
    steps = min(steps, MAX_EPOCHS * math.ceil(count / BATCH_SIZE))
    rng = np.random.default_rng(SEED)
    passes = [rng.permutation(count) for _ in range(math.ceil(steps * BATCH_SIZE / count))]
    return np.concatenate(passes)[: steps * BATCH_SIZE].reshape(steps, BATCH_SIZE)
