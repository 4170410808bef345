"""What a data set is to the rest of the package."""

import dataclasses
import math

import numpy as np

# Images of a grid of factors that stand for a test split.
TEST_IMAGES = 2_000


@dataclasses.dataclass(frozen=True)
class Factors:
    """The true factors of a data set that holds an image of each combination of their values.

    A factor's values are numbered from 0. The images lie in C order: the last factor changes fastest.

    Attributes:
        names: of the K factors.
        sizes: how many values each has.
        ordered: whether its values have an order, as size and place have; shape has none.
        images: uint8 [prod(sizes), H, W, C]; in memory, or a memory-mapped file.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    ordered: tuple[bool, ...]
    images: np.ndarray

    def __post_init__(self):
        if not len(self.names) == len(self.sizes) == len(self.ordered):
            raise ValueError(
                "names, sizes and ordered: expected one of each for every factor. "
                f"Received: names={self.names}, sizes={self.sizes}, ordered={self.ordered}"
            )
        if len(self.images) != math.prod(self.sizes):
            raise ValueError(
                f"images: expected one for each of the {math.prod(self.sizes):,} combinations of factors. "
                f"Received: {len(self.images):,} images"
            )

    def values(self) -> np.ndarray:
        """The factors of every image, int64 [prod(sizes), K]."""
        return np.stack(np.unravel_index(np.arange(len(self.images)), self.sizes), axis=1)

    def index_of(self, factors: np.ndarray) -> np.ndarray:
        """Where in `images` those with the factors [N, K] lie, int64 [N]."""
        factors = np.asarray(factors)
        if factors.ndim != 2 or factors.shape[1] != len(self.sizes):
            raise ValueError(f"factors: expected [N, {len(self.sizes)}]. Received: shape {factors.shape}")
        if (factors < 0).any() or (factors >= self.sizes).any():
            wrong = factors[((factors < 0) | (factors >= self.sizes)).any(axis=1)][0]
            raise ValueError(f"factors: expected values from 0 to below {self.sizes}. Received: {wrong}")
        return np.ravel_multi_index(factors.T, self.sizes)

    def images_of(self, factors: np.ndarray) -> np.ndarray:
        """The images uint8 [N, H, W, C] that have the factors [N, K]."""
        return self.images[self.index_of(factors)]


@dataclasses.dataclass(frozen=True)
class Split:
    """Images as bytes and, where they are known, their labels.

    Attributes:
        images: uint8 [N, H, W, C]; in memory, or a memory-mapped file, which is not to be read as a whole.
        labels: int64 [N], or None.
    """

    images: np.ndarray
    labels: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class ImageData:
    """A data set. Training reads the images of `train`, and their labels where a model asks for them.

    Attributes:
        name: As in --dataset.
        train: What is learnt from.
        test: What is measured on.
        label_names: The classes in words; empty where there are no labels, or they have no names.
        factors: Of data made of all combinations of known factors, or None.
    """

    name: str
    train: Split
    test: Split
    label_names: tuple[str, ...] = ()
    factors: Factors | None = None

    @classmethod
    def of_grid(cls, name: str, factors: Factors, label_names: tuple[str, ...]) -> "ImageData":
        """The data set of all combinations of known factors.

        Such data has no split: all of it is for training (the same array as `factors.images`), and the test images are
        a fixed random sample of it, which training sees too. They serve to measure on fewer images, not to measure
        generalisation.

        Args:
            name: as in --dataset.
            factors: with their images.
            label_names: the values of the first unordered factor in words; it gives the labels. Without an unordered
                factor there are none.
        """
        unordered = factors.ordered.index(False) if False in factors.ordered else None
        labels = None if unordered is None else factors.values()[:, unordered]
        count = len(factors.images)
        sample = np.random.default_rng(0).choice(count, min(TEST_IMAGES, count), replace=False)
        return cls(
            name=name,
            train=Split(factors.images, labels),
            test=Split(factors.images[sample], None if labels is None else labels[sample]),
            label_names=label_names,
            factors=factors,
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.train.images.shape[1:]
