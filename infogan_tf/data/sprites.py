"""White shapes on black with known factors, in the manner of dSprites; computed here, so that they need no download.

The frame has 512 x 512 cells, each wholly white or wholly black, and a pixel is the mean of the cells it covers. Shapes
move by whole cells. So the same frame gives the images of either size, the edges are smooth, and the bytes are a
function of integers alone once a shape's cells are known; no cell's centre lies close enough to an edge for the
rounding of sine and cosine to matter.
"""

import numpy as np

from infogan_tf.data.images import Factors, ImageData

SIDES = {"sprites": 32, "sprites64": 64}

CELLS = 512
RADIUS = 128  # of the circle around a shape at full scale, in cells
SCALES = np.linspace(0.5, 1.0, 5)
ANGLES = np.arange(12) * 7.5  # degrees
# The places of a shape's centre, in cells from the left or the top: symmetrical, and no shape crosses the border.
PLACES = 139 + 18 * np.arange(14)


def _heart(u, v):
    # A well-known sextic, upright, moved and scaled so that its centre of mass is the origin and its radius about 1.
    u, v = 1.3 * u, 0.2935 - 1.3 * v
    return (u**2 + v**2 - 1) ** 3 < u**2 * v**3


# Whether a point lies inside each shape at full scale and unrotated: u to the right, v down, both in radii.
SHAPES = {
    "square": lambda u, v: np.maximum(np.abs(u), np.abs(v)) < 0.7,
    "ellipse": lambda u, v: u**2 + (2 * v) ** 2 < 1,
    "heart": _heart,
}


def load_sprites(name: str, data_dir: str | None = None) -> ImageData:
    """Makes all 35,280 images of one shape at some scale, rotation and place; `ImageData.of_grid` says how it is split.

    The factors, in order: shape (square, ellipse with axes 2:1, heart); scale (5, from a half to one); rotation (12,
    every 7.5 degrees clockwise up to 82.5, so that the square too looks different at each); x and y (14 places each, to
    the right and down). The labels are the shape.

    Args:
        name: The data set's name: "sprites", 32 x 32, or "sprites64", 64 x 64; both have one channel.
        data_dir: Not used; every loader takes it.
    """
    factors = Factors(
        names=("shape", "scale", "rotation", "x", "y"),
        sizes=(len(SHAPES), len(SCALES), len(ANGLES), len(PLACES), len(PLACES)),
        ordered=(False, True, True, True, True),
        images=_images(SIDES[name]),
    )
    return ImageData.of_grid(name, factors, tuple(SHAPES))


def _images(side: int) -> np.ndarray:
    """Draws every sprite, uint8 [35280, side, side, 1]."""
    images = np.empty((len(SHAPES), len(SCALES), len(ANGLES), len(PLACES), len(PLACES), side, side), np.uint8)
    width = CELLS // side  # a pixel's, in cells
    # How many of a patch's 2 * RADIUS cells come before each edge between pixels, at each place: [places * (side + 1)].
    before = np.arange(side + 1) * width - (PLACES[:, np.newaxis] - RADIUS)
    before = np.clip(before, 0, 2 * RADIUS).ravel()
    for kind in np.ndindex(images.shape[:3]):
        # White cells above and to the left of each corner of the patch's cells.
        table = np.pad(_patch(*kind).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        corners = table[np.ix_(before, before)].reshape(len(PLACES), side + 1, len(PLACES), side + 1)
        white = np.diff(np.diff(corners, axis=1), axis=3)  # [y, row, x, column]
        images[kind] = ((255 * white + width**2 // 2) // width**2).transpose(2, 0, 1, 3)
    return images.reshape(-1, side, side, 1)


def _patch(shape: int, scale: int, rotation: int) -> np.ndarray:
    """Returns whether a shape covers each cell around its centre, bool [2 * RADIUS, 2 * RADIUS]."""
    x = (np.arange(2 * RADIUS) + 0.5 - RADIUS) / (RADIUS * SCALES[scale])
    y = x[:, np.newaxis]
    cos, sin = np.cos(np.radians(ANGLES[rotation])), np.sin(np.radians(ANGLES[rotation]))
    return list(SHAPES.values())[shape](cos * x + sin * y, cos * y - sin * x)
