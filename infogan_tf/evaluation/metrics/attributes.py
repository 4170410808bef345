"""Visible attributes of images, such as slant and width, as numbers; and which of them a code changes.

Which ones are measured depends on what the images show, as their border tells: a figure on a dark or on a bright
ground has the attributes of a figure, computed from image moments (Hu 1962), where what differs from the ground is
mass; all others, as photos, have those of light, colour and composition. Images are [N, H, W, C] in [0, 1]. A blank
image has no figure: its attributes are zero.
"""

import numpy as np
from scipy import stats

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.checks import real_numbers, require_finite, whole_numbers

_OF_COLOUR = {
    "hue": "of the mean colour, degrees",
    "saturation": "mean, 0 to 1",
}
# What each attribute is, with its unit: of a figure on an even ground,
ATTRIBUTES = {
    "slant": "lean to the right: shift to the right per pixel of height",
    "rotation": "angle of the long axis from the vertical, degrees, clockwise",
    "width": "of the figure once unslanted, pixels",
    "height": "of the figure, pixels",
    "thickness": "of the stroke, pixels",
    "intensity": "mean brightness, 0 to 1",
    "x position": "centre of mass, pixels right of the middle",
    "y position": "centre of mass, pixels below the middle",
    **_OF_COLOUR,
    "brightness": "mean of the strongest channel, 0 to 1",
}
# and of any other image.
PHOTO_ATTRIBUTES = {
    "brightness": "mean of the strongest channel, 0 to 1",
    "contrast": "standard deviation of the brightness",
    "sharpness": "mean step between neighbouring pixels, over the contrast",
    "light from the right": "mean brightness of the right half less that of the left",
    "light from above": "mean brightness of the upper half less that of the lower",
    "light in the middle": "mean brightness of the middle less that of the border around it",
    "x position": "centre of what differs from the border's colour, pixels right of the middle",
    "y position": "the same, pixels below the middle",
    "spread": "mean distance of what differs from the border's colour from its centre, pixels",
    **_OF_COLOUR,
    "warmth": "mean red less mean blue, -1 to 1",
}
# By what `ground_of` tells: the attributes, and what they are of.
GROUNDS = {
    "dark": (ATTRIBUTES, "of the bright figure, by image moments"),
    "bright": (ATTRIBUTES, "of the dark figure, by image moments"),
    "varied": (PHOTO_ATTRIBUTES, "of light, colour and composition"),
}
# The period of each attribute that is an angle, in degrees.
PERIODS = {"rotation": 180.0, "hue": 360.0}
# The length of a bar of even brightness is its standard deviation times this.
_STDDEV_TO_LENGTH = np.sqrt(12.0)
# How near to black, or to white, the border of most images is where the ground is even.
_EVEN = 0.1
_AT_ONCE = 1_000
# So many images of a data set are enough for `ground_of` and `likeness`.
LOOKED_AT = 500
# A photo has a middle from so many pixels on.
LEAST_SIDE = 4


def ground_of(images: np.ndarray) -> str:
    """Tells by the outermost pixels what images lie on: "dark" or "bright", the same in most; or "varied".

    Args:
        images: Images [N, H, W, C], floats in [0, 1]; a sample of a data set is enough.

    Raises:
        NotMeasuredError: Where there is no image, or not all is finite.
        ValueError: For another shape or range.
    """
    images = _checked(images)
    border = _border(images)
    if np.median(np.median(border.max(axis=-1), axis=1)) < _EVEN:
        return "dark"
    return "bright" if np.median(np.median(border.min(axis=-1), axis=1)) > 1.0 - _EVEN else "varied"


def likeness(images: np.ndarray) -> float:
    """Tells how alike images are, place by place: 1 where all are the same, about 0 where nothing has its place.

    It is the mean correlation of each image's brightness with that of the mean of all others. Faces in one frame have
    0.36, CIFAR-10's photos 0.15.

    Args:
        images: Images [N, H, W, C], floats in [0, 1]; a sample of a data set is enough.

    Raises:
        NotMeasuredError: Where there is no image, or not all is finite.
        ValueError: For another shape or range.
    """
    brightness = _checked(images).mean(axis=-1).reshape(len(images), -1)
    brightness -= brightness.mean(axis=1, keepdims=True)
    others = brightness.sum(axis=0) - brightness  # in proportion to their mean
    lengths = np.linalg.norm(brightness, axis=1) * np.linalg.norm(others, axis=1)
    products = (brightness * others).sum(axis=1)
    return float(np.mean(np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 1e-9)))


def _checked(images):
    """The images as float64."""
    images = real_numbers("images", images, 4)
    if images.min() < 0.0 or images.max() > 1.0:
        received = f"from {images.min():.6g} to {images.max():.6g}"
        raise ValueError(f"images: expected numbers from 0 to 1. Received: {received}")
    return images


def _border(images):
    """The outermost pixels, [N, P, C]."""
    return np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)


def attributes(images: np.ndarray, ground: str = "dark") -> dict[str, np.ndarray]:
    """Computes every attribute of every image.

    Args:
        images: Images [N, H, W, C], floats in [0, 1].
        ground: What they lie on, as `ground_of` tells it.

    Returns:
        Float64 [N] by attribute, named as in GROUNDS[ground]; those of colour, and brightness of a figure, for three
        channels only.

    Raises:
        NotMeasuredError: Where there is no image, or not all is finite.
        ValueError: For another shape or range, or another ground.
    """
    if ground not in GROUNDS:
        raise ValueError(f"ground: expected one of {', '.join(GROUNDS)}. Received: {ground!r}")
    # A part at a time: many images of float64 are gigabytes.
    parts = [_attributes(images[i : i + _AT_ONCE], ground) for i in range(0, max(1, len(images)), _AT_ONCE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _attributes(images, ground):
    images = _checked(images)
    in_colour = images.shape[-1] == 3
    if ground == "varied":
        return _of_photos(images) | (_colour(images) | _warmth(images) if in_colour else {})
    found = _of_figures(images.mean(axis=-1), ground == "bright")
    return found | (_colour(images) | _brightness(images) if in_colour else {})


def _of_figures(grey, on_bright):
    """The attributes of figures, of images [N, H, W]."""
    figure = 1.0 - grey if on_bright else grey
    mass, moment = _moments(figure)
    x, y = _from_middle(figure.shape)
    mean_x, mean_y = moment(x), moment(y)
    # Second central moments, never below zero but for rounding.
    xx = np.maximum(moment(x**2) - mean_x**2, 0.0)
    yy = np.maximum(moment(y**2) - mean_y**2, 0.0)
    xy = moment(x * y) - mean_x * mean_y
    slope = np.divide(xy, yy, out=np.zeros_like(xy), where=yy > 1e-9)  # of x over y, which points down
    return {
        "slant": -slope,
        "rotation": np.degrees(0.5 * np.arctan2(-2.0 * xy, yy - xx)),
        "width": _STDDEV_TO_LENGTH * np.sqrt(np.maximum(xx - slope * xy, 0.0)),
        "height": _STDDEV_TO_LENGTH * np.sqrt(yy),
        "thickness": _thickness(figure, mass),
        "intensity": grey.mean(axis=(1, 2)),
        "x position": mean_x,
        "y position": mean_y,
    }


def _of_photos(images):
    """The attributes of photos but for those of colour, of images [N, H, W, C]."""
    grey = images.mean(axis=-1)
    count, height, width = grey.shape
    if min(height, width) < LEAST_SIDE:
        raise NotMeasuredError(
            f"images: expected at least {LEAST_SIDE} x {LEAST_SIDE} pixels, to have a middle and a border. "
            f"Received: {height} x {width}"
        )
    contrast = grey.std(axis=(1, 2))
    steps = (np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2)) + np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2))) / 2
    across, down = width // 2, height // 2
    middle = np.zeros((height, width), bool)
    middle[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    # The border's colour is the ground's, whether it is dark or bright.
    ground = np.median(_border(images), axis=1)[:, np.newaxis, np.newaxis]
    _, moment = _moments(np.abs(images - ground).mean(axis=-1))
    x, y = _from_middle(grey.shape)
    mean_x, mean_y = moment(x), moment(y)
    distances = np.hypot(x - mean_x[:, np.newaxis, np.newaxis], y - mean_y[:, np.newaxis, np.newaxis])
    return {
        **_brightness(images),
        "contrast": contrast,
        "sharpness": np.divide(steps, contrast, out=np.zeros(count), where=contrast > 1e-6),
        "light from the right": grey[:, :, -across:].mean(axis=(1, 2)) - grey[:, :, :across].mean(axis=(1, 2)),
        "light from above": grey[:, :down].mean(axis=(1, 2)) - grey[:, -down:].mean(axis=(1, 2)),
        "light in the middle": grey[:, middle].mean(axis=1) - grey[:, ~middle].mean(axis=1),
        "x position": mean_x,
        "y position": mean_y,
        "spread": moment(distances),
    }


def _moments(figure):
    """The mass of images [N, H, W], [N], and the function that gives the mean of weights over it."""
    mass = figure.sum(axis=(1, 2))
    share = figure / np.maximum(mass, 1e-12)[:, np.newaxis, np.newaxis]
    return mass, lambda weights: (share * weights).sum(axis=(1, 2))


def _from_middle(shape):
    """The place of every pixel from the middle: to the right, [W], and downwards, [H, 1]."""
    height, width = shape[1:]
    return np.arange(width) - (width - 1) / 2, (np.arange(height) - (height - 1) / 2)[:, np.newaxis]


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
    }


def _brightness(images):
    return {"brightness": images.max(axis=-1).mean(axis=(1, 2))}


def _warmth(images):
    return {"warmth": (images[..., 0] - images[..., 2]).mean(axis=(1, 2))}


def rank_correlations(
    values: np.ndarray, measured: dict[str, np.ndarray], groups: np.ndarray
) -> dict[str, dict[str, float]]:
    """Correlates a code with each attribute, by Spearman's rank correlation rho within each group of images.

    Angles are compared as differences from their circular mean. Where code or attribute is constant in a group, its rho
    counts as 0; groups of fewer than ten images are left out.

    Args:
        values: Values of the code, [N].
        measured: Attributes by name, [N] each, as `attributes` returns them.
        groups: Group of each image, integers [N] from 0, such as the class of c1. Differences between groups do
            not count.

    Returns:
        By attribute: "rho", its mean over the groups, and "lowest" and "highest" among them, in [-1, 1].

    Raises:
        NotMeasuredError: Where no group has ten images or more, or values or attributes are not finite.
        ValueError: For other shapes, types or lengths, or no attribute.
    """
    values, groups = real_numbers("values", values, 1), whole_numbers("groups", groups, 1)
    measured = {name: real_numbers(name, measurements, 1) for name, measurements in measured.items()}
    lengths = [len(values), len(groups), *map(len, measured.values())]
    if not measured or len(set(lengths)) > 1:
        raise ValueError(
            "values, measured and groups: expected as many of each, and one attribute or more. "
            f"Received: {len(values)}, {[len(each) for each in measured.values()]} and {len(groups)}"
        )
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
    """Returns the attribute with the greatest absolute rho, and this rho; `correlations` as of `rank_correlations`.

    Raises:
        NotMeasuredError: Where a rho is not finite.
        ValueError: Where there is no attribute.
    """
    if not correlations:
        raise ValueError("correlations: expected one attribute or more. Received none")
    require_finite("correlations", np.array([each["rho"] for each in correlations.values()]))
    name = max(correlations, key=lambda attribute: abs(correlations[attribute]["rho"]))
    return name, correlations[name]["rho"]
