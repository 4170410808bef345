"""The networks in whose features generated images are compared with data: figures from two of them do not compare.

A data set has one of its own, `feature_network`: a classifier of its labels, or of its attributes, or else a network
that was trained without labels to tell transformed copies of its images apart. It is trained once and then kept in the
cache. Published figures are those of Inception as it was in 2015, `published_network`.
"""

from pathlib import Path

from infogan_tf.data.images import ImageData
from infogan_tf.evaluation.feature_networks.classifier import attribute_features, classifier_features, told_apart
from infogan_tf.evaluation.feature_networks.inception import inception_features
from infogan_tf.evaluation.feature_networks.label_free import label_free_features
from infogan_tf.evaluation.feature_networks.network import FeatureNetwork

__all__ = ["FeatureNetwork", "feature_network", "published_network"]


def feature_network(data: ImageData, cache_dir: str | Path | None = None) -> FeatureNetwork:
    """Returns the data set's own network: of its labels, else of its attributes, else one trained without either.

    Args:
        data: Images. Labels serve where both splits have them, and there are two or more; attributes likewise.
        cache_dir: Folder of kept networks; by default $XDG_CACHE_HOME/infogan_tf, or ~/.cache/infogan_tf where that is
            not set.

    Raises:
        NotMeasuredError: Where MNIST's classifier is worse than it has to be, or one without labels sees nothing.
    """
    labels = (data.train.labels, data.test.labels)
    if all(of_split is not None for of_split in labels) and labels[0].min() < labels[0].max():
        return classifier_features(data, cache_dir)
    attributes = (data.train.attributes, data.test.attributes)
    if all(of_split is not None for of_split in attributes) and told_apart(attributes[0]).any():
        return attribute_features(data, cache_dir)
    return label_free_features(data, cache_dir)


def published_network(data: ImageData, cache_dir: str | Path | None = None) -> FeatureNetwork | None:
    """Returns the network of published figures, or None for grey data sets by name.

    What is published of MNIST and its like is in a classifier's features, as ours is; Inception was trained on photos.

    Args:
        data: Images.
        cache_dir: As `feature_network` has it.

    Raises:
        NotMeasuredError: Where the network is not in the cache and cannot be fetched.
    """
    if data.image_shape[-1] == 1 and not data.own:
        return None
    return inception_features(cache_dir)
