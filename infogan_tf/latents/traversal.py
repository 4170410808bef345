"""Which latents to draw to show what each code does, and where in the images it acts."""

import dataclasses

import numpy as np
import tensorflow as tf

from infogan_tf.latents.language import STEPS
from infogan_tf.latents.layout import LatentLayout


@dataclasses.dataclass(frozen=True)
class Grid:
    """Latents to be drawn as one picture.

    Attributes:
        latents: float32 [rows * columns, width], row by row.
        columns: How many images stand in a row.
    """

    latents: np.ndarray
    columns: int


def sample_grid(layout: LatentLayout, seed: tf.Tensor, count: int = 100) -> Grid:
    """Draws from the prior, about as many rows as columns."""
    return Grid(layout.sample(count, seed).numpy(), int(np.ceil(np.sqrt(count))))


def traversal_grid(layout: LatentLayout, name: str, seed: tf.Tensor, rows: int = STEPS) -> Grid:
    """Varies one code along each row and fixes all else there.

    A categorical or Bernoulli code shows all its classes, a row for each draw of the rest. A continuous code runs from
    -2 to 2, a row for each class of the first categorical code where there is one (figure 2 of the paper).

    Args:
        layout: The layout of the latents.
        name: The code to vary.
        seed: The stateless seed of all that is fixed, int32 [2].
        rows: How many rows there are, where it is not one for each class.
    """
    code = layout[name]
    classes = layout.first_categorical
    by_class = classes is not None and not code.discrete
    rows = classes.num_classes if by_class else rows
    values = code.traversal(STEPS)
    noise, fixed = layout.sample_parts(rows, seed)
    drawn = {other: np.repeat(value.numpy(), len(values), axis=0) for other, value in fixed.items()}
    if by_class:
        drawn[classes.name] = np.repeat(np.arange(rows, dtype=np.int32), len(values))
    drawn[name] = np.tile(values, rows)
    return Grid(layout.join(np.repeat(noise.numpy(), len(values), axis=0), drawn).numpy(), len(values))


def change_map(images: np.ndarray, columns: int) -> np.ndarray:
    """Where the images of a traversal change: the mean absolute difference of a pixel from its mean along the row.

    Args:
        images: Images of a `traversal_grid`, [rows * columns, H, W, C], in [0, 1].
        columns: How many images stand in a row.

    Returns:
        Float [H, W] in [0, 0.5], over all rows and channels; 0 where nothing changes.
    """
    rows = images.reshape(-1, columns, *images.shape[1:])
    return np.abs(rows - rows.mean(axis=1, keepdims=True)).mean(axis=(0, 1, -1))
