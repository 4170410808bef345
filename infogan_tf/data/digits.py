"""The embedded data set: 1,797 real handwritten digits that scikit-learn ships, so it needs no download."""

import numpy as np
from PIL import Image

from infogan_tf.data.images import ImageData, Split

SIZE = 16


def load_digits(name: str = "digits", data_dir: str | None = None) -> ImageData:
    """The UCI optical digits, 8x8 in 17 grey levels, brought to 16x16 bytes; 1,437 to train, 360 to test.

    The split is stratified and fixed. Enlarging is bicubic.

    Args:
        name: "digits".
        data_dir: not used; every loader takes it.
    """
    from sklearn import datasets, model_selection

    images, labels = datasets.load_digits(return_X_y=True)
    grey = np.round(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    enlarged = [Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BICUBIC) for image in grey]
    train_images, test_images, train_labels, test_labels = model_selection.train_test_split(
        np.stack([np.asarray(image) for image in enlarged])[..., np.newaxis],
        labels.astype(np.int64),
        test_size=360,
        random_state=0,
        stratify=labels,
    )
    return ImageData(
        name=name,
        train=Split(train_images, train_labels),
        test=Split(test_images, test_labels),
        label_names=tuple(str(digit) for digit in range(10)),
    )
