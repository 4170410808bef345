"""Decodes pictures of any size to a model's images, inside a graph."""

import tensorflow as tf

from infogan_tf.export import checks

# Pictures of more pixels are refused before they are decoded: a file of kilobytes may decode to gigabytes.
MOST_PIXELS = 2**24
_STARTS = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
}
_HEADER = 26  # bytes at the beginning, in which all formats but JPEG have the picture's size


def decode_image(name: str, file: tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
    """Decodes a PNG, JPEG, GIF (its first frame) or BMP file to an image as in training.

    The picture is resized as the data loaders do it, by Pillow's bicubic filter with rounding to bytes after each step:
    first its width, then its height, whatever its proportions. Colours become one channel by the luminance of ITU-R
    601. Resizing leaves a picture of the right size as it is.

    Args:
        name: Name of the input, for messages.
        file: Content of the file, a string [].
        shape: Height, width and channels (1 or 3) of the image.

    Returns:
        The image, float32 [H, W, C] in [0, 1]. Files of other formats, broken ones, and pictures of more than
        MOST_PIXELS raise an InvalidArgument error in the graph.
    """
    height, width, channels = shape
    checked = _of_known_size(name, file)
    picture = tf.io.decode_image(checked, channels=3, expand_animations=False, name=name)
    for size in ((tf.shape(picture)[0], width), (height, width)):
        picture = _whole_levels(tf.image.resize(picture, size, tf.image.ResizeMethod.BICUBIC, antialias=True))
    if channels == 1:
        picture = _whole_levels(tf.tensordot(picture, tf.constant([[0.299], [0.587], [0.114]]), 1))
    return tf.ensure_shape(picture, shape) / 255.0


def _whole_levels(picture: tf.Tensor) -> tf.Tensor:
    """Rounds and clips levels to the values of bytes, 0 to 255, as float32."""
    return tf.round(tf.clip_by_value(picture, 0.0, 255.0))


def _of_known_size(name: str, file: tf.Tensor) -> tf.Tensor:
    """Returns the file once its beginning was found to be that of a picture of 1 to MOST_PIXELS pixels."""
    found = {
        form: tf.reduce_any([tf.strings.substr(file, 0, len(start)) == start for start in starts])
        for form, starts in _STARTS.items()
    }
    message = [f"{name}: expected files that are {', '.join(found)}. Received: one that begins with"]
    known = checks.require(file, tf.reduce_any(list(found.values())), [*message, tf.strings.substr(file, 0, 4)])
    padded = tf.strings.substr(known + b"\0" * _HEADER, 0, _HEADER)
    header = tf.cast(tf.io.decode_raw(padded, tf.uint8), tf.int64)

    def bmp():
        height = tf.cast(tf.cast(_number(header[22:26]), tf.int32), tf.int64)
        return _number(header[18:22]) * tf.abs(height)  # negative for pictures stored from the top

    sizes = [
        (found["PNG"], lambda: _number(header[16:20][::-1]) * _number(header[20:24][::-1])),
        (found["GIF"], lambda: _number(header[6:8]) * _number(header[8:10])),
        (found["BMP"], bmp),
    ]
    pixels = tf.case(sizes, lambda: tf.reduce_prod(tf.io.extract_jpeg_shape(known, tf.int64, name=name)[:2]))
    message = [f"{name}: expected pictures of at most {MOST_PIXELS:,} pixels. Received: one of", pixels]
    return checks.require(known, (pixels > 0) & (pixels <= MOST_PIXELS), message)


def _number(values: tf.Tensor) -> tf.Tensor:
    """Returns the number that these bytes encode, the lowest first."""
    return tf.reduce_sum(values * 256 ** tf.range(tf.size(values, tf.int64)))
