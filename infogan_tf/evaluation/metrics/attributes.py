"""What a person can see in an image, as numbers; and which of it a code changes.

Attributes are those of a bright figure on a dark ground, by image moments (Hu 1962); intensity is its mass. Images are
[N, H, W, C] in [0, 1]. A blank image has no figure: its attributes are zero.
"""

import numpy as np
from scipy import stats

from infogan_tf.errors import NotMeasuredError

# What each attribute is, in words and units.
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
# Angles that return to themselves after so many degrees.
PERIODS = {"rotation": 180.0, "hue": 360.0}
# The standard deviation of a bar of even brightness, times this, is its length.
_STDDEV_TO_LENGTH = np.sqrt(12.0)


def attributes(images: np.ndarray) -> dict[str, np.ndarray]:
    """Every attribute of every image, float64 [N] by the names of ATTRIBUTES; those of colour where there is any."""
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
    """Twice the area over the perimeter, which of a long stroke is its width.

    The perimeter is the total variation: the two agree for a figure of one brightness (coarea formula), and brightness
    cancels in the quotient.
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
    """How a code goes with each attribute, everything else left to chance.

    Within each group Spearman's rank correlation; an attribute that does not vary there has none, which counts as 0.

    Args:
        values: of the code, [N].
        measured: attributes by name, [N] each.
        groups: integers [N], such as the class of c1; correlations are taken within each, so that what distinguishes
            the groups plays no part.

    Returns:
        By attribute "rho", the mean over groups, and "lowest" and "highest" among them.

    Raises:
        ValueError: where no group has ten images or more.
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
    """Angles as differences from their circular mean, so that none is torn from its neighbours; others as they are."""
    period = PERIODS.get(name)
    if period is None:
        return angles
    middle = np.angle(np.exp(2j * np.pi * angles / period).sum()) * period / (2 * np.pi)
    return (angles - middle + period / 2) % period - period / 2


def strongest(correlations: dict[str, dict[str, float]]) -> tuple[str, float]:
    """The attribute that goes with a code the most, and its rho."""
    name = max(correlations, key=lambda attribute: abs(correlations[attribute]["rho"]))
    return name, correlations[name]["rho"]
