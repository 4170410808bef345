"""Decodes pictures of any size to a model's images, inside a graph."""

import functools

import tensorflow as tf

from infogan_tf.data.decoding import Form
from infogan_tf.export import checks

# Pictures of more pixels are refused before any is decoded: a file of kilobytes may decode to gigabytes.
MOST_PIXELS = 2**24
# Of all pictures of a request; each counts for no fewer than the image that it becomes.
MOST_PIXELS_IN_ALL = 2**26
# How files begin. No GIF: what it takes to decode one stands in no header, but in the frames of the whole file.
_STARTS = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff", "BMP": b"BM"}
_HEADER = 26  # bytes at the beginning, in which all formats but JPEG have the picture's size
# Each scan of a progressive JPEG, a few bytes of it, goes over all its pixels again; 10 are usual.
MOST_SCANS = 100
_SCAN = b"\xff\xda"


def require_sizes(name: str, files: tf.Tensor, form: Form) -> tf.Tensor:
    """Returns the files, a string [B], once their headers were found to be of pictures that may be decoded.

    Args:
        name: Name of the input, for messages.
        files: Content of the files.
        form: What the pictures become.

    Returns:
        The files. Where one is of another format, or of no pixels or more than MOST_PIXELS, or they have more than
        MOST_PIXELS_IN_ALL together, an InvalidArgument error is raised in the graph.
    """
    pixels = tf.map_fn(lambda file: _pixels(name, file), files, fn_output_signature=tf.int64)
    counted = tf.reduce_sum(tf.maximum(pixels, form.height * form.width))
    message = [f"{name}: expected pictures of at most {MOST_PIXELS_IN_ALL:,} pixels in all. Received:", counted]
    return checks.require(files, counted <= MOST_PIXELS_IN_ALL, message)


def decode_image(name: str, file: tf.Tensor, form: Form) -> tf.Tensor:
    """Decodes a PNG, JPEG or BMP file, which `require_sizes` let pass, to an image as in training.

    As the data loaders do it: JPEG photos stand upright, as their EXIF data says; what is transparent lies on the
    ground; the part that `form.crop` names is resized by Pillow's bicubic filter with rounding to bytes after each
    step, first its width, then its height. Colours become one channel by the luminance of ITU-R 601. A picture of the
    image's own size is neither cropped nor resized. Of large JPEG files the loaders decode a smaller picture, whose
    levels are a few off.

    Args:
        name: Name of the input, for messages.
        file: Content of the file, a string [].
        form: Of the image.

    Returns:
        The image, float32 [H, W, C] in [0, 1]. Broken files, BMP files with a palette of colours, and pictures that the
        part does not fit into, raise an InvalidArgument error in the graph.
    """
    found = _kind(file)
    decoders = [
        (found["PNG"], lambda: _on_ground(_decoded_png(name, file), form.ground)),
        (found["JPEG"], lambda: _upright(file, _decoded_jpeg(name, file))),
    ]
    picture = tf.case(decoders, lambda: _in_colour(_decoded_bmp(name, file)))
    picture = tf.ensure_shape(picture, (None, None, 3))
    left, top, wide, high = _part(name, picture, form)
    picture = picture[top : top + high, left : left + wide]
    for size in ((tf.shape(picture)[0], form.width), (form.height, form.width)):
        picture = _whole_levels(tf.image.resize(picture, size, tf.image.ResizeMethod.BICUBIC, antialias=True))
    if form.channels == 1:
        picture = _whole_levels(tf.tensordot(picture, tf.constant([[0.299], [0.587], [0.114]]), 1))
    return tf.ensure_shape(picture, (form.height, form.width, form.channels)) / 255.0


def _decoded_jpeg(name, file):
    # Exactly as the data loaders do: TensorFlow's own choice is the faster, less exact transform.
    return tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE", name=name)


def _decoded_png(name, file):
    """The picture in four channels, uint8 [h, w, 4]."""
    picture = tf.io.decode_png(file, channels=4, name=name)
    # To one of fewer than 8 bits TensorFlow adds the greatest number of so few as what is to mean opaque.
    bits = tf.cast(tf.io.decode_raw(tf.strings.substr(file, 24, 1), tf.uint8)[0], tf.int32)
    levels, alpha = picture[..., :3], picture[..., 3:]
    opaque = (bits < 8) & tf.reduce_all(tf.cast(alpha, tf.int32) == 2**bits - 1)
    return tf.concat([levels, tf.where(opaque, tf.constant(255, tf.uint8), alpha)], axis=-1)


def _decoded_bmp(name, file):
    """The picture, uint8 [h, w, 1, 3 or 4]; one channel are its places in a palette, which has to be that of greys."""
    picture = tf.io.decode_bmp(file, name=name)
    header = tf.cast(tf.io.decode_raw(tf.strings.substr(file, 0, _HEADER), tf.uint8), tf.int64)
    start, end = 14 + _number(header[14:18]), _number(header[10:14])
    palette = tf.strings.substr(file, start, tf.maximum(end - start, 0) // 4 * 4)
    colours = tf.cast(tf.reshape(tf.io.decode_raw(palette, tf.uint8), (-1, 4))[:, :3], tf.int32)
    greys = tf.reduce_all(colours == tf.range(tf.shape(colours)[0])[:, tf.newaxis])
    message = [f"{name}: expected BMP files of 24 or 32 bits, or of greys. Received: one with a palette of colours"]
    return checks.require(picture, (tf.shape(picture)[-1] > 1) | greys, message)


def _in_colour(picture: tf.Tensor) -> tf.Tensor:
    """A BMP file's picture, uint8 [h, w, 1, 3 or 4], in three channels."""
    return tf.cond(tf.shape(picture)[-1] == 1, lambda: tf.repeat(picture, 3, axis=-1), lambda: picture[..., :3])


def _on_ground(picture: tf.Tensor, ground: tuple[int, int, int]) -> tf.Tensor:
    """Lays a picture with transparency, uint8 [h, w, 4], on one colour: uint8 [h, w, 3]."""
    levels, opaque = picture[..., :3], picture[..., 3:]

    def laid():
        share = tf.cast(opaque, tf.uint16)  # in which 255 * 255 has room: half of what float32 takes
        mixed = tf.cast(levels, tf.uint16) * share + tf.constant(ground, tf.uint16) * (255 - share)
        return tf.cast((mixed + 127) // 255, tf.uint8)

    return tf.cond(tf.reduce_all(opaque == 255), lambda: levels, laid)


def _part(name: str, picture: tf.Tensor, form: Form) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Left, top, width and height of what is kept of a picture; see `data.decoding`, which does the same in Python."""
    height, width = tf.unstack(tf.shape(picture)[:2])
    if form.crop == "none":
        return tf.constant(0), tf.constant(0), width, height
    if form.crop == "center":
        high, wide = tf.cast(height, tf.float64), tf.cast(width, tf.float64)
        scale = tf.minimum(wide / form.width, high / form.height)
        high, wide = (tf.maximum(1, tf.cast(tf.round(scale * size), tf.int32)) for size in (form.height, form.width))
        return (width - wide) // 2, (height - high) // 2, wide, high
    left, top, wide, high = form.crop
    own_size = (height == form.height) & (width == form.width)
    message = [
        f"{name}: expected pictures that have the part {left},{top},{wide},{high} (left, top, width, height), or are "
        f"{form.width} wide and {form.height} high. Received: one of width and height",
        width,
        height,
    ]
    width = checks.require(width, own_size | ((left + wide <= width) & (top + high <= height)), message)
    return tuple(tf.unstack(tf.where(own_size, tf.stack((0, 0, width, height)), tf.constant(form.crop))))


def _whole_levels(picture: tf.Tensor) -> tf.Tensor:
    """Rounds and clips levels to the values of bytes, 0 to 255, as float32."""
    return tf.round(tf.clip_by_value(picture, 0.0, 255.0))


def _kind(file: tf.Tensor) -> dict[str, tf.Tensor]:
    """Whether a file begins as one of a format, bool [], for each."""
    return {form: tf.strings.substr(file, 0, len(start)) == start for form, start in _STARTS.items()}


def _pixels(name: str, file: tf.Tensor) -> tf.Tensor:
    """How many pixels a file says that it has, int64 [], once that was found to be from 1 to MOST_PIXELS."""
    found = _kind(file)
    message = [f"{name}: expected files that are {', '.join(found)}. Received: one that begins with"]
    known = checks.require(file, tf.reduce_any(list(found.values())), [*message, tf.strings.substr(file, 0, 4)])
    padded = tf.strings.substr(known + b"\0" * _HEADER, 0, _HEADER)
    header = tf.cast(tf.io.decode_raw(padded, tf.uint8), tf.int64)

    def bmp():
        height = tf.cast(tf.cast(_number(header[22:26]), tf.int32), tf.int64)
        return _number(header[18:22]) * tf.abs(height)  # negative for pictures stored from the top

    def jpeg():
        scans = tf.size(tf.strings.split(known, _SCAN)) - 1
        message = [f"{name}: expected JPEG files of at most {MOST_SCANS} scans. Received: one of", scans]
        file = checks.require(known, scans <= MOST_SCANS, message)
        return tf.reduce_prod(tf.io.extract_jpeg_shape(file, tf.int64, name=name)[:2])

    sizes = [
        (found["PNG"], lambda: _number(header[16:20][::-1]) * _number(header[20:24][::-1])),
        (found["BMP"], bmp),
    ]
    pixels = tf.case(sizes, jpeg)
    message = [f"{name}: expected pictures of at most {MOST_PIXELS:,} pixels. Received: one of", pixels]
    return checks.require(pixels, (pixels > 0) & (pixels <= MOST_PIXELS), message)


def _number(values: tf.Tensor) -> tf.Tensor:
    """Returns the number that these bytes encode, the lowest first."""
    return tf.reduce_sum(values * 256 ** tf.range(tf.size(values, tf.int64)))


# === EXIF ===

# How a photo is turned upright, by what EXIF says of it (TIFF 6.0, tag 274): whether rows and columns change places
# first, and which axes then run backwards.
_UPRIGHT = {
    1: (False, ()),
    2: (False, (1,)),
    3: (False, (0, 1)),
    4: (False, (0,)),
    5: (True, ()),
    6: (True, (1,)),
    7: (True, (0, 1)),
    8: (True, (0,)),
}
_ORIENTATION = 274
# EXIF data comes first in a file, in a segment of at most so many bytes.
_SEARCHED = 2**16 + 64


def _upright(file: tf.Tensor, picture: tf.Tensor) -> tf.Tensor:
    """Turns the picture of a JPEG file, [h, w, c], as its EXIF data says; without any it stays as it is."""

    def turned(swapped, axes):
        image = tf.transpose(picture, (1, 0, 2)) if swapped else picture
        return tf.reverse(image, axes) if axes else image

    turns = [functools.partial(turned, *how) for how in _UPRIGHT.values()]
    return tf.switch_case(_orientation(file) - 1, turns)


def _orientation(file: tf.Tensor) -> tf.Tensor:
    """The number from 1 to 8 that a JPEG file's EXIF data has for its orientation, int32 []; 1 without any."""
    head = tf.cast(tf.io.decode_raw(tf.strings.substr(file, 0, _SEARCHED), tf.uint8), tf.int32)
    begins = tf.strings.length(tf.strings.split(tf.strings.substr(file, 0, _SEARCHED), b"Exif\0\0")[0]) + 6
    data = tf.pad(head[begins:], [[0, 12]])  # so that a short file has a header to look at
    little = data[0] == ord("I")

    def number(at, size):
        at = tf.minimum(at, tf.size(data) - size)
        low_first = data[at : at + size]
        digits = tf.where(little, low_first, tf.reverse(low_first, [0]))
        return tf.reduce_sum(digits[: min(size, 3)] * 256 ** tf.range(min(size, 3)))

    table = number(4, 4)
    count = tf.minimum(number(table, 2), (tf.size(data) - table - 2) // 12)

    def entry(index, found):
        at = table + 2 + 12 * index
        return index + 1, tf.where(number(at, 2) == _ORIENTATION, number(at + 8, 2), found)

    _, found = tf.while_loop(lambda index, _: index < count, entry, (tf.constant(0), tf.constant(1)))
    return tf.where((found >= 1) & (found <= 8), found, 1)
