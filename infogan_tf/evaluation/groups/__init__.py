"""Groups of figures: each is a function of `Material`, which adds what it measures to an `Evaluation`.

To add one, write it in the file of its subject, and name it in `GROUPS`.
"""

from collections.abc import Callable

from infogan_tf.evaluation.groups.asked import captions_asked_for, labels_asked_for
from infogan_tf.evaluation.groups.codes import classes, information, k_means, number_of_classes
from infogan_tf.evaluation.groups.effects import effects
from infogan_tf.evaluation.groups.factors import disentanglement
from infogan_tf.evaluation.groups.known import association, noise_association
from infogan_tf.evaluation.groups.likelihood import likelihood_bound
from infogan_tf.evaluation.groups.samples import log_likelihood, published_quality, sample_quality
from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.result import Evaluation

GROUPS: dict[str, Callable[[Material, Evaluation], None]] = {
    "Mutual information": information,
    "Codes against labels": classes,
    "Codes against attributes": association,
    "Noise against attributes": noise_association,
    "Whether classes are too many": number_of_classes,
    "k-means on the trunk": k_means,
    "What each code does": effects,
    "Disentanglement": disentanglement,
    "Sample quality": sample_quality,
    "Labels asked for": labels_asked_for,
    "Captions asked for": captions_asked_for,
    "Bound on the likelihood": likelihood_bound,
    "Published features": published_quality,
    "Log-likelihood": log_likelihood,
}
# What a model that reads no codes has not.
OF_CODES = (information, classes, association, number_of_classes, effects, disentanglement)
