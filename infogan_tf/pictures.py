"""Images tiled into one picture, and pictures as PNG and GIF files."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from infogan_tf.files import whole_file

# Between the images of a tiled picture, and around it: so many pixels, of this grey.
GAP, GROUND = 1, 96


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as uint8, 1.0 as 255; uint8 passes through."""
    if images.dtype == np.uint8:
        return images
    return np.round(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)


def tile(images: np.ndarray, columns: int, gap: int = GAP) -> np.ndarray:
    """Lays images [N, H, W, C] out in rows of `columns`, uint8 [rows * (H + gap) + gap, ..., C], on a grey ground."""
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
    """Writes a picture, uint8 [H, W, 1 or 3], as PNG."""
    with whole_file(path) as temporary:
        to_pil(picture).save(temporary, format="PNG")


def write_gif(path: Path, pictures: list[np.ndarray], seconds: float = 6.0) -> None:
    """Writes pictures of one size as an endless animation of about `seconds`; the last stands three times as long."""
    with whole_file(path) as temporary:
        save_gif(temporary, [to_pil(picture) for picture in pictures], seconds)


def save_gif(file: Path | BinaryIO, frames: list[Image.Image], seconds: float = 6.0) -> None:
    """As `write_gif`, of Pillow's pictures and to a path or an open file."""
    each = int(1000 * seconds / (len(frames) + 2))
    durations = [each] * (len(frames) - 1) + [3 * each]
    frames[0].save(file, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)


def read_png(path: Path) -> np.ndarray:
    """The picture that `write_png` wrote."""
    with Image.open(path) as image:
        array = np.asarray(image)
    return array if array.ndim == 3 else array[..., np.newaxis]


def to_pil(picture: np.ndarray) -> Image.Image:
    """A picture, uint8 [H, W, 1 or 3], for Pillow."""
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
