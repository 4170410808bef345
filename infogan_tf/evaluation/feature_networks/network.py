"""What a feature network is: a fixed function from images to the features in which they are compared."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from infogan_tf.data.pixels import check_images, unit_images


@dataclasses.dataclass(frozen=True)
class FeatureNetwork:
    """A fixed network that gives images' features and, where it is a classifier, class probabilities.

    Attributes:
        name: Description of the network in one line, for a report.
        read: Function of images [B, H, W, C], float32 in [0, 1], that returns their features, float32 [B, D], and class
            probabilities, float32 [B, K], or None where the network tells no classes.
        batch_size: The most images passed to `read` at once.
    """

    name: str
    read: Callable[[tf.Tensor], tuple[tf.Tensor | np.ndarray, tf.Tensor | np.ndarray | None]]
    batch_size: int = 500

    def __call__(self, images: np.ndarray, progress: str = "") -> tuple[np.ndarray, np.ndarray | None]:
        """Returns the features, float32 [N, D], and class probabilities, float32 [N, K] or None, of images.

        Args:
            images: Images [N, H, W, C], integers in 0..255 or floats in [0, 1]; N is 1 or more.
            progress: Title of a progress bar; without one there is none.

        Raises:
            ValueError: Where there is no image, or images have other values.
        """
        if not len(images):
            raise ValueError(f"images: expected at least one. Received: images={images.shape}")
        check_images(images)
        features, probabilities = [], []
        with tqdm(total=len(images), desc=progress, unit="image", disable=not progress) as bar:
            for start in range(0, len(images), self.batch_size):
                batch = images[start : start + self.batch_size]
                of_batch, its_probabilities = self.read(unit_images(tf.convert_to_tensor(batch)))
                features.append(np.asarray(of_batch))
                if its_probabilities is not None:
                    probabilities.append(np.asarray(its_probabilities))
                bar.update(len(batch))
        return np.concatenate(features), np.concatenate(probabilities) if probabilities else None
