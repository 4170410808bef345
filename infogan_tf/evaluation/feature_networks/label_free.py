"""A feature network for images of which nothing else is known: it learns to tell transformed copies of them apart."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.data.images import ImageData
from infogan_tf.data.pixels import unit_images
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.feature_networks import kept
from infogan_tf.evaluation.feature_networks.network import FeatureNetwork
from infogan_tf.evaluation.feature_networks.trunk import BATCH_SIZE, SEED, batch_order, build, reader, train
from infogan_tf.objectives.transformations import Transformations

# Raise it with any change to the network or its training: one of another recipe is not read from its file.
RECIPE = 1
MAX_STEPS = 1000
LEARNING_RATE = 3e-3
# Numbers in which copies are compared; the features lie one layer below, as in the paper.
PROJECTION = 64
TEMPERATURE = 0.2
# What a copy may differ in. Not in noise, sharpness or what is missing: to these the features have to stay awake.
CHANGES = Transformations(rotate=10.0, shift=0.1, scale=0.2, contrast=0.4)


def label_free_features(data: ImageData, cache_dir: str | Path | None = None) -> FeatureNetwork:
    """Returns a small convolutional network that tells images apart, trained on first use and then kept in a file.

    Each step takes a batch of training images in two randomly turned, moved, grown and brightened copies; the network
    has to say which two copies are of the same image (SimCLR's loss: Chen et al. 2020, arXiv:2002.05709, equation 1).
    Its features are the last hidden layer, [N, 128]; there are no class probabilities. It is trained on the train
    split, on the CPU in float32, from fixed seeds.

    Args:
        data: Images; labels are not looked at.
        cache_dir: Folder of kept networks, or None for the default.

    Raises:
        NotMeasuredError: Where the network comes to see nothing in an image, as of data that are all black.
    """
    model = build(data.image_shape, PROJECTION, "label_free")
    path = kept.kept_path("label_free", data, [f"recipe {RECIPE}", *kept.images_of(data)], cache_dir)
    found = kept.load(model, path, "test_found")
    if found is None:
        print(f"Training the network in whose features samples of {data.name} are measured: once, up to three minutes.")
        _train(model, data.train.images)
        found = _found(model, data.test.images[:BATCH_SIZE])
        kept.keep(model, path, "test_found", found)
    count = min(BATCH_SIZE, len(data.test.images))
    name = f"a network trained without labels on the images of {data.name}"
    return FeatureNetwork(f"{name}, which finds {found:.0%} of {count} test images by a copy", reader(model, None))


def _train(model: keras.Model, images: np.ndarray) -> None:
    """Fits the network to the images."""
    train(model, _Copies(images), contrast, LEARNING_RATE)


class _Copies(keras.utils.PyDataset):
    """All training batches in order: two changed copies of each of BATCH_SIZE images, one half after the other."""

    def __init__(self, images):
        super().__init__()
        self.images = images
        self.copies = _copier(images.shape[1:])
        self.order = batch_order(len(images), images.shape[1:], MAX_STEPS)

    def __len__(self):
        return len(self.order)

    def __getitem__(self, index):
        chosen = self.order[index]
        return self.copies(self.images[chosen], index), np.zeros(2 * len(chosen), np.float32)


def _copier(image_shape):
    """Returns the function from bytes [N, H, W, C] and a number to copies in [0, 1], [2 N, H, W, C], by that number."""

    @tf.function(input_signature=[tf.TensorSpec([None, *image_shape], tf.uint8), tf.TensorSpec([], tf.int32)])
    def copies(images, number):
        with tf.device("/CPU:0"):
            twice = tf.tile(unit_images(images), (2, 1, 1, 1))
            seed = tf.stack([SEED, number])
            return CHANGES(twice, CHANGES.amounts(tf.shape(twice)[0], seed), seed)

    return copies


def contrast(_: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Returns each copy's cross-entropy of a guess, by closeness of direction, at which other copy is its partner.

    Args:
        _: Keras's targets, of which there are none.
        outputs: The network's outputs, [2 N, D]; row i and row i + N are of the same image.
    """
    count = tf.shape(outputs)[0]
    directions = tf.math.l2_normalize(outputs, axis=1)
    closeness = tf.matmul(directions, directions, transpose_b=True) / TEMPERATURE
    not_itself = tf.linalg.set_diag(closeness, tf.fill([count], closeness.dtype.min))
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.roll(tf.range(count), count // 2, 0), not_itself)


def _found(model, images) -> float:
    """Returns the share of images whose changed copy is nearer to another of the same image than to those of others."""
    # A number that no step of training has.
    outputs = model(_copier(images.shape[1:])(images, -1), training=False).numpy()
    lengths = np.linalg.norm(outputs, axis=1, keepdims=True)
    if not lengths.all():
        raise NotMeasuredError("the network that is trained without labels sees nothing in the images")
    directions = outputs / lengths
    one, other = np.split(directions, 2)
    return float(np.mean((one @ other.T).argmax(axis=1) == np.arange(len(one))))
