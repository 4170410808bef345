"""The data set of a run, and what its pictures were made to be."""

from infogan_tf.config.options import Config
from infogan_tf.data import LOADERS, OF_FILES, load_data
from infogan_tf.data.decoding import Form, read_crop, read_ground
from infogan_tf.data.images import ImageData


def images_of(config: Config) -> ImageData:
    """Loads what a run is trained on; `load_data` says what is raised."""
    options = {} if config.dataset in LOADERS else {name: getattr(config, name) for name in OF_FILES}
    return load_data(config.dataset, config.data_dir, **options)


def form_of(config: Config, image_shape: tuple[int, int, int]) -> Form | None:
    """What pictures of one's own were made to be that a run is trained on; None of a data set by name."""
    if config.dataset in LOADERS:
        return None
    return Form(*image_shape, read_crop(config.crop), read_ground(config.background))
