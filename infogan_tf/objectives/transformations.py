"""Small random changes of images that leave what they show unchanged."""

import dataclasses
import math

import tensorflow as tf

from infogan_tf.objectives.affine import affine_transform
from infogan_tf.objectives.declarations import AMOUNTS, FIRST_AMOUNTS, read_sizes
from infogan_tf.random import drawn_here, fold_in

# Those that say where in the old image a place of the new one is.
PLACES = ("rotate", "shift", "shift_x", "shift_y", "scale", "shear", "stretch", "crop", "flip")


@dataclasses.dataclass(frozen=True)
class Transformations:
    """Which random changes are made to an image; each is drawn uniformly up to the size given here.

    Attributes:
        rotate: Degrees to either side, up to 180.
        shift: Share of height and width, to every side.
        shift_x: Share of the width, to left and right, on top of `shift`.
        shift_y: Share of the height, up and down, on top of `shift`.
        scale: Share by which both sizes grow or shrink.
        shear: Columns by which a row moves for each row from the middle.
        stretch: Share by which the width grows or shrinks.
        thicken: Share of the way to the greatest (or the least) value among a pixel and its eight neighbours, which is
            grey-scale dilation (or erosion).
        contrast: Share by which all pixel values grow or shrink.
        brightness: What is added to all pixel values, which are in [0, 1], or taken from them.
        saturation: Share by which each channel's distance from the pixel's mean grows or shrinks.
        hue: Degrees by which colours turn about the axis of greys, up to 180.
        grey: Share of the images in which each channel is the pixel's mean.
        crop: Share of height and width that is cut away at most, anywhere; the rest is enlarged to the image's size.
        cutout: Share of height and width of a square, anywhere, that is given the image's mean colour.
        surroundings: Share of the images in which all but the middle is painted over, in one colour.
        noise: Standard deviation of the Gaussian noise on every pixel, of values in [0, 1].
        flip: Whether half of the images are mirrored left to right.
    """

    rotate: float = 0.0
    shift: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    stretch: float = 0.0
    thicken: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    grey: float = 0.0
    crop: float = 0.0
    cutout: float = 0.0
    surroundings: float = 0.0
    noise: float = 0.0
    flip: bool = False

    @classmethod
    def parse(cls, text: str) -> "Transformations":
        """Reads, for example, `rotate:15,shift:0.1,flip`: names of SIZES with a size each, and `flip`.

        Raises:
            UserError: Where the text is something else.
        """
        return cls(**read_sizes(text))

    def __bool__(self) -> bool:
        return self != Transformations()

    def amounts(self, count: tf.Tensor | int, seed: tf.Tensor) -> tf.Tensor:
        """Draws how each image is changed: float32 [count, len(AMOUNTS)], 1 for each size given here, -1 the other way.

        Args:
            count: How many images.
            seed: A stateless seed, int32 [2]: the same seed makes the same draws.
        """

        def draw(columns, its_seed):
            return drawn_here(count, lambda rows: tf.random.stateless_uniform((rows, columns), its_seed, -1.0, 1.0))

        first = len(FIRST_AMOUNTS)
        return tf.concat([draw(first, seed), draw(len(AMOUNTS) - first, fold_in(seed, 2))], axis=1)

    def __call__(self, images: tf.Tensor, amounts: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Changes each image in a way of its own.

        Args:
            images: float32 [B, H, W, C] in [0, 1]; what moves in from outside repeats the border.
            amounts: How each is changed, as the method of that name draws it.
            seed: The stateless seed of the noise, int32 [2].

        Returns:
            The same shape and range.
        """
        if self.thicken:
            share = self.thicken * _by_image(amounts, "thicken")
            thick, thin = tf.nn.max_pool2d(images, 3, 1, "SAME"), -tf.nn.max_pool2d(-images, 3, 1, "SAME")
            images += tf.nn.relu(share) * (thick - images) + tf.nn.relu(-share) * (thin - images)
        if any(getattr(self, name) for name in PLACES):
            images = affine_transform(images, self.matrices(amounts, images.shape[1:3]))
        if self.contrast:
            images *= 1.0 + self.contrast * _by_image(amounts, "contrast")
        if self.brightness:
            images += self.brightness * _by_image(amounts, "brightness")
        if self.saturation or self.hue or self.grey:
            images = self._recoloured(images, amounts)
        if self.cutout:
            images = self._cut_out(images, amounts)
        if self.surroundings:
            images = self._without_surroundings(images, amounts)
        if self.noise:
            shape = images.shape[1:]
            images += self.noise * drawn_here(
                tf.shape(images)[0], lambda rows: tf.random.stateless_normal((rows, *shape), fold_in(seed, 1))
            )
        return tf.clip_by_value(images, 0.0, 1.0)

    def matrices(self, amounts: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
        """Affine maps from a place (x, y) of the new image to one of the old, about the image's middle.

        Args:
            amounts: How each image is changed, [B, len(AMOUNTS)].
            size: Height and width of the images, in pixels.

        Returns:
            float32 [B, 6], as `affine_transform` takes them.
        """
        height, width = size
        angle, grow, shear, stretch, right, down, mirror, *_ = tf.unstack(amounts, axis=1)
        cut, cut_x, cut_y = (amounts[:, AMOUNTS.index(name)] for name in ("crop", "crop_x", "crop_y"))
        angle, shear = angle * self.rotate * math.pi / 180.0, shear * self.shear
        cut = self.crop * (cut + 1.0) / 2.0
        grow, stretch = (1.0 + grow * self.scale) / (1.0 - cut), 1.0 + stretch * self.stretch
        right, down = right * (self.shift + self.shift_x) * width, down * (self.shift + self.shift_y) * height
        # (1 / stretch, 1) times (mirror, 1) times the rotation times (1, shear; 0, 1), over the growth.
        mirror = tf.where(self.flip & (mirror < 0.0), -1.0, 1.0) / stretch
        a, b = mirror * tf.cos(angle) / grow, mirror * (shear * tf.cos(angle) - tf.sin(angle)) / grow
        d, e = tf.sin(angle) / grow, (shear * tf.sin(angle) + tf.cos(angle)) / grow
        x, y = (width - 1) / 2, (height - 1) / 2
        c, f = x - a * (x + right) - b * (y + down), y - d * (x + right) - e * (y + down)
        c, f = c + cut_x * cut / 2.0 * width, f + cut_y * cut / 2.0 * height
        return tf.stack([a, b, c, d, e, f], axis=1)

    def _recoloured(self, images, amounts):
        """Colours turned about the axis of greys, more or less of them, or none; grey images have none to change."""
        if images.shape[-1] != 3:
            return images
        mean = tf.reduce_mean(images, axis=-1, keepdims=True)
        colours = images - mean
        if self.hue:
            angle = _by_image(amounts, "hue") * self.hue * math.pi / 180.0
            # Of a vector v at right angles to the axis k, Rodrigues' rotation is v cos + (k x v) sin.
            across = (tf.roll(colours, 1, axis=-1) - tf.roll(colours, -1, axis=-1)) / math.sqrt(3.0)
            colours = colours * tf.cos(angle) + across * tf.sin(angle)
        if self.saturation:
            colours *= 1.0 + self.saturation * _by_image(amounts, "saturation")
        if self.grey:
            colours *= tf.cast(_by_image(amounts, "grey") >= 2.0 * self.grey - 1.0, images.dtype)
        return mean + colours

    def _cut_out(self, images, amounts):
        """A square of each painted over, whose middle is anywhere in the image."""
        height, width = images.shape[1:3]

        def covered(name, side):
            middle = (_by_image(amounts, name) + 1.0) / 2.0 * side
            places = tf.reshape(tf.range(side, dtype=tf.float32) + 0.5, (1, -1, 1, 1))
            return tf.abs(places - middle) < self.cutout * side / 2.0

        square = covered("cutout_y", height) & tf.transpose(covered("cutout_x", width), (0, 2, 1, 3))
        return tf.where(square, tf.reduce_mean(images, axis=(1, 2), keepdims=True), images)

    def _without_surroundings(self, images, amounts):
        """Some of them with all but an ellipse near the middle painted over, in any colour."""
        size, shape, right, down = (_by_image(amounts, f"middle_{name}") for name in ("size", "shape", "x", "y"))
        # In halves of the image's height and width; at the largest half a tenth more than what touches its sides.
        radius, shape = 0.825 + 0.275 * size, tf.exp(0.2 * shape)

        def distance(side, axis, middle):
            places = (tf.range(side, dtype=tf.float32) + 0.5) / side * 2.0 - 1.0
            return tf.reshape(places, [-1 if i == axis else 1 for i in range(4)]) - 0.15 * middle

        height, width = images.shape[1:3]
        across, along = distance(width, 2, right) / shape, distance(height, 1, down) * shape
        # An edge that fades over about an eighth of the half, as a hard one would be a figure of its own.
        kept = tf.sigmoid(15.0 * (radius - tf.sqrt(tf.square(across) + tf.square(along))))
        kept = tf.where(_by_image(amounts, "surroundings") < 2.0 * self.surroundings - 1.0, kept, 1.0)
        paint = [_by_image(amounts, f"paint_{channel}") for channel in range(images.shape[-1])]
        return kept * images + (1.0 - kept) * (tf.concat(paint, axis=-1) + 1.0) / 2.0


def _by_image(amounts, name):
    """One column of the amounts as a factor for images, [B, 1, 1, 1]."""
    return amounts[:, AMOUNTS.index(name), tf.newaxis, tf.newaxis, tf.newaxis]
