"""The language of --invariances, read without TensorFlow: what leaves which codes as they are, and what moves them."""

import dataclasses
import re
from collections.abc import Iterable

from infogan_tf.config.numbers import read_number
from infogan_tf.errors import UserError

# What may follow a transformation's name: the largest value, and in words what it is.
SIZES = {
    "rotate": (180.0, "degrees to either side"),
    "shift": (1.0, "share of the image's size, to every side"),
    "shift_x": (1.0, "share of the image's width, to left and right"),
    "shift_y": (1.0, "share of the image's height, up and down"),
    "scale": (0.9, "share by which it grows or shrinks"),
    "shear": (1.0, "columns by which a row moves for each row from the middle, to either side"),
    "stretch": (0.9, "share by which it becomes wider or narrower"),
    "thicken": (1.0, "share of the way to figures that reach one pixel farther on every side, or less far"),
    "contrast": (1.0, "share by which pixel values grow or shrink, all alike"),
    "brightness": (1.0, "added to all pixel values, or taken from them"),
    "saturation": (1.0, "share by which colours grow or fade"),
    "hue": (180.0, "degrees along the circle of colours, to either side"),
    "grey": (1.0, "share of the images that lose their colours"),
    "crop": (0.9, "share of height and width that is cut away, before the rest is enlarged"),
    "cutout": (0.9, "share of height and width of a square that is painted over"),
    "surroundings": (1.0, "share of the images in which all but the middle is painted over"),
    "noise": (1.0, "standard deviation of Gaussian noise on every pixel"),
}
FLIP = "flip"
# Those that only images in colour have.
OF_COLOUR = ("saturation", "hue", "grey")
# What is drawn of an image, a column of `Transformations.amounts` each; a shift is one along each axis.
FIRST_AMOUNTS = ("rotate", "scale", "shear", "stretch", "shift_x", "shift_y", FLIP, "thicken", "contrast")
AMOUNTS = (
    *FIRST_AMOUNTS,
    "brightness",
    "saturation",
    "hue",
    "grey",
    "crop",
    "crop_x",
    "crop_y",
    "cutout_x",
    "cutout_y",
    "surroundings",
    "middle_size",
    "middle_shape",
    "middle_x",
    "middle_y",
    *(f"paint_{channel}" for channel in range(3)),
)
# Those with which a continuous code may move: they have two directions and are seen in every image.
MOVABLE = (*(name for name in FIRST_AMOUNTS if name != FLIP), "brightness", "saturation", "hue")
# The item that stands for what usually leaves a class as it is, and what that is, by what the images are of: figures on
# an even ground, photos, or photos of one thing in one frame, as portraits are.
AUTO = "auto"
FIGURES, PHOTOS, FRAMED = "figures on an even ground", "photos", "photos of one thing in one frame"
_LIGHT = "brightness:0.2,contrast:0.4"
_USUAL = {
    FIGURES: "rotate:12,shift:0.1,scale:0.25,stretch:0.25,shear:0.2,contrast:0.3,cutout:0.3",
    PHOTOS: f"flip,crop:0.4,{_LIGHT}",
    # What differs most between them is what surrounds the thing, and classes would be made of it. In one frame parts
    # have their places, which larger crops would hide.
    FRAMED: f"flip,crop:0.15,surroundings:0.7,{_LIGHT}",
}
_OF_GREY = {FIGURES: ",thicken:0.3"}
_COLOURS = ",saturation:0.6,hue:30,grey:0.2"
_IN_COLOUR = {FIGURES: ",brightness:0.1,saturation:0.4", PHOTOS: _COLOURS, FRAMED: _COLOURS}
_ITEM = re.compile(r"(?:(?P<code>\w*)\s*(?P<sign>[=~]))?(?P<transformations>.*)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Declared:
    """One item of the text.

    Attributes:
        codes: The names of the codes that it is about.
        sizes: By transformation, how large it may be; True of flip.
        moves_with: The one of MOVABLE with which the code moves, by 1 where it has the size declared; None where the
            codes stay as they are.
    """

    codes: tuple[str, ...]
    sizes: dict[str, float | bool]
    moves_with: str | None = None


def read_sizes(text: str, option: str = "invariances") -> dict[str, float | bool]:
    """Reads, for example, `rotate:15,shift:0.1,flip`: names of SIZES with a size each, and `flip`.

    Args:
        text: What is read.
        option: The option that it is of, for the message.

    Raises:
        UserError: Where the text is something else.
    """
    sizes = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = item.partition(":")
        if name in sizes:
            raise UserError(f"--{option}: expected each transformation once. Received: {name!r} in {text!r}")
        sizes[name] = item == FLIP or _size(name, value, f"{item!r} in {text!r}", option)
    return sizes


def usual_changes(kind: str, colour: bool) -> str:
    """What usually leaves the class of an image as it is, as `read_sizes` reads it.

    Args:
        kind: What the images are of: FIGURES, PHOTOS or FRAMED.
        colour: Whether they are in colour.
    """
    return _USUAL[kind] + (_IN_COLOUR if colour else _OF_GREY).get(kind, "")


def asks_for_usual(text: str) -> bool:
    """Whether `auto` is one of the items of a text as `read_invariances` reads it."""
    return AUTO in _items(text)


def with_usual(text: str, changes: str) -> str:
    """The text with `changes` in place of `auto`."""
    return ";".join(changes if item == AUTO else item for item in _items(text))


def may_have_become(text: str, other: str) -> bool:
    """Whether `other` is the text with what `auto` stands for, of images of any kind."""
    return other in {with_usual(text, usual_changes(kind, colour)) for kind in _USUAL for colour in (False, True)}


def named_in(text: str) -> set[str]:
    """The transformations that a text names, as `read_invariances` or `read_sizes` reads it."""
    return {name for item in _items(text) for name in read_sizes(_ITEM.fullmatch(item)["transformations"])}


def _items(text):
    return [item.strip() for item in text.split(";")]


def read_invariances(text: str, discrete: Iterable[str], continuous: Iterable[str], usual: str = "") -> list[Declared]:
    """Reads which transformations leave which codes as they are, and which move them.

    The items, separated by semicolons:

        rotate:10,shift:0.1         all discrete codes stay as they are
        c3=rotate:10,shear:0.2      c3 knows neither of rotation nor of shear
        c2~shear:0.4,shift:0.1      c2, a continuous code, moves by 1 with a shear of 0.4, and knows nothing of the rest

    Args:
        text: The items.
        discrete: The names of the codes with classes.
        continuous: The names of the others.
        usual: What is read for `auto`, as `usual_changes` has it; empty where that is none of the items.

    Raises:
        UserError: Where the text is something else, or names no code.
    """
    return [_read_item(item, text, tuple(discrete), tuple(continuous), usual) for item in _items(text)]


def _read_item(item, text, discrete, continuous, usual):
    name, sign, described = _ITEM.fullmatch(item).groups()
    if sign and name not in discrete + continuous:
        names = ", ".join(sorted(discrete + continuous, key=lambda name: (len(name), name)))
        raise UserError(f"--invariances: expected CODE{sign}... with a code of {names}. Received: {name!r} in {text!r}")
    codes, sizes = (name,) if sign else discrete, read_sizes({AUTO: usual}.get(item) or described)
    if not sizes:
        raise UserError(f"--invariances: expected transformations as in rotate:10. Received: {item!r} in {text!r}")
    if not codes:
        raise UserError(f"--invariances: expected CODE=..., as no code is discrete. Received: {item!r} in {text!r}")
    if sign != "~":
        return Declared(codes, sizes)
    moves_with = described.partition(":")[0].strip()
    if name in discrete or moves_with not in MOVABLE:
        movable = ", ".join(MOVABLE)
        raise UserError(
            f"--invariances: expected CODE~... with a continuous code and, first, one of {movable}. "
            f"Received: {item!r} in {text!r}"
        )
    # One amount is drawn along each axis, which both would be multiplied by.
    if moves_with in ("shift_x", "shift_y") and "shift" in sizes:
        other = "shift_y" if moves_with == "shift_x" else "shift_x"
        raise UserError(
            f"--invariances: expected {other} in place of shift in CODE~{moves_with}..., which would move it farther. "
            f"Received: {item!r} in {text!r}"
        )
    return Declared(codes, sizes, moves_with)


def _size(name, value, received, option):
    if name == FLIP:
        raise UserError(f"--{option}: expected flip alone. Received: {received}")
    if name not in SIZES:
        names = ", ".join([*(f"{kind}:SIZE" for kind in SIZES), FLIP])
        raise UserError(f"--{option}: expected some of {names}. Received: {received}")
    most, meaning = SIZES[name]
    size = read_number(value.strip()) or 0.0
    if not 0.0 < size <= most:
        raise UserError(
            f"--{option}: expected {name}:SIZE, above 0 and at most {most:g} ({meaning}). Received: {received}"
        )
    return size
