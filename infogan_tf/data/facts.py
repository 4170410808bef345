"""What a recipe goes by: a few facts of the images, known of a data set or found by looking."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ImageFacts:
    """A few facts of a data set's training images.

    Attributes:
        count: How many there are.
        height: Of each, in pixels.
        width: Of each, in pixels.
        figures: Whether they are of figures on an even ground, as digits are; else they are taken for photos.
        framed: Whether they are photos of one thing in one frame, as portraits are.
        equal: Whether its kinds of images are known to be equally frequent.
    """

    count: int
    height: int
    width: int
    figures: bool
    framed: bool = False
    equal: bool = False
