"""What a data set is to the rest of the package."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class ImageData:
    """Images in memory, as bytes. Training reads `train_images` alone; the rest is for evaluation.

    Attributes:
        name: as in --dataset.
        train_images: uint8 [N, H, W, C].
        test_images: uint8 [M, H, W, C].
        train_labels, test_labels: int64 [N] and [M], or None.
        label_names: the classes in words; empty where there are no labels.
    """

    name: str
    train_images: np.ndarray
    test_images: np.ndarray
    train_labels: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    label_names: tuple[str, ...] = ()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.train_images.shape[1:]
