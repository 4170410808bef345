"""What codes hold: their information, their classes against the labels, and whether the classes are too many."""

import functools

import numpy as np
from sklearn.cluster import KMeans

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.metrics import clustering
from infogan_tf.evaluation.metrics.checks import require_finite
from infogan_tf.evaluation.metrics.information import mutual_info, standardised_mutual_info
from infogan_tf.evaluation.metrics.overlap import class_overlaps
from infogan_tf.evaluation.result import Evaluation, attempt
from infogan_tf.latents.codes import Class, Continuous

# A class is nearly empty below this share of what its prior gives it; two may be one above this overlap. On the digits
# the most of any two was 0.05 to 0.19 with ten classes, 0.28 to 0.30 with eleven, and 0.33 and more with twelve.
LEAST_OF_PRIOR, MOST_OVERLAP = 0.25, 0.2


def information(material: Material, found: Evaluation) -> None:
    """L_I of each code, and of the standardised posterior where the code is continuous."""
    for code in material.read_codes:
        kind = type(code).__name__.lower()
        found.codes[code.name] = {"kind": kind, "entropy": code.entropy, "ceiling": code.ceiling}
        if isinstance(code, Class):  # no image is drawn from it
            continue
        attempt(f"Mutual information of {code.name}", functools.partial(_information_of, code), material, found)


def _information_of(code, material, found):
    bound = mutual_info(material.log_probs[code.name], code.entropy)
    found.add(f"mutual_info/{code.name}", bound, "mutual_info")
    if code.discrete:  # the differential entropy of a continuous code bounds nothing
        found.figures[f"mutual_info_share/{code.name}"] = bound["mutual_info"] / code.entropy
    if isinstance(code, Continuous):
        means = material.posterior[code.name]["mean"]
        bound = standardised_mutual_info(material.values[code.name], means, code.entropy, code.support)
        found.add(f"standardised_mutual_info/{code.name}", bound, "mutual_info")


def classes(material: Material, found: Evaluation) -> None:
    """Every categorical code against the labels, and all of them jointly."""
    labels, codes = material.test_labels, material.categoricals
    if not codes:
        raise NotMeasuredError("the layout has no categorical code")
    by_code = {code.name: material.test_classes(code) for code in codes}
    if len(codes) > 1:
        by_code["all codes"] = clustering.joint_classes(list(by_code.values()))
    for name, code_classes in by_code.items():
        found.figures |= {
            f"{metric}/{name}": v for metric, v in clustering.clustering_scores(code_classes, labels).items()
        }
    if material.labelled:
        first = codes[0].name
        found.figures[f"label_error/{first}"] = float(np.mean(by_code[first] != labels))
        found.notes.append(f"Training was told the labels of {material.labelled:,} images.")
    found.confusion = _confusion(codes[0], by_code[codes[0].name], labels, material.label_names)


def _confusion(code, code_classes, labels, names):
    counts = clustering.confusion(code_classes, labels, code.num_classes, len(names))
    matched = clustering.match(counts)
    # Classes in the order of their labels, so that agreement lies on the diagonal; those without a label come last.
    order = sorted(range(code.num_classes), key=lambda k: (matched[k] < 0, matched[k]))
    own = [int(counts[label, k]) if label >= 0 else 0 for k, label in enumerate(matched)]
    return {
        "code": code.name,
        "labels": names,
        "classes": order,
        "matched": [names[label] if label >= 0 else "" for label in matched],
        "shares": [each / max(1, int(total)) for each, total in zip(own, counts.sum(axis=0), strict=True)],
        "counts": counts[:, order].tolist(),
    }


def number_of_classes(material: Material, found: Evaluation) -> None:
    """How well the classes of a code lie apart, which hold hardly any test images, and which two may be one.

    No label is looked at.
    """
    for code in material.categoricals:
        code_classes = material.test_classes(code)
        attempt(f"Silhouette of {code.name}", functools.partial(_silhouette_of, code), material, found)
        shares = np.bincount(code_classes, minlength=code.num_classes) / len(code_classes)
        expected = np.exp(code.log_prior)
        empty = [k for k in range(code.num_classes) if shares[k] < LEAST_OF_PRIOR * expected[k]]
        overlaps = class_overlaps(material.trunk_features, code_classes, code.num_classes)
        doubles = [(i, k) for k in range(code.num_classes) for i in range(k) if overlaps[i, k] > MOST_OVERLAP]
        facts = [f"class {k} has {shares[k]:.1%} of the test images, of {expected[k]:.1%} drawn" for k in empty]
        facts += [f"classes {i} and {k} may be one (overlap {overlaps[i, k]:.2f} of 1)" for i, k in doubles]
        if facts:
            found.notes.append(f"{code.name} may have too many classes: {'; '.join(facts)}.")


def _silhouette_of(code, material, found):
    found.figures[f"silhouette/{code.name}"] = clustering.silhouette(
        material.trunk_features, material.test_classes(code)
    )


def k_means(material: Material, found: Evaluation) -> None:
    """k-means on the trunk's features of the test images, as many clusters as labels: a second opinion."""
    labels = material.test_labels
    features = material.trunk_features
    if len(features) < len(material.label_names):
        raise NotMeasuredError(f"{len(features):,} test images are fewer than the labels")
    require_finite("features", features)
    clusters = KMeans(len(material.label_names), n_init=3, random_state=0).fit_predict(features)
    scores = clustering.clustering_scores(clusters, labels)
    found.figures |= {f"{metric}/k-means": value for metric, value in scores.items()}
