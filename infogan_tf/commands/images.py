"""The data set of a run, what its pictures were made to be, and other images that are brought to that form."""

from infogan_tf.config.options import Config
from infogan_tf.data import LOADERS, OF_FILES, load_data
from infogan_tf.data.arrays import rows_in_order
from infogan_tf.data.decoding import Form, read_crop, read_ground
from infogan_tf.data.images import ImageData
from infogan_tf.data.in_order import FilesInOrder, RowsInOrder
from infogan_tf.data.sources import read_source


def images_of(config: Config) -> ImageData:
    """Loads what a run is trained on; `load_data` says what is raised."""
    options = {} if config.dataset in LOADERS else {name: getattr(config, name) for name in OF_FILES}
    return load_data(config.dataset, config.data_dir, **options)


def form_of(config: Config, image_shape: tuple[int, int, int]) -> Form | None:
    """What pictures of one's own were made to be that a run is trained on; None of a data set by name."""
    if config.dataset in LOADERS:
        return None
    return Form(*image_shape, read_crop(config.crop), read_ground(config.background))


def images_in_order(config: Config) -> FilesInOrder | RowsInOrder:
    """Opens every image of the data set, of both splits, in its own order and as it lies there; to be closed.

    Raises:
        UserError: Where there are none, or they cannot be had.
    """
    source = read_source(config.dataset, LOADERS)
    if source.kind == "array":
        return RowsInOrder(*rows_in_order(source.path))
    if source.kind != "named":
        return FilesInOrder(source.path)
    data = load_data(config.dataset, config.data_dir)
    # Of a grid of factors the test images are some of the others.
    splits = {"train": data.train.images} | ({} if data.factors else {"test": data.test.images})
    rows = ((name, index, row) for name, images in splits.items() for index, row in enumerate(images))
    return RowsInOrder([images.shape for images in splits.values()], rows)
