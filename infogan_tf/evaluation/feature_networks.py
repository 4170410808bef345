"""The networks in whose features generated images are compared with data.

Colour images use the Inception network; others a small classifier of their labels, trained once and then kept in a
file. Figures from different networks do not compare.
"""

import dataclasses
import hashlib
import math
import os
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from infogan_tf.data.images import ImageData
from infogan_tf.data.pixels import check_images, unit_images
from infogan_tf.environment.internet import reachable
from infogan_tf.errors import NotMeasuredError
from infogan_tf.files import whole_file

# === The classifier and its training ===
# Raise it with any change to either: a classifier of another recipe is not read from its file.
RECIPE = 1
CONVOLUTIONS = ((32, 5), (64, 3))  # filters and kernel size; the stride is 2
FEATURES = 128
SEED = 0
BATCH_SIZE = 128
LEARNING_RATE = 1e-2
# Five passes over MNIST. Larger images get fewer steps, for about the same time; small data sets get more passes.
MAX_STEPS = 2400
MAX_EPOCHS = 30
# The test accuracy that a classifier reaches unless something is broken.
LEAST_ACCURACY = {"mnist": 0.99}

# === Inception ===
INCEPTION_SOURCE = "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
INCEPTION_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
INCEPTION_SIZE = (299, 299)


@dataclasses.dataclass(frozen=True)
class FeatureNetwork:
    """A fixed network that gives images' features and class probabilities.

    Attributes:
        name: Description of the network in one line, for a report.
        read: Function of images [B, H, W, C], float32 in [0, 1], that returns their features, float32 [B, D], and class
            probabilities, float32 [B, K].
        batch_size: The most images passed to `read` at once.
    """

    name: str
    read: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
    batch_size: int = 500

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the features, float32 [N, D], and class probabilities, float32 [N, K], of images.

        Args:
            images: Images [N, H, W, C], integers in 0..255 or floats in [0, 1]; N is 1 or more.

        Raises:
            ValueError: Where there is no image, or images have other values.
        """
        if not len(images):
            raise ValueError(f"images: expected at least one. Received: images={images.shape}")
        check_images(images)
        starts = range(0, len(images), self.batch_size)
        parts = [self.read(unit_images(tf.convert_to_tensor(images[i : i + self.batch_size]))) for i in starts]
        features, probabilities = (np.concatenate(part) for part in zip(*parts, strict=True))
        return features, probabilities


def feature_network(data: ImageData, cache_dir: Path | None = None) -> FeatureNetwork:
    """Returns the network for the images of `data`: Inception for three channels, else a classifier of their labels.

    Args:
        data: Images; labels in both splits where they are not in colour.
        cache_dir: Folder of kept classifiers, as in `classifier_features`.

    Raises:
        NotMeasuredError: As `classifier_features` and `inception_features` raise it.
    """
    return inception_features() if data.image_shape[-1] == 3 else classifier_features(data, cache_dir)


def classifier_features(data: ImageData, cache_dir: Path | None = None) -> FeatureNetwork:
    """Returns a small convolutional classifier of the data's labels, trained on first use and then kept in a file.

    Its features are the last hidden layer, [N, 128]. It is trained on the train split, on the CPU in float32, from
    fixed seeds, and neither reads nor changes any global random state: the same machine trains the same network again.
    Another kind of machine rounds otherwise, which training magnifies: figures that are to agree in every digit need
    the same kept file.

    Args:
        data: Images with labels in both splits.
        cache_dir: Folder of kept classifiers; by default $XDG_CACHE_HOME/infogan_tf, or ~/.cache/infogan_tf where that
            is not set.

    Raises:
        NotMeasuredError: Where there are no labels, or the accuracy on the test split is below LEAST_ACCURACY.
    """
    if data.train.labels is None or data.test.labels is None:
        raise NotMeasuredError(
            f"the feature network of {data.name}: expected labels of both splits, to train a classifier. Received: none"
        )
    model = _build_classifier(data.image_shape, int(data.train.labels.max()) + 1)
    outputs = keras.Model(model.inputs, [model.get_layer("features").output, *model.outputs], name="outputs")

    @tf.function(reduce_retracing=True)
    def read(images):
        with tf.device("/CPU:0"):
            features, logits = outputs(images, training=False)
            return features, tf.nn.softmax(logits)

    network = FeatureNetwork(f"a classifier of {data.name}", read)
    path = _kept_path(data, cache_dir)
    accuracy = _load(model, path)
    if accuracy is None:
        print(f"Training the classifier in whose features samples of {data.name} are measured: once, a minute or two.")
        _train(model, data)
        accuracy = float(np.mean(network(data.test.images)[1].argmax(axis=1) == data.test.labels))
        _keep(model, accuracy, path)
    least = 0.0 if data.digest else LEAST_ACCURACY.get(data.name, 0.0)
    if accuracy < least:
        raise NotMeasuredError(
            f"the feature network of {data.name}: expected a test accuracy of {least:.1%} or more, as figures from a "
            f"worse one do not compare. Received: {accuracy:.2%}"
        )
    return dataclasses.replace(network, name=f"{network.name} with a test accuracy of {accuracy:.2%}")


def _build_classifier(image_shape: tuple[int, int, int], num_classes: int) -> keras.Sequential:
    """Builds the network from images to logits; its weights are a function of SEED and the shapes alone."""
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
    add(layers.Dense, "logits", num_classes)
    with tf.device("/CPU:0"):
        return keras.Sequential([keras.Input(image_shape, dtype="float32", name="images"), *made], name="classifier")


def _train(model: keras.Model, data: ImageData) -> None:
    """Fits the classifier to the train split, with one progress bar."""
    with tf.device("/CPU:0"):
        batches = _Batches(data)
        schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, len(batches))
        model.compile(
            keras.optimizers.Adam(schedule, name="classifier_adam"),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,
            auto_scale_loss=False,
        )
        # A file gets one line, not a bar.
        model.fit(batches, shuffle=False, verbose=1 if sys.stdout.isatty() else 2)


class _Batches(keras.utils.PyDataset):
    """All training batches in order: images in [0, 1], float32, and labels. Only one batch is copied at a time."""

    def __init__(self, data):
        super().__init__()
        self.data = data
        count, (height, width, _) = len(data.train.images), data.image_shape
        steps = int(MAX_STEPS * min(1.0, 28 * 28 / (height * width)))
        steps = min(steps, MAX_EPOCHS * math.ceil(count / BATCH_SIZE))
        rng = np.random.default_rng(SEED)
        passes = [rng.permutation(count) for _ in range(math.ceil(steps * BATCH_SIZE / count))]
        self.order = np.concatenate(passes)[: steps * BATCH_SIZE].reshape(steps, BATCH_SIZE)

    def __len__(self):
        return len(self.order)

    def __getitem__(self, index):
        images = self.data.train.images[self.order[index]]
        return images.astype(np.float32) / np.float32(255.0), self.data.train.labels[self.order[index]]


# === Keeping it ===


def _kept_path(data: ImageData, cache_dir: Path | None) -> Path:
    """Returns the file of the classifier of `data`; its name has a digest of all images, all labels and the recipe."""
    digest = hashlib.sha256(f"recipe {RECIPE}".encode())
    for array in (data.train.images, data.train.labels, data.test.images, data.test.labels):
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    folder = cache_dir or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "infogan_tf"
    name = re.sub(r"[^\w-]", "_", data.name)
    return Path(folder) / f"classifier_{name}_{digest.hexdigest()[:16]}.npz"


def _load(model: keras.Model, path: Path) -> float | None:
    """Loads kept weights into `model` and returns their test accuracy; None where there are none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            weights = [file[f"weight_{i:02d}"] for i in range(len(model.weights))]
            accuracy = float(file["test_accuracy"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        print(f"The kept classifier {path} cannot be read ({error}).")
        return None
    model.set_weights(weights)
    return accuracy


def _keep(model: keras.Model, accuracy: float, path: Path) -> None:
    """Writes the file that `_load` reads; prints why where it cannot be written."""
    weights = {f"weight_{i:02d}": weight for i, weight in enumerate(model.get_weights())}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, test_accuracy=accuracy, **weights)
    except OSError as error:
        print(f"The classifier could not be kept, so that it will be trained again ({error}).")


# === Inception ===


def inception_features() -> FeatureNetwork:
    """Returns Inception v3 (Szegedy et al. 2016, arXiv:1512.00567) with Keras's ImageNet weights, for colour images.

    Its features are the last pooling layer, [N, 2048], of images resized bilinearly to 299x299; its class probabilities
    are those of ImageNet's 1,000 classes. Keras's weights and this resizing are not those of the 2015 graph that
    published FIDs and Inception scores come from: figures from this network compare with each other only.

    Raises:
        NotMeasuredError: Where the weights are not on this machine and cannot be downloaded.
    """
    file = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models" / INCEPTION_FILE
    if not file.is_file() and not reachable(INCEPTION_SOURCE):
        raise _no_inception(file, f"{INCEPTION_SOURCE} does not answer")
    try:
        inception = keras.applications.InceptionV3()
    except Exception as error:  # Keras raises whatever the network, the disk or the file gave
        raise _no_inception(file, (str(error).strip() or type(error).__name__).splitlines()[0]) from error
    outputs = keras.Model(inception.inputs, [inception.get_layer("avg_pool").output, inception.output])

    @tf.function(reduce_retracing=True)
    def read(images):
        return outputs(2.0 * tf.image.resize(images, INCEPTION_SIZE) - 1.0, training=False)

    return FeatureNetwork("Inception v3 with Keras's ImageNet weights", read, batch_size=50)


def _no_inception(file: Path, reason: str) -> NotMeasuredError:
    return NotMeasuredError(
        f"the feature network of colour images: no Inception weights in {file}, and they could not be downloaded "
        f"({reason}). Copy {INCEPTION_SOURCE}{INCEPTION_FILE} there."
    )
