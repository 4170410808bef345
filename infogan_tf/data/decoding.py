"""One image file as the bytes that are trained on: upright, on a ground, cropped, resized, grey or in colour."""

import dataclasses
import io

import numpy as np
from PIL import ExifTags, Image, ImageColor
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION

from infogan_tf.config.numbers import read_integer
from infogan_tf.errors import UserError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
# An image of more pixels is not decoded: a file of kilobytes may say that it is one of gigabytes.
MOST_PIXELS = 2**26
SMALLEST, LARGEST = 16, 128
# What sets a picture upright, by EXIF's orientation of it.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class NotDecodedError(ValueError):
    """A file that is no image, or not one that is read; the message says why."""


@dataclasses.dataclass(frozen=True)
class Form:
    """What all images of a data set are made to be.

    Attributes:
        height: In pixels.
        width: In pixels.
        channels: 1, grey by the luminance of ITU-R 601, or 3.
        crop: "center", the largest part of the wanted proportions; "none", the whole, squeezed; or left, top, width and
            height of a part, in pixels.
        ground: What lies under what is transparent, red, green and blue in 0..255.
    """

    height: int
    width: int
    channels: int
    crop: str | tuple[int, int, int, int] = "center"
    ground: tuple[int, int, int] = (255, 255, 255)


def read_size(text: str) -> tuple[int, int] | None:
    """Height and width of --image_size, such as 64 or 64x48; None of an empty text.

    Raises:
        UserError: Where they are not multiples of 4 from SMALLEST to LARGEST.
    """
    if not text:
        return None
    parts = text.lower().split("x")
    sizes = [_number(part) or 0 for part in parts]
    sizes = sizes * 2 if len(sizes) == 1 else sizes
    if len(sizes) != 2 or any(size % 4 or not SMALLEST <= size <= LARGEST for size in sizes):
        raise UserError(
            f"--image_size: expected SIZE or HEIGHTxWIDTH, multiples of 4 from {SMALLEST} to {LARGEST}. "
            f"Received: {text!r}"
        )
    return sizes[0], sizes[1]


def read_crop(text: str) -> str | tuple[int, int, int, int]:
    """The crop of --crop: "center", "none", or four integers.

    Raises:
        UserError: Where it is something else.
    """
    if text in ("center", "none"):
        return text
    parts = [part.strip() for part in text.split(",")]
    box = [_number(part) for part in parts]
    if len(box) != 4 or None in box or 0 in box[2:]:
        raise UserError(f"--crop: expected center, none or LEFT,TOP,WIDTH,HEIGHT in pixels. Received: {text!r}")
    return tuple(box)


def _number(text):
    """A number of pixels; None where the text is none."""
    number = read_integer(text)
    return number if number is not None and 0 <= number < 10**9 else None


def read_ground(text: str) -> tuple[int, int, int]:
    """The colour of --background: a name or #rrggbb.

    Raises:
        UserError: Where it is no colour.
    """
    try:
        colour = ImageColor.getrgb(text)[:3]
    except ValueError:
        colour = ()
    if not colour or not all(0 <= part <= 255 for part in colour):  # as of rgb(999,0,0)
        raise UserError(f"--background: expected a colour, such as white or #80a0ff. Received: {text!r}")
    return colour


def decode(content: bytes, form: Form) -> np.ndarray:
    """The image in a file, uint8 [height, width, channels]; of an animation the first frame.

    Raises:
        NotDecodedError: Where it cannot be had.
    """
    with _opened(content) as image:
        # JPEG can be decoded at a half, a quarter or an eighth of its size: enough, where the images are to be small.
        if isinstance(form.crop, str):
            image.draft(None, (2 * form.width, 2 * form.height))
        return fitted(_in_eight_bits(_upright(image), getattr(image, "tag_v2", {})), form)


def fitted(picture: Image.Image, form: Form) -> np.ndarray:
    """A picture as an image of this form, uint8 [height, width, channels].

    Raises:
        NotDecodedError: Where it has pixels of another kind, or is too small for the part that is asked for.
    """
    flat = _on_ground(picture, form.ground).convert("L" if form.channels == 1 else "RGB")
    part = flat.crop(_box(flat.size, form))
    if part.size != (form.width, form.height):
        part = part.resize((form.width, form.height), Image.Resampling.BICUBIC)
    return np.asarray(part).reshape(form.height, form.width, form.channels)


def look(content: bytes, ground: tuple[int, int, int] = (255, 255, 255)) -> tuple[int, int, bool]:
    """Height, width and whether it is in colour, of the image in a file.

    Args:
        content: Of the file.
        ground: What lies under what is transparent, which is seen as well; red, green and blue in 0..255.

    Raises:
        NotDecodedError: Where it cannot be had.
    """
    with _opened(content) as image:
        upright = _upright(image)
        if upright.mode.startswith(("I", "F")):
            return upright.height, upright.width, False
        picture = _on_ground(upright, ground).convert("RGB")
        picture.thumbnail((64, 64))
        pixels = np.asarray(picture).astype(np.int16)
        return upright.height, upright.width, bool(np.ptp(pixels, axis=-1).max() > 8)  # JPEG's rounding tints a grey


def _opened(content):
    """The picture, its header read, its pixels not."""
    Image.init()  # once: Pillow knows a few formats by itself
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Exception as error:  # Pillow raises whatever a malformed file made of it
        raise NotDecodedError(_first_line(error, "no image of a kind that is read")) from error
    # A frame may be larger than the picture that it lies in.
    extents = [tile[1] for tile in image.tile if tile[1]]
    sizes = [image.width * image.height, *((right - left) * (lower - upper) for left, upper, right, lower in extents)]
    if max(sizes) > MOST_PIXELS:
        image.close()
        raise NotDecodedError(f"{max(sizes):,} pixels, more than {MOST_PIXELS:,}")
    return image


def _upright(image):
    """The picture with its pixels, turned as its EXIF data say; as it lies there, where these are damaged."""
    try:
        image.load()
    except Exception as error:  # as in _opened
        raise NotDecodedError(_first_line(error, "cannot be decoded")) from error
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # as in _opened; the picture itself is whole
        return image
    # Not by Pillow's own, which writes the other EXIF data anew and fails where one of them is odd.
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _first_line(error, otherwise):
    if isinstance(error, Image.UnidentifiedImageError):
        return otherwise
    return next(iter(str(error).splitlines()), "") or otherwise


def _in_eight_bits(image, tags):
    """The picture, of 12 or 16 bits in 8; `tags` are the TIFF's that it is from, or none."""
    if not image.mode.startswith("I"):
        return image
    (bits, *_) = tags.get(BITSPERSAMPLE, (16,))
    values = np.asarray(image).astype(np.int64)
    if bits > 16:
        raise NotDecodedError(f"integers of {bits} bits, of which nobody knows which is white")
    if values.min(initial=0) < 0:
        raise NotDecodedError("pixels below 0")
    values = np.round(values / ((2**bits - 1) / 255)).astype(np.uint8)
    # Of 8 bits Pillow sees to it.
    return Image.fromarray(255 - values if tags.get(PHOTOMETRIC_INTERPRETATION) == 0 else values)


def _on_ground(image, ground):
    """The picture without transparency, in 8 bits."""
    if image.mode == "F":
        raise NotDecodedError("floating-point pixels")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, (*ground, 255)), layer)
    return image


def _box(size, form):
    """The part of a picture of this (width, height) that is kept: left, top, right, bottom."""
    width, height = size
    if form.crop == "none":
        return 0, 0, width, height
    if form.crop == "center":
        scale = min(width / form.width, height / form.height)
        wide, high = max(1, round(scale * form.width)), max(1, round(scale * form.height))
        left, top = (width - wide) // 2, (height - high) // 2
        return left, top, left + wide, top + high
    left, top, wide, high = form.crop
    if left + wide > width or top + high > height:
        raise NotDecodedError(f"{width} x {height} pixels, which the part {left},{top},{wide},{high} does not fit into")
    return left, top, left + wide, top + high
