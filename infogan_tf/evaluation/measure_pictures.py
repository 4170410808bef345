"""Pictures that any program drew, measured against a data set with the figures that a run's samples have."""

import functools
from pathlib import Path

import numpy as np

from infogan_tf.data.images import ImageData
from infogan_tf.evaluation.feature_networks import feature_network, published_network
from infogan_tf.evaluation.figures import PUBLISHED_FEATURES
from infogan_tf.evaluation.material import Setting
from infogan_tf.evaluation.result import Evaluation, attempt
from infogan_tf.evaluation.sample_figures import compare, log_likelihood, measure_samples


def measure_pictures(
    pictures: np.ndarray, data: ImageData, setting: Setting, cache_dir: str | Path | None = None
) -> Evaluation:
    """Measures what can be: FID, KID, precision and recall in the networks of `measure`, and the log-likelihood.

    Args:
        pictures: As many as the setting has, or fewer, in random order; uint8 [N, H, W, C], of the data's shape.
        data: What they are compared with: as many of its training images, or all.
        setting: How many test images are looked at, and in which networks.
        cache_dir: Folder of feature networks, or None for the default.
    """
    found = Evaluation(setting.name, step=None)
    real = data.train.images[data.training_choice(len(pictures))]
    test = data.test.images[: setting.images]

    def own(_, found):
        measure_samples(compare(feature_network(data, cache_dir), real, pictures[: len(real)], test), found)

    def published(_, found):
        network = published_network(data, cache_dir) if setting.published else None
        if network is not None:
            compared = compare(network, real, pictures[: len(real)], None, PUBLISHED_FEATURES, "Inception")
            measure_samples(compared, found)

    attempt("Sample quality", own, None, found)
    attempt("Published features", published, None, found)
    attempt("Log-likelihood", functools.partial(log_likelihood, pictures), test, found)
    return found
