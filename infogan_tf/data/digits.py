"""The embedded data set: 1,797 real handwritten digits that scikit-learn ships, so that it needs no download."""

import numpy as np
from PIL import Image

from infogan_tf.data.images import ImageData, Split

SIZE = 16


def load_digits(name: str = "digits", data_dir: str | None = None) -> ImageData:
    """Loads the UCI optical digits, 8x8 in 17 grey levels, enlarged to 16x16 bytes by bicubic interpolation.

    1,437 images are for training, 360 for testing; the split is stratified by label, and fixed.

    Args:
        name: The data set's name, "digits".
        data_dir: Not used; every loader takes it.
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
