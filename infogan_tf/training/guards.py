"""Guards: each tells one training problem from generated images, and says in a sentence or two what to try.

A guard returns its text, or "" while all is well. `watching.Guards` calls them, and asks the model for what its losses
tell. To add a guard, write a function here and call it there.
"""

from collections.abc import Collection

import numpy as np
from scipy.spatial.distance import cdist

# The least `median_nearest` of generated images, as a share of that of real ones, that is no collapse.
COLLAPSED = 0.3


# What helps against a collapse where the model and its networks take it, by option.
REMEDIES = {"instance_noise": "--instance_noise=0.3", "minibatch_kernels": "--minibatch_kernels=50"}


def collapsed(fake_images: np.ndarray, real_images: np.ndarray, without: Collection[str] = ()) -> str:
    """Returns a warning where the generator draws few different images, else "".

    Args:
        fake_images: Generated images [N, H, W, C].
        real_images: Real images [N, H, W, C]: as many, in the same unit.
        without: The options that the run does not take, which are no advice.
    """
    share = median_nearest(fake_images) / max(median_nearest(real_images), 1e-12)
    if share >= COLLAPSED:
        return ""
    remedies = [flag for option, flag in REMEDIES.items() if option not in without]
    advice = f"{', '.join(remedies)}, or a lower" if remedies else "a lower"
    return (
        f"Samples collapse: generated images lie {share:.0%} as far from each other as real ones do. Try {advice} "
        "--g_learning_rate."
    )


def median_nearest(images: np.ndarray) -> float:
    """Returns the median Euclidean distance of images [N, ...] to the nearest other one; N is 2 or more."""
    pixels = np.asarray(images, np.float64).reshape(len(images), -1)
    distances = cdist(pixels, pixels)
    np.fill_diagonal(distances, np.inf)
    return float(np.median(distances.min(axis=1)))
