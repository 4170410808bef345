"""Tiles images into one picture; writes and reads pictures as PNG and GIF files."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from infogan_tf.files import whole_file

# The width in pixels, and the grey level, of the lines between and around the images of a tiled picture.
GAP, GROUND = 1, 96


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Converts floats in [0, 1] to uint8, rounded, with 1.0 as 255; clips values outside; returns uint8 unchanged."""
    if images.dtype == np.uint8:
        return images
    return np.round(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)


def tile(images: np.ndarray, columns: int, gap: int = GAP) -> np.ndarray:
    """Lays images out row by row on a grey ground.

    Args:
        images: Images [N, H, W, C], uint8 or float in [0, 1].
        columns: Number of images in a row; the last row may have fewer.
        gap: Width in pixels of the lines between and around the images.

    Returns:
        The picture, uint8 [rows * (H + gap) + gap, columns * (W + gap) + gap, C].
    """
    images = to_bytes(images)
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    picture = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), GROUND, np.uint8)
    for i, image in enumerate(images):
        top = gap + (i // columns) * (height + gap)
        left = gap + (i % columns) * (width + gap)
        picture[top : top + height, left : left + width] = image
    return picture


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes a picture, uint8 [H, W, 1 or 3], to a PNG file, whole or not at all."""
    with whole_file(path) as temporary:
        to_pil(picture).save(temporary, format="PNG")


def write_gif(path: Path, pictures: list[np.ndarray], seconds: float = 6.0) -> None:
    """Writes pictures to a GIF file that plays them endlessly, whole or not at all.

    Args:
        path: The file to write.
        pictures: Frames of one size, uint8 [H, W, 1 or 3], one or more.
        seconds: Duration of one pass; the last frame stands three times as long as each other one.
    """
    with whole_file(path) as temporary:
        save_gif(temporary, [to_pil(picture) for picture in pictures], seconds)


def save_gif(file: Path | BinaryIO, frames: list[Image.Image], seconds: float = 6.0) -> None:
    """Saves an animation as `write_gif` does, but straight to its place.

    Args:
        file: Path, or binary file that is open for writing.
        frames: Frames of one size, one or more.
        seconds: Duration of one pass; the last frame stands three times as long as each other one.
    """
    each = int(1000 * seconds / (len(frames) + 2))
    durations = [each] * (len(frames) - 1) + [3 * each]
    frames[0].save(file, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)


def read_png(path: Path) -> np.ndarray | None:
    """Reads a picture that `write_png` wrote, uint8 [H, W, 1 or 3]; None where something else lies there."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            array = np.asarray(image) if image.mode in ("L", "RGB") else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return array if array is None or array.ndim == 3 else array[..., np.newaxis]


def to_pil(picture: np.ndarray) -> Image.Image:
    """Converts a picture, uint8 [H, W, 1 or 3], to Pillow's form."""
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
