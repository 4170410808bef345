"""Descriptions of an evaluation's figures: title, direction, how each is computed, and published values.

Figures are named <metric> or <metric>/<what it is of>, as in accuracy/c1. To add a metric, describe it here and compute
it in `groups/`; TensorBoard, the report and the comparison then show it.
"""

import dataclasses

from infogan_tf.evaluation.metrics import NEIGHBOUR

HIGHER, LOWER = "higher is better", "lower is better"


@dataclasses.dataclass(frozen=True)
class Figure:
    """The description of a metric.

    Attributes:
        title: Name for a reader.
        group: Heading under which the report shows it.
        how: How it is computed, and its range.
        better: HIGHER, LOWER, or empty where neither is better.
        style: Format specification of its value, such as ".3f".
    """

    title: str
    group: str
    how: str
    better: str = HIGHER
    style: str = ".3f"

    def text(self, value: float, stderr: float | None = None) -> str:
        """Formats a value in the metric's style, followed by "± standard error" where there is one."""
        return format(value, self.style) + ("" if stderr is None else f" ± {format(stderr, self.style)}")


CODES, CLASSES, SAMPLES, FACTORS = "Information in the codes", "Classes against labels", "Samples", "Disentanglement"
ALONE, ATTRIBUTES, LIKELIHOOD = "Classes by themselves", "Codes against attributes", "Likelihood"
CAPTIONS = "What captions asked for"

FIGURES = {
    "mutual_info": Figure(
        "Mutual information L_I, nats",
        CODES,
        "E[log Q(c|x)] + H(c) on fresh samples with inference statistics: a lower bound of I(c; x), at most H(c) for a "
        "discrete code. Zero or less says nothing.",
        style=".4f",
    ),
    "mutual_info_share": Figure("L_I as a share of H(c)", CODES, "L_I over the prior's entropy.", style=".1%"),
    "standardised_mutual_info": Figure(
        "L_I, standardised posterior, nats",
        CODES,
        "The same for a Gaussian around the posterior's mean with the best slope, offset and variance, cut to the "
        "prior's range, fitted on one half of the samples and scored on the other: what Q knows, whatever its own "
        "standard deviation. About zero where it knows nothing.",
        style=".4f",
    ),
    "accuracy": Figure(
        "Accuracy, one-to-one",
        CLASSES,
        "Share of test images whose class is the one matched to their label (Hungarian method). 100% minus the error.",
        style=".2%",
    ),
    "label_error": Figure(
        "Test error",
        CLASSES,
        "Share of test images whose class is not their label, of a model that was told some labels of training images.",
        LOWER,
        ".2%",
    ),
    "purity": Figure(
        "Purity",
        CLASSES,
        "Share of test images with the commonest label of their class; several classes may share a label.",
        style=".2%",
    ),
    "nmi": Figure(
        "Normalised mutual information", CLASSES, "Between classes and labels, over the mean entropy; 0 to 1."
    ),
    "ari": Figure("Adjusted Rand index", CLASSES, "Agreement on pairs of images, 0 at chance, 1 at most."),
    "silhouette": Figure(
        "Silhouette",
        ALONE,
        "How much nearer test images are to others of their class than to the next class, in the trunk's features; -1 "
        "to 1. No label is looked at. Of runs that differ in how many classes there are, the highest is to be taken.",
    ),
    "attribute_auc": Figure(
        "AUC of the best attribute",
        ATTRIBUTES,
        "Area under the ROC curve by which the code, its best class, or z along the attribute's direction tells test "
        "images that have the attribute or label from those that have not; it is chosen on training images. 0.5 is "
        "chance, 1 at most.",
    ),
    "fid": Figure(
        "FID",
        SAMPLES,
        "Fréchet distance between Gaussians fitted to the features of generated and training images; 0 at best. "
        "Comparable only with the same features and as many images; with published ones, where it is named "
        "inception-2015.",
        LOWER,
        ".2f",
    ),
    "kid": Figure(
        "KID",
        SAMPLES,
        "Squared maximum mean discrepancy of the features with a cubic kernel, unbiased, mean over subsets; 0 at best.",
        LOWER,
        ".4f",
    ),
    "inception_score": Figure(
        "Inception score",
        SAMPLES,
        "exp E[KL(p(y|x) || p(y))] of the feature network's classes; 1 up to the number of classes.",
        style=".2f",
    ),
    "precision": Figure(
        "Precision",
        SAMPLES,
        "Share of generated images that lie no farther from some real one than its k-th nearest real neighbour, "
        f"k = {NEIGHBOUR}; 0 to 1.",
    ),
    "recall": Figure(
        "Recall", SAMPLES, f"The same of real images among generated ones, k = {NEIGHBOUR}; 0 to 1."
    ),
    "density": Figure(
        "Density",
        SAMPLES,
        f"Precision that counts the real neighbourhoods around each image, k = {NEIGHBOUR}; about 1 for real images.",
    ),
    "coverage": Figure(
        "Coverage",
        SAMPLES,
        f"Share of real images with a generated one in their neighbourhood, k = {NEIGHBOUR}; 0 to 1.",
    ),
    "label_accuracy": Figure(
        "Labels asked for, read back",
        SAMPLES,
        "Share of generated images that a classifier of real images takes for the label that they were to show.",
        style=".2%",
    ),
    "caption_accuracy": Figure(
        "Captions drawn right",
        CAPTIONS,
        "Share of generated images that have what their caption says of this, told by the nearest of all images of the "
        "data set (Euclidean), whose factors are known; places and rotation within one step.",
        style=".1%",
    ),
    "held_out_accuracy": Figure(
        "Captions of held-out combinations drawn right",
        CAPTIONS,
        "The same of captions whose shape, size and place training never showed together.",
        style=".1%",
    ),
    "elbo": Figure(
        "ELBO, nats",
        LIKELIHOOD,
        "E[log p(x|z)] - KL(q(z|x) || p(z)) of test images, each pixel a probability: a lower bound of log p(x), given "
        "the label where the model is told it.",
        style=".2f",
    ),
    "reconstruction": Figure(
        "Reconstruction, nats", LIKELIHOOD, "Its first part: E[log p(x|z)], at most 0.", style=".2f"
    ),
    "kl": Figure(
        "KL(q(z|x) || p(z)), nats",
        LIKELIHOOD,
        "Its second part: how much an image tells of z, on average at least I(x; z).",
        better="",
        style=".2f",
    ),
    "log_likelihood": Figure(
        "Parzen log-likelihood, nats",
        SAMPLES,
        "Mean log-density of test images under Gaussian windows around samples; the bandwidth is chosen on validation "
        "images. A poor measure of quality, kept for comparison with older work.",
        style=".1f",
    ),
    "mig": Figure("MIG", FACTORS, "Gap of the two codes that know most of a factor, over its entropy; 0 to 1."),
    "sap": Figure("SAP", FACTORS, "Gap of the two codes that predict a factor best; 0 to 1."),
    "dci_disentanglement": Figure("DCI disentanglement", FACTORS, "Whether a code serves one factor; 0 to 1."),
    "dci_completeness": Figure("DCI completeness", FACTORS, "Whether a factor lies in one code; 0 to 1."),
    "dci_informativeness": Figure("DCI informativeness", FACTORS, "Accuracy of boosted trees on the codes; 0 to 1."),
    "factor_vae": Figure(
        "FactorVAE score", FACTORS, "Accuracy of a vote for the factor held fixed, by the code that varied least."
    ),
    "beta_vae": Figure("beta-VAE score", FACTORS, "Accuracy of a linear guess at the factor that pairs share; 0 to 1."),
    "modularity": Figure("Modularity", FACTORS, "Whether a code knows of one factor alone; 0 to 1."),
    "explicitness": Figure("Explicitness", FACTORS, "How well codes predict factors linearly (area under ROC)."),
}  # fmt: skip

# What figures in the features of published ones are called after the metric's name.
PUBLISHED_FEATURES = "inception-2015"
PUBLISHED_FID = f"fid/{PUBLISHED_FEATURES}"

# What is told first of a model, in this order.
HEADLINE = (
    "label_error", "accuracy", "mutual_info", "nmi", "fid", PUBLISHED_FID, "label_accuracy", "caption_accuracy/all",
    "held_out_accuracy/all", "recall", "elbo", "log_likelihood", "mig", "factor_vae",
)  # fmt: skip

# Published values beside which a figure is read; each was read in its source. FIDs are there in Inception's features
# alone: in others they do not compare.
PUBLISHED = {
    ("mnist", "accuracy/c1"): "95% (InfoGAN paper, error 5%)",
    ("mnist", "nmi/c1"): "0.84 to 0.90 (InfoGAN as re-run by others)",
    ("mnist", "log_likelihood"): "225 ± 2 (original GAN)",
    ("fashion_mnist", "accuracy/c1"): "61.2% ± 2.3% (ClusterGAN, mean of 10)",
    ("cifar10", PUBLISHED_FID): "48.3 (DCGAN), 16.8 (SNGAN)",
    ("dsprites", "factor_vae"): "0.59 (InfoGAN), 0.88 (InfoGAN-CR), as its authors report",
    ("dsprites", "mig"): "0.05 (InfoGAN), 0.37 (InfoGAN-CR), as its authors report",
}


def describe(name: str) -> Figure:
    """Returns the description of the figure called `name`, such as accuracy/c1.

    Raises:
        KeyError: Where no such metric is described.
    """
    return FIGURES[name.split("/")[0]]


def is_headline(name: str) -> bool:
    """Whether a figure is of what is told first: of the model as a whole, or of its first code."""
    kind, _, subject = name.partition("/")
    return name in HEADLINE or (kind in HEADLINE and subject in ("", "c1"))


def title_of(name: str) -> str:
    """Returns the title of the figure called `name` and what it is of, such as "Accuracy, one-to-one, c1"."""
    subject = name.partition("/")[2]
    return f"{describe(name).title}, {subject}" if subject else describe(name).title
