"""Classifiers of a data set's labels, or of its attributes, as feature networks."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from infogan_tf.data.images import ImageData
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.feature_networks import kept
from infogan_tf.evaluation.feature_networks.network import FeatureNetwork
from infogan_tf.evaluation.feature_networks.trunk import LEARNING_RATE, batch_order, build, reader, train

# Raise it with any change to the network or its training: one of another recipe is not read from its file.
RECIPE = 1
# Five passes over MNIST.
MAX_STEPS = 2400
# The test accuracy that a classifier reaches unless something is broken.
LEAST_ACCURACY = {"mnist": 0.99}


def classifier_features(data: ImageData, cache_dir: str | Path | None = None) -> FeatureNetwork:
    """Returns a small convolutional classifier of the data's labels, trained on first use and then kept in a file.

    Its features are the last hidden layer, [N, 128]. It is trained on the train split, on the CPU in float32, from
    fixed seeds.

    Args:
        data: Images with labels in both splits.
        cache_dir: Folder of kept classifiers, or None for the default.

    Raises:
        NotMeasuredError: Where the accuracy on the test split is below LEAST_ACCURACY.
    """
    model = build(data.image_shape, int(data.train.labels.max()) + 1, "classifier")
    network = FeatureNetwork(f"a classifier of {data.name}", reader(model, tf.nn.softmax))
    path = _path_of_labels(data, cache_dir)
    accuracy = kept.load(model, path, "test_accuracy")
    if accuracy is None:
        print(f"Training the classifier in whose features samples of {data.name} are measured: once, a minute or two.")
        _train(model, data)
        accuracy = float(np.mean(network(data.test.images)[1].argmax(axis=1) == data.test.labels))
        kept.keep(model, path, "test_accuracy", accuracy)
    least = 0.0 if data.own else LEAST_ACCURACY.get(data.name, 0.0)
    if accuracy < least:
        raise NotMeasuredError(
            f"the feature network of {data.name}: expected a test accuracy of {least:.1%} or more, as figures from a "
            f"worse one do not compare. Received: {accuracy:.2%}"
        )
    return dataclasses.replace(network, name=f"{network.name} with a test accuracy of {accuracy:.2%}")


def attribute_features(data: ImageData, cache_dir: str | Path | None = None) -> FeatureNetwork:
    """Returns a classifier of attributes, any number of which an image may have; otherwise as `classifier_features`.

    It has no class probabilities: attributes do not exclude each other. An attribute that all training images have, or
    none, teaches nothing and is left out; so is what is not known of an image.

    Args:
        data: Images with attributes in both splits.
        cache_dir: Folder of kept classifiers, or None for the default.
    """
    used = told_apart(data.train.attributes)
    of_train, of_test = (np.ascontiguousarray(split.attributes[:, used]) for split in (data.train, data.test))
    model = build(data.image_shape, of_train.shape[1], "attribute_classifier")
    path = kept.kept_path("attributes", data, [f"recipe {RECIPE}", *kept.images_of(data), of_train, of_test], cache_dir)
    auc = kept.load(model, path, "test_auc")
    if auc is None:
        print(f"Training the classifier of attributes in whose features samples of {data.name} are measured: once.")
        train(model, _Batches(data.train.images, of_train), _known_crossentropy, LEARNING_RATE)
        scores = FeatureNetwork("", reader(model, tf.nn.sigmoid))(data.test.images)[1]
        auc = _mean_auc(of_test, scores)
        kept.keep(model, path, "test_auc", auc)
    names = f"a classifier of {of_train.shape[1]} attributes of {data.name}"
    return FeatureNetwork(f"{names} with a mean test AUC of {auc:.3f}", reader(model, None))


def told_apart(attributes: np.ndarray) -> np.ndarray:
    """Which attributes some images have, and others have not: bool [A], of int8 [N, A] with -1 for unknown."""
    return (attributes == 0).any(axis=0) & (attributes == 1).any(axis=0)


def _mean_auc(attributes, scores):
    """The mean over those attributes that differ among these images; 0.5, as of guesses, where none does."""
    found = []
    for values, its_scores in zip(attributes.T, scores.T, strict=True):
        known = values >= 0
        if len(np.unique(values[known])) == 2:
            found.append(roc_auc_score(values[known], its_scores[known]))
    return float(np.mean(found)) if found else 0.5


def _known_crossentropy(attributes, logits):
    """Cross-entropy of the attributes that are known, the sum over an image's; -1 counts as nothing."""
    values = tf.cast(attributes, tf.float32)
    entropies = tf.nn.sigmoid_cross_entropy_with_logits(values, logits)
    return tf.reduce_sum(tf.where(values >= 0.0, entropies, 0.0), axis=-1)


def _train(model: keras.Model, data: ImageData) -> None:
    """Fits the classifier to the labels of the train split."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    train(model, _Batches(data.train.images, data.train.labels), loss, LEARNING_RATE)


class _Batches(keras.utils.PyDataset):
    """All training batches in order: images in [0, 1], float32, and targets. Only one batch is copied at a time."""

    def __init__(self, images, targets):
        super().__init__()
        self.images, self.targets = images, targets
        self.order = batch_order(len(images), images.shape[1:], MAX_STEPS)

    def __len__(self):
        return len(self.order)

    def __getitem__(self, index):
        images = self.images[self.order[index]]
        return images.astype(np.float32) / np.float32(255.0), self.targets[self.order[index]]


def _path_of_labels(data: ImageData, cache_dir: str | Path | None) -> Path:
    """Returns the file of the classifier of `data`; its name has a digest of all images, all labels and the recipe."""
    trained_on = [f"recipe {RECIPE}", *kept.images_of(data), data.train.labels, data.test.labels]
    return kept.kept_path("classifier", data, trained_on, cache_dir)
