"""Visible attributes of images, such as slant and width, as numbers; and which of them a code changes.

The attributes are those of a bright figure on a dark ground, computed from image moments (Hu 1962), where brightness is
mass. Images are [N, H, W, C] in [0, 1]. A blank image has no figure: its attributes are zero.
"""

import numpy as np
from scipy import stats

from infogan_tf.errors import NotMeasuredError

# What each attribute is, with its unit.
ATTRIBUTES = {
    "slant": "lean to the right: shift to the right per pixel of height",
    "rotation": "angle of the long axis from the vertical, degrees, clockwise",
    "width": "of the figure once unslanted, pixels",
    "height": "of the figure, pixels",
    "thickness": "of the stroke, pixels",
    "intensity": "mean brightness, 0 to 1",
    "x position": "centre of mass, pixels right of the middle",
    "y position": "centre of mass, pixels below the middle",
    "hue": "of the mean colour, degrees",
    "saturation": "mean, 0 to 1",
    "brightness": "mean of the strongest channel, 0 to 1",
}
# The period of each attribute that is an angle, in degrees.
PERIODS = {"rotation": 180.0, "hue": 360.0}
# The length of a bar of even brightness is its standard deviation times this.
_STDDEV_TO_LENGTH = np.sqrt(12.0)


def attributes(images: np.ndarray) -> dict[str, np.ndarray]:
    """Computes every attribute of every image.

    Args:
        images: Images [N, H, W, C], floats in [0, 1].

    Returns:
        Float64 [N] by attribute, named as in ATTRIBUTES; hue, saturation and brightness for three channels only.
    """
    images = np.asarray(images, np.float64)
    grey = images.mean(axis=-1)  # [N, H, W]
    height, width = grey.shape[1:]
    mass = grey.sum(axis=(1, 2))
    share = grey / np.maximum(mass, 1e-12)[:, np.newaxis, np.newaxis]

    def moment(weights):
        return (share * weights).sum(axis=(1, 2))

    x = np.arange(width) - (width - 1) / 2  # [W], from the middle
    y = (np.arange(height) - (height - 1) / 2)[:, np.newaxis]  # [H, 1], downwards
    mean_x, mean_y = moment(x), moment(y)
    # Second central moments, never below zero but for rounding.
    xx = np.maximum(moment(x**2) - mean_x**2, 0.0)
    yy = np.maximum(moment(y**2) - mean_y**2, 0.0)
    xy = moment(x * y) - mean_x * mean_y
    slope = np.divide(xy, yy, out=np.zeros_like(xy), where=yy > 1e-9)  # of x over y, which points down

    found = {
        "slant": -slope,
        "rotation": np.degrees(0.5 * np.arctan2(-2.0 * xy, yy - xx)),
        "width": _STDDEV_TO_LENGTH * np.sqrt(np.maximum(xx - slope * xy, 0.0)),
        "height": _STDDEV_TO_LENGTH * np.sqrt(yy),
        "thickness": _thickness(grey, mass),
        "intensity": grey.mean(axis=(1, 2)),
        "x position": mean_x,
        "y position": mean_y,
    }
    return found | (_colour(images) if images.shape[-1] == 3 else {})


def _thickness(grey, mass):
    """Returns twice the area over the perimeter, [N], in pixels: for a long stroke, its width.

    The perimeter is measured by the total variation: for a figure of one brightness the two agree up to this
    brightness (coarea formula), which cancels in the quotient.
    """
    padded = np.pad(grey, [(0, 0), (1, 1), (1, 1)])
    # Central differences of the four neighbours around each corner see a slanted edge at its true length.
    along_x = (np.diff(padded[:, :-1], axis=2) + np.diff(padded[:, 1:], axis=2)) / 2
    along_y = (np.diff(padded[:, :, :-1], axis=1) + np.diff(padded[:, :, 1:], axis=1)) / 2
    variation = np.hypot(along_x, along_y).sum(axis=(1, 2))
    return np.divide(2.0 * mass, variation, out=np.zeros_like(mass), where=variation > 1e-9)


def _colour(images):
    mean = images.mean(axis=(1, 2))  # [N, 3]
    red, green, blue = mean.T
    strongest, weakest = images.max(axis=-1), images.min(axis=-1)
    saturation = np.divide(strongest - weakest, strongest, out=np.zeros_like(strongest), where=strongest > 1e-9)
    return {
        "hue": np.degrees(np.arctan2(np.sqrt(3.0) * (green - blue), 2.0 * red - green - blue)) % 360.0,
        "saturation": saturation.mean(axis=(1, 2)),
        "brightness": strongest.mean(axis=(1, 2)),
    }


def rank_correlations(
    values: np.ndarray, measured: dict[str, np.ndarray], groups: np.ndarray
) -> dict[str, dict[str, float]]:
    """Correlates a code with each attribute, by Spearman's rank correlation rho within each group of images.

    Angles are compared as differences from their circular mean. Where code or attribute is constant in a group, its rho
    counts as 0; groups of fewer than ten images are left out.

    Args:
        values: Values of the code, [N].
        measured: Attributes by name, [N] each, as `attributes` returns them.
        groups: Group of each image, integers [N], such as the class of c1. Differences between groups do not count.

    Returns:
        By attribute: "rho", its mean over the groups, and "lowest" and "highest" among them, in [-1, 1].

    Raises:
        NotMeasuredError: Where no group has ten images or more.
    """
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    members = [indices for indices in members if len(indices) >= 10]
    if not members:
        raise NotMeasuredError(f"values: expected ten images of a class or more. Received: {len(values)} in all")
    results = {}
    for name, measurements in measured.items():
        rhos = [_spearman(values[m], _unwrapped(name, measurements[m])) for m in members]
        results[name] = {"rho": float(np.mean(rhos)), "lowest": min(rhos), "highest": max(rhos)}
    return results


def _spearman(a, b):
    if np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return 0.0
    return float(stats.spearmanr(a, b).statistic)


def _unwrapped(name, angles):
    """Returns angles less their circular mean, within half a period of 0, so that none wraps; others unchanged."""
    period = PERIODS.get(name)
    if period is None:
        return angles
    middle = np.angle(np.exp(2j * np.pi * angles / period).sum()) * period / (2 * np.pi)
    return (angles - middle + period / 2) % period - period / 2


def strongest(correlations: dict[str, dict[str, float]]) -> tuple[str, float]:
    """Returns the attribute with the greatest absolute rho, and this rho; `correlations` as of `rank_correlations`."""
    name = max(correlations, key=lambda attribute: abs(correlations[attribute]["rho"]))
    return name, correlations[name]["rho"]
