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
class ImageData:
    """Images as bytes. Training reads `train_images` alone; the rest is for evaluation.

    Attributes:
        name: as in --dataset.
        train_images: uint8 [N, H, W, C]; in memory, or a memory-mapped file, which is not to be read as a whole.
        test_images: uint8 [M, H, W, C].
        train_labels, test_labels: int64 [N] and [M], or None.
        label_names: the classes in words; empty where there are no labels.
        factors: of data made of all combinations of known factors, or None.
    """

    name: str
    train_images: np.ndarray
    test_images: np.ndarray
    train_labels: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    label_names: tuple[str, ...] = ()
    factors: Factors | None = None

    @classmethod
    def of_grid(cls, name: str, factors: Factors, label_names: tuple[str, ...]) -> "ImageData":
        """The data set of all combinations of known factors, one of them unordered.

        Such data has no split: all of it is for training (the same array as `factors.images`), and the test images are
        a fixed random sample of it, which training sees too. They serve to measure on fewer images, not to measure
        generalisation.

        Args:
            name: as in --dataset.
            factors: with their images.
            label_names: the values of the first unordered factor in words; it gives the labels.
        """
        labels = factors.values()[:, factors.ordered.index(False)]
        count = len(labels)
        sample = np.random.default_rng(0).choice(count, min(TEST_IMAGES, count), replace=False)
        return cls(
            name=name,
            train_images=factors.images,
            test_images=factors.images[sample],
            train_labels=labels,
            test_labels=labels[sample],
            label_names=label_names,
            factors=factors,
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.train_images.shape[1:]
