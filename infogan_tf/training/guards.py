"""What goes wrong in training, told from samples: a plain sentence, and what to try.

Each guard returns its sentence, or "" while all is well; `watching.Guards` asks them, and the model for what its losses
tell. To add one, write a function here and call it there.
"""

import numpy as np
from scipy.spatial.distance import cdist

# Generated images lie nearer to each other than this share of what real ones do.
COLLAPSED = 0.3


def collapsed(fake_images: np.ndarray, real_images: np.ndarray) -> str:
    """The generator draws few different images.

    Args:
        fake_images: [N, H, W, C].
        real_images: as many, in the same unit.
    """
    share = median_nearest(fake_images) / max(median_nearest(real_images), 1e-12)
    if share >= COLLAPSED:
        return ""
    return (
        f"Samples collapse: generated images lie {share:.0%} as far from each other as real ones do. Try "
        "--instance_noise=0.3, --minibatch_kernels=50, or a lower --g_learning_rate."
    )


def median_nearest(images: np.ndarray) -> float:
    """The median distance of an image to the nearest other one."""
    pixels = np.asarray(images, np.float64).reshape(len(images), -1)
    distances = cdist(pixels, pixels)
    np.fill_diagonal(distances, np.inf)
    return float(np.median(distances.min(axis=1)))
