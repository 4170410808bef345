"""The data set of a run."""

from infogan_tf.config.options import Config
from infogan_tf.data import LOADERS, OF_FILES, load_data
from infogan_tf.data.images import ImageData


def images_of(config: Config) -> ImageData:
    """Loads what a run is trained on; `load_data` says what is raised."""
    options = {} if config.dataset in LOADERS else {name: getattr(config, name) for name in OF_FILES}
    return load_data(config.dataset, config.data_dir, **options)
