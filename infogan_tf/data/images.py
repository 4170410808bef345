"""Data sets as the rest of the package sees them: splits of images and labels, and factors."""

import dataclasses
import math

import numpy as np

# The number of images of a grid of factors that serve as its test split.
TEST_IMAGES = 2_000


@dataclasses.dataclass(frozen=True)
class Factors:
    """The true factors of a data set that holds one image of each combination of their values.

    A factor's values are numbered from 0. The images lie in C order: the last factor changes fastest.

    Attributes:
        names: Names of the factors, K of them.
        sizes: Number of values of each factor.
        ordered: Whether each factor's values have an order, as those of size and place; those of shape have none.
        images: Images, uint8 [prod(sizes), H, W, C], in memory or memory-mapped.

    Raises:
        ValueError: Where `names`, `sizes` and `ordered` differ in length, or there are not prod(sizes) images.
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
        """Returns the factors of every image, int64 [prod(sizes), K]."""
        return np.stack(np.unravel_index(np.arange(len(self.images)), self.sizes), axis=1)

    def index_of(self, factors: np.ndarray) -> np.ndarray:
        """Returns the positions in `images` of those with the given factors, int64 [N].

        Args:
            factors: Values of the factors, integers [N, K].

        Raises:
            ValueError: For another shape, or a value that its factor does not have.
        """
        factors = np.asarray(factors)
        if factors.ndim != 2 or factors.shape[1] != len(self.sizes):
            raise ValueError(f"factors: expected [N, {len(self.sizes)}]. Received: shape {factors.shape}")
        if (factors < 0).any() or (factors >= self.sizes).any():
            wrong = factors[((factors < 0) | (factors >= self.sizes)).any(axis=1)][0]
            raise ValueError(f"factors: expected values from 0 to below {self.sizes}. Received: {wrong}")
        return np.ravel_multi_index(factors.T, self.sizes)

    def images_of(self, factors: np.ndarray) -> np.ndarray:
        """Returns the images, uint8 [N, H, W, C], that have the factors [N, K]; raises as `index_of`."""
        return self.images[self.index_of(factors)]


@dataclasses.dataclass(frozen=True)
class Split:
    """Images as bytes and, where known, their labels.

    Attributes:
        images: Images, uint8 [N, H, W, C], in memory or memory-mapped; do not read a mapped file as a whole.
        labels: Label of each image, int64 [N], or None.
        attributes: What is known of each image beside its label, int8 [N, A]: 1 yes, 0 no, -1 unknown; or None.
        words: The numbers of the words that are true of each image, int32 [N, things], of a data set with captions; or
            None.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    attributes: np.ndarray | None = None
    words: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class ImageData:
    """A data set. Training reads the images of `train`, and their labels where a model asks for them.

    Attributes:
        name: The data set's name, as in --dataset.
        train: Split to train on.
        test: Split to measure on.
        label_names: Names of the labels 0, 1, ...; empty where there are no labels, or they have no names.
        attribute_names: Names of the attributes, A of them; empty where there are none.
        factors: True factors of a data set of all their combinations; None for others.
        test_places: Where in `train` the test images lie, int64 [M], of a data set without a split; None for others.
        digest: A name for these very images, which changes with them; empty of those that the cache does not keep.
        own: Whether they are one's own, whose name is that of a folder or file and says nothing of what they are.
        skipped: The files that could not be read, each with why.
        notes: What a reader of its labels and attributes has to know, such as that some images have none.
    """

    name: str
    train: Split
    test: Split
    label_names: tuple[str, ...] = ()
    attribute_names: tuple[str, ...] = ()
    factors: Factors | None = None
    test_places: np.ndarray | None = None
    digest: str = ""
    own: bool = False
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of_grid(cls, name: str, factors: Factors, label_names: tuple[str, ...]) -> "ImageData":
        """Makes a data set of all combinations of known factors.

        Such data has no split: all of it is for training (the same array as `factors.images`), and the test images are
        a fixed random sample of TEST_IMAGES of it, which training sees too. They serve to measure on fewer images, not
        to measure generalisation. The labels are the values of the first unordered factor; without one there are none.

        Args:
            name: The data set's name, as in --dataset.
            factors: The factors, with their images.
            label_names: Names of the first unordered factor's values.
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
            test_places=sample,
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.train.images.shape[1:]

    def training_choice(self, most: int) -> np.ndarray | slice:
        """The places in `train` of all of its images that are not for testing, or of `most`, a fixed random choice.

        Of a data set without a split that is so small that all of its images are for testing, too, they are all there.
        """
        count = len(self.train.images)
        if self.test_places is None or len(self.test_places) == count:
            return choice_of(count, most)
        others = np.delete(np.arange(count), self.test_places)
        return others[choice_of(len(others), most)]


def choice_of(count: int, most: int) -> np.ndarray | slice:
    """The places of all of `count` images, or of `most` of them, a fixed random choice."""
    return slice(None) if count <= most else np.random.default_rng(0).choice(count, most, replace=False)
