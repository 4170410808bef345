"""Tiles images into one picture; writes and reads pictures as PNG and GIF files."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from infogan_tf.files import whole_file

# The width in pixels, and the grey level, of the lines between and around the images of a tiled picture.
GAP, GROUND = 1, 96


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Converts floats in [0, 1] to uint8, rounded, with 1.0 as 255; clips values outside; returns uint8 unchanged."""
    if images.dtype == np.uint8:
        return images
    return np.round(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)


def tile(images: np.ndarray, columns: int, gap: int = GAP, cells: Sequence[int] | None = None) -> np.ndarray:
    """Lays images out row by row on a grey ground.

    Args:
        images: Images [N, H, W, C], uint8 or float in [0, 1].
        columns: Number of images in a row; the last row may have fewer.
        gap: Width in pixels of the lines between and around the images.
        cells: The place of each image, counted row by row from 0, ascending; without it no place is left out.

    Returns:
        The picture, uint8 [rows * (H + gap) + gap, columns * (W + gap) + gap, C].
    """
    images = to_bytes(images)
    count, height, width, channels = images.shape
    cells = range(count) if cells is None else cells
    rows = cells[-1] // columns + 1
    picture = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), GROUND, np.uint8)
    for cell, image in zip(cells, images, strict=True):
        top = gap + (cell // columns) * (height + gap)
        left = gap + (cell % columns) * (width + gap)
        picture[top : top + height, left : left + width] = image
    return picture


def labelled(images: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Writes a label under each image, on the ground of a tiled picture.

    Args:
        images: Images [N, H, W, C], uint8 or float in [0, 1].
        labels: A short text for each.

    Returns:
        uint8 [N, H + h, max(W, w), C], where the largest label takes h times w pixels.
    """
    font = ImageFont.load_default()
    boxes = [font.getbbox(label) for label in labels]
    height, across = max(int(box[3]) for box in boxes) + 2, max(int(box[2]) for box in boxes) + 2
    left = max(0, across - images.shape[2]) // 2
    right = max(0, across - images.shape[2]) - left
    padded = np.pad(to_bytes(images), ((0, 0), (0, height), (left, right), (0, 0)), constant_values=GROUND)
    for image, label, box in zip(padded, labels, boxes, strict=True):
        strip = Image.new("L", (image.shape[1], height), GROUND)
        ImageDraw.Draw(strip).text(((image.shape[1] - box[2]) // 2, 0), label, 255, font)
        image[-height:] = np.asarray(strip)[..., np.newaxis]
    return padded


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
