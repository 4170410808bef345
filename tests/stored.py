"""Data sets of tensorflow-datasets, as it stores them itself: a few random images, with the real ones' features."""

import contextlib
import io

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds


def store(name, folder, counts, features=None, version="1.0.0", make=None, **options):
    """Prepares a data set in `folder`; returns the examples of each split in stored order.

    Args:
        name: As in "cifar10" or "emnist/letters"; where `features` are given, any name that tensorflow-datasets lacks.
        folder: The data_dir.
        counts: How many examples each split is to have.
        features: A dict of them; those of the data set of that name by default.
        version: Of a data set whose features are given.
        make: Changes an example, a dict, before it is stored; takes it and its number.
        **options: Of `store_as_tfds_dataset`.
    """
    if features is None:
        builder = tfds.builder(name, data_dir=folder)
        features, version = builder.info.features, str(builder.version)
    features = features if isinstance(features, tfds.features.FeaturesDict) else tfds.features.FeaturesDict(features)
    rng, splits = np.random.default_rng(0), {}
    for split, count in counts.items():
        examples = [value_of(features, number, rng) for number in range(count)]
        splits[split] = [make(example, number) if make else example for number, example in enumerate(examples)]
    signature = tf.nest.map_structure(lambda info: tf.TensorSpec(info.shape, info.tf_dtype), features.get_tensor_info())
    datasets = {
        split: tf.data.Dataset.from_generator(lambda examples=examples: iter(examples), output_signature=signature)
        for split, examples in splits.items()
    }
    name, _, config = name.partition("/")
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name, config=config or None, version=version, data_dir=folder, features=features,
            split_datasets=datasets, disable_shuffling=True, **options,
        )  # fmt: skip
    return splits


def value_of(feature, number, rng):
    """A value that a feature may have."""
    if isinstance(feature, tfds.features.FeaturesDict):
        return {key: value_of(inner, number, rng) for key, inner in feature.items()}
    if isinstance(feature, tfds.features.Image):
        shape = [side or 40 + 8 * (number % 3) for side in feature.shape[:2]]
        return rng.integers(0, 256, (*shape, feature.shape[2]), dtype=np.uint8)
    if isinstance(feature, tfds.features.ClassLabel):
        return number % feature.num_classes
    if isinstance(feature, tfds.features.Text):
        return str(number)
    return feature.np_dtype(number % 2)
