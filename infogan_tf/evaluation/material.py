"""What is drawn from a trained model, and what is read in the draws and in real images; of it measures are made."""

import dataclasses
import functools
from pathlib import Path

import numpy as np

from infogan_tf.data.images import ImageData, Split, choice_of
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.feature_networks import feature_network, published_network
from infogan_tf.evaluation.figures import PUBLISHED_FEATURES
from infogan_tf.evaluation.metrics.attributes import LOOKED_AT, ground_of
from infogan_tf.evaluation.metrics.directions import mean_directions
from infogan_tf.evaluation.sample_figures import Compared, compare
from infogan_tf.latents.codes import Categorical, Code
from infogan_tf.models.base import GenerativeModel

# So many images have to have an attribute, and so many not, for its area.
LEAST_IMAGES = 10


@dataclasses.dataclass(frozen=True)
class Setting:
    """How much is spent on an evaluation: images drawn and read, and votes for disentanglement (train, test).

    `published` is whether samples are also measured in the network of published figures: it has 2,048 features, which
    the images have to outnumber.
    """

    name: str
    images: int
    votes: tuple[int, int]
    published: bool = False


SETTINGS = {
    "quick": Setting("quick", images=2_000, votes=(1_000, 500)),
    "full": Setting("full", images=10_000, votes=(10_000, 5_000), published=True),
}


class Material:
    """Draws from a model and what it reads in them and in test images; each computed when first asked for.

    Args:
        model: The trained model; inference statistics are used throughout.
        data: The data set that it was trained on.
        setting: How many images are drawn and read.
        cache_dir: Folder of feature networks, or None for the default.
        labelled: How many training images had a label that training was told; 0 for none.
    """

    def __init__(
        self,
        model: GenerativeModel,
        data: ImageData,
        setting: Setting,
        cache_dir: str | Path | None = None,
        labelled: int = 0,
    ):
        self.model = model
        self.labelled = labelled
        self.cache_dir = cache_dir
        self.data = data
        self.setting = setting
        self.layout = model.layout
        noise, self.values = self.layout.sample_parts(setting.images, model.stream_seed("measure"))
        self.values = {name: value.numpy() for name, value in self.values.items()}
        self.images, self.log_probs, self.posterior = model.read(self.layout.join(noise, self.values))
        self.read_codes = model.read_codes

    @property
    def test_images(self) -> np.ndarray:
        """As many as the setting allows, the first of the test split."""
        return self.data.test.images[: self.setting.images]

    @property
    def test_labels(self) -> np.ndarray:
        """Of `test_images`.

        Raises:
            NotMeasuredError: Where there are none.
        """
        if self.data.test.labels is None:
            raise NotMeasuredError(f"the data set {self.data.name} has no labels")
        return self.data.test.labels[: self.setting.images]

    @property
    def label_names(self) -> list[str]:
        """The labels in words, or their numbers."""
        return list(self.data.label_names) or [str(label) for label in range(self.data.test.labels.max() + 1)]

    @functools.cached_property
    def test_posterior(self) -> dict[str, dict[str, np.ndarray]]:
        """Q(c|x) of `test_images`."""
        return self.model.encode(self.test_images)

    @functools.cached_property
    def trunk_features(self) -> np.ndarray:
        """The trunk's features of `test_images`, [N, F]."""
        return self.model.features(self.test_images)

    def test_classes(self, code: Code) -> np.ndarray:
        """The most probable class of each test image."""
        return code.most_probable(self.test_posterior[code.name])

    @functools.cached_property
    def training_choice(self) -> np.ndarray | slice:
        """The places of as many training images as there are draws, or of all, a fixed random choice."""
        return self.data.training_choice(len(self.images))

    @functools.cached_property
    def training_sample(self) -> np.ndarray:
        """The training images of `training_choice`."""
        return self.data.train.images[self.training_choice]

    @functools.cached_property
    def ground(self) -> str:
        """What the training images lie on, as `attributes.ground_of` tells it."""
        sample = self.training_sample
        return ground_of(sample[choice_of(len(sample), LOOKED_AT)] / 255.0)

    @property
    def known_names(self) -> list[str]:
        """What is known of images: attributes, then labels, one by one."""
        labels = [] if self.data.test.labels is None else self.label_names
        return [*self.data.attribute_names, *(f"label {name}" if name.isdecimal() else name for name in labels)]

    @functools.cached_property
    def training_truths(self) -> np.ndarray:
        """Of each image of `training_sample`, for each of `known_names`: 1 yes, 0 no, -1 unknown; int8 [N, A]."""
        return self._truths(self.data.train, self.training_choice)

    @functools.cached_property
    def test_truths(self) -> np.ndarray:
        """The same of each of `test_images`."""
        return self._truths(self.data.test, slice(len(self.test_images)))

    def _truths(self, split: Split, places: np.ndarray | slice) -> np.ndarray:
        parts = [] if split.attributes is None else [split.attributes[places]]
        if split.labels is not None:
            parts.append(split.labels[places][:, np.newaxis] == np.arange(len(self.label_names)))
        return np.concatenate(parts, axis=1).astype(np.int8)

    @functools.cached_property
    def directions(self) -> dict[str, np.ndarray]:
        """Of a model that reads noise, the direction [noise.size] in z of each of `known_names` that is to be had."""
        found = mean_directions(self.training_noise, self.training_truths, LEAST_IMAGES)
        return {name: each for name, each in zip(self.known_names, found, strict=True) if np.isfinite(each).all()}

    @functools.cached_property
    def training_noise(self) -> np.ndarray:
        """The mean of q(z|x) of each image of `training_sample`, [N, noise.size]."""
        return self.model.encode(self.training_sample)["noise"]["mean"]

    @functools.cached_property
    def features(self) -> Compared:
        """What the data set's own network reads in training images, as many draws, and test images.

        Raises:
            NotMeasuredError: As `feature_network`.
        """
        network = feature_network(self.data, self.cache_dir)
        return compare(network, self.training_sample, self.images[: len(self.training_sample)], self.test_images)

    @functools.cached_property
    def published_features(self) -> Compared | None:
        """What the network of published figures reads in training images and as many draws.

        None where the setting does not ask for it, or that of published figures is the data set's own.

        Raises:
            NotMeasuredError: As `published_network`.
        """
        network = published_network(self.data, self.cache_dir) if self.setting.published else None
        if network is None:
            return None
        drawn = self.images[: len(self.training_sample)]
        return compare(network, self.training_sample, drawn, None, PUBLISHED_FEATURES, "Inception")

    @property
    def categoricals(self) -> list[Code]:
        """The codes whose posterior is a class."""
        return [code for code in self.read_codes if isinstance(code, Categorical)]
