"""How drawn images compare with real ones."""

from infogan_tf.evaluation import sample_figures
from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.evaluation.sample_figures import measure_samples


def sample_quality(material: Material, found: Evaluation) -> None:
    """What is measured on the features of a stated network: the data set's own."""
    measure_samples(material.features, found)


def published_quality(material: Material, found: Evaluation) -> None:
    """The same in the features of published figures; nothing where they are not asked for."""
    if material.published_features is not None:
        measure_samples(material.published_features, found)


def log_likelihood(material: Material, found: Evaluation) -> None:
    """Parzen-window log-likelihood of test images."""
    sample_figures.log_likelihood(material.images, material.test_images, found)
