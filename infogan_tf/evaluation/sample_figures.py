"""Figures of generated images against real ones, most in the features of a stated network; they need no model.

A figure in the data set's own network has the metric's name alone, as in fid; one in the network of published figures
names that too, as in fid/inception-2015.
"""

import dataclasses
import functools

import numpy as np

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.feature_networks import FeatureNetwork
from infogan_tf.evaluation.metrics import sample_quality as metrics
from infogan_tf.evaluation.metrics.parzen import BANDWIDTHS, parzen_log_likelihood
from infogan_tf.evaluation.result import Evaluation, attempt


@dataclasses.dataclass(frozen=True)
class Compared:
    """What a network reads in the images that are compared.

    Attributes:
        network: The network's description in one line.
        subject: What its figures are called after the metric's name; empty of the data set's own network.
        real: Features of training images, [N, D].
        fake: Features of generated images, [M, D].
        test: Features of test images, by which a distance is read; [K, D], or None.
        probabilities: Class probabilities of the generated images, [M, classes]; None where the network tells none.
    """

    network: str
    subject: str
    real: np.ndarray
    fake: np.ndarray
    test: np.ndarray | None
    probabilities: np.ndarray | None

    def name(self, metric: str) -> str:
        """The figure's name."""
        return f"{metric}/{self.subject}" if self.subject else metric


def compare(
    network: FeatureNetwork,
    real: np.ndarray,
    fake: np.ndarray,
    test: np.ndarray | None = None,
    subject: str = "",
    progress: str = "",
) -> Compared:
    """Reads images with a network.

    Args:
        network: The network.
        real: Training images [N, H, W, C], integers in 0..255 or floats in [0, 1].
        fake: Generated images, of the same shape and range.
        test: Test images likewise, or None.
        subject: As `Compared` has it.
        progress: Title of a progress bar; without one there is none.
    """
    features, probabilities = network(fake, progress and f"{progress}: generated")
    real = network(real, progress and f"{progress}: training")[0]
    test = None if test is None else network(test, progress and f"{progress}: test")[0]
    return Compared(network.name, subject, real, features, test, probabilities)


def measure_samples(compared: Compared, found: Evaluation) -> None:
    """Adds all figures that can be measured, a note for each that cannot, and one that says of what they are."""
    found.features[compared.subject] = compared.network
    metrics_in_words = "FID, KID, precision, recall, density, coverage"
    found.notes.append(
        f"{metrics_in_words}{compared.subject and f' named {compared.subject}'}: {len(compared.fake):,} generated "
        f"against {len(compared.real):,} training images; features: {compared.network}; the last four with "
        f"k = {metrics.NEIGHBOUR} nearest neighbours."
    )
    for title, group in GROUPS.items():
        attempt(f"{title}{compared.subject and f', {compared.subject}'}", group, compared, found)


def frechet_distances(compared: Compared, found: Evaluation) -> None:
    """FID, and that of real test images to read it by; without enough of these, a note that it alone is missing."""
    real = metrics.feature_statistics(_enough("generated and training", compared.real, compared.fake))
    found.figures[compared.name("fid")] = metrics.frechet_distance(real, metrics.feature_statistics(compared.fake))
    if compared.test is None:
        return
    of_which = f", {compared.subject}" if compared.subject else ""
    attempt(f"FID of real test images{of_which}", functools.partial(_of_test_images, real), compared, found)


def _of_test_images(real, compared, found):
    test = metrics.feature_statistics(_enough("test", compared.test))
    subject = "/real test images" + (f", {compared.subject}" if compared.subject else "")
    found.figures[f"fid{subject}"] = metrics.frechet_distance(real, test)
    found.notes.append(f"The FID of real test images is that of {test.count:,} of them.")


def _enough(what, *features):
    """Returns the first; raises a NotMeasuredError where there are not more rows than columns in each."""
    count, width = min(map(len, features)), features[0].shape[1]
    if count <= width:
        raise NotMeasuredError(
            f"expected more {what} images than the network has features, {width:,}, as a distance between fewer says "
            f"more of their number than of the images. Received: {count:,}. KID has no such bias"
        )
    return features[0]


def kernel_distance(compared: Compared, found: Evaluation) -> None:
    """KID, which few images do not bias."""
    scores = metrics.kernel_distance(compared.real, compared.fake, seed=0)
    found.add(compared.name("kid"), scores, "kid")


def inception_score(compared: Compared, found: Evaluation) -> None:
    """The score on the class probabilities of the same network."""
    if compared.probabilities is None:
        raise NotMeasuredError(f"it needs class probabilities. Received: features of {compared.network}")
    scores = metrics.inception_score(compared.probabilities)
    found.add(compared.name("inception_score"), scores, "inception_score")


def neighbourhoods(compared: Compared, found: Evaluation) -> None:
    """Precision, recall, density and coverage."""
    scores = metrics.precision_recall_density_coverage(compared.real, compared.fake)
    found.figures |= {compared.name(metric): score for metric, score in scores.items()}


def log_likelihood(images: np.ndarray, test_images: np.ndarray, found: Evaluation) -> None:
    """Parzen-window log-likelihood of test images; a tenth of them choose the bandwidth and are left out."""
    held = len(test_images) // 10
    validation, test = test_images[:held], test_images[held:]
    scores = parzen_log_likelihood(images, validation, test)
    found.add("log_likelihood", scores, "log_likelihood")
    found.notes.append(
        f"Parzen: {len(images):,} samples, {len(test):,} test images, bandwidth {scores['bandwidth']:.3f} "
        f"chosen on {held:,} others"
        + (" (an end of those tried)." if scores["bandwidth"] in (BANDWIDTHS[0], BANDWIDTHS[-1]) else ".")
    )


GROUPS = {
    "FID": frechet_distances,
    "KID": kernel_distance,
    "Inception score": inception_score,
    "Precision and recall": neighbourhoods,
}
