"""Pixel values: bytes 0..255 or floats 0..1. Anything else is refused in one line; in a model they are floats 0..1."""

import numpy as np
import tensorflow as tf

# So many values are looked at in one go, of images that may be a file larger than memory.
CHUNK = 2**24
# So far beyond its bounds a float may be a slip of rounding or of resizing.
SLIP = 0.1
_EXPECTED = "images: expected integers from 0 to 255 or floats from 0 to 1"


def unit_images(images: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Images that `check_images` lets pass as float32 in [0, 1]; integers, of any width, are divided by 255."""
    floats = tf.cast(images, tf.float32)
    return floats / 255.0 if tf.as_dtype(images.dtype).is_integer else floats


def check_images(images: np.ndarray | tf.Tensor) -> None:
    """Refuses images whose values are neither integers in 0..255 nor floats in 0..1; bytes need no look.

    Args:
        images: Of any shape: an array in memory, or of a file, of which it reads a part at a time; or a tensor.

    Raises:
        ValueError: It says what was received, and what to do where that can be told.
    """
    if not hasattr(images, "dtype"):
        images = np.asarray(images)
    # A type of another library's, such as PyTorch's, is what NumPy makes of it.
    own = images.dtype if isinstance(images.dtype, (np.dtype, tf.DType)) else np.asarray(images[:0]).dtype
    if own == np.uint8:
        return
    try:
        dtype = tf.as_dtype(own)
    except TypeError:
        raise ValueError(f"{_EXPECTED}. Received: {own}") from None
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"{_EXPECTED}. Received: {dtype.name}{'; make them floats' if dtype.is_bool else ''}")
    low, high = _range(images)
    if low > high or (low >= 0 and high <= (255 if dtype.is_integer else 1)):  # of no image, nothing is out of range
        return
    if np.isnan(low) or np.isnan(high):
        raise ValueError(f"{_EXPECTED}. Received: {dtype.name} with NaN among them; leave these images out")
    received = f"Received: {dtype.name} from {low:.9g} to {high:.9g}{_way_out(dtype, low, high)}"
    raise ValueError(f"{_EXPECTED}. {received}")


def _way_out(dtype, low, high):
    if dtype.is_integer:
        return "; divide 16-bit images by 257" if low >= 0 and high <= 65_535 else ""
    if low >= -SLIP and high <= 1 + SLIP:
        return "; clip them to 0 and 1"
    if low >= -SLIP and high <= 255 + SLIP:
        return "; divide them by 255"
    return "; add 1 and divide by 2" if low >= -1 - SLIP and high <= 1 + SLIP else ""


def _range(images):
    """The least and the greatest value; NaN where there is one."""
    rows = max(1, CHUNK // max(1, int(np.prod(images.shape[1:], dtype=np.int64))))
    low, high = np.inf, -np.inf
    for start in range(0, len(images), rows):
        part = np.asarray(images[start : start + rows])
        if part.size:
            low, high = np.minimum(low, np.float64(part.min())), np.maximum(high, np.float64(part.max()))
    return low, high
