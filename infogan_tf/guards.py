"""What goes wrong in GAN training, told from an epoch's figures and samples: a plain sentence, and what to try.

Each guard returns its sentence, or "" while all is well. To add one, write a function here and call it in
`callbacks.Guards`.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from scipy.spatial.distance import cdist

from infogan_tf.latents import Code

# D is right about real and fake images alike to this probability.
OVERPOWERED = 0.95
# A code of which Q has learnt less than this share of what it could.
DEAD_SHARE = 0.02
# Generated images lie nearer to each other than this share of what real ones do.
COLLAPSED = 0.3


def overpowered(logs: Mapping[str, float]) -> str:
    """D tells real from fake nearly always, and its gradient no longer teaches the generator."""
    real, fake = logs["prob_real"], logs["prob_fake_before"]
    if real < OVERPOWERED or fake > 1.0 - OVERPOWERED:
        return ""
    return (
        f"D overpowers G: it gives real images {real:.1%} and generated ones {fake:.1%}, and G learns little so. "
        "Try --instance_noise=0.3, --label_smoothing=0.1 or a lower --d_learning_rate."
    )


def dead_codes(logs: Mapping[str, float], codes: Iterable[Code]) -> str:
    """Codes that the images do not show."""
    dead = [
        code.name
        for code in codes
        if logs[f"mutual_info/{code.name}"] - code.floor < DEAD_SHARE * (code.ceiling - code.floor)
    ]
    if not dead:
        return ""
    shown = ", ".join(f"L_I({name}) = {logs[f'mutual_info/{name}']:.3f} nats" for name in dead)
    return (
        f"Nothing in the images tells of {' and '.join(dead)} ({shown}). Try a higher --lambda_info (or --lambda_cat, "
        "--lambda_cont), less noise in --latents, or more steps."
    )


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
