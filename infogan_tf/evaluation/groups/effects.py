"""What each code does, in words."""

import numpy as np

from infogan_tf.evaluation.groups.known import best_match
from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.metrics.attributes import attributes, rank_correlations, strongest
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.latents.codes import Class

# A rank correlation below this names nothing, nor does an area under the ROC curve.
LEAST_RHO, LEAST_AUC = 0.2, 0.6
# A class is called after its label where more of its images have it, and so many more than of all images.
LEAST_SHARE, LEAST_GAIN = 0.5, 0.2


def effects(material: Material, found: Evaluation) -> None:
    """What each code does, in words: by what is known of real images, or by what it changes in drawn ones.

    This is measured by rank correlations with visible attributes within each class of c1.
    """
    first = material.layout.first_categorical
    groups = np.zeros(len(material.images), np.int64) if first is None else material.values[first.name]
    measured = attributes(material.images, material.ground)
    for code in material.read_codes:
        facts, of_classes = found.codes[code.name], code in material.categoricals
        if of_classes:
            facts["classes"] = _class_names(code, found)
        else:
            facts["correlations"] = rank_correlations(material.values[code.name], measured, groups)
        # Labels by themselves name classes, and not codes.
        known = _known_as(facts.get("goes_with", ()), of_classes) if material.data.attribute_names else ""
        bound = found.figures.get(f"mutual_info/{code.name}")
        if isinstance(code, Class):
            facts["does"] = _class_words(code, material, found)
        elif bound is None:
            facts["does"] = "unknown: its L_I was not measured"
        elif code.is_dead(bound):
            facts["does"] = "dead: Q reads nothing of it"
        else:
            own = _class_words(code, material, found) if of_classes else _in_words(facts["correlations"])
            facts["does"] = known or own


def _class_words(code, material, found):
    """What a code of classes does, in words: where the labels are known, whether it tells these."""
    accuracy = found.figures.get(f"accuracy/{code.name}")
    if accuracy is None:
        return "classes"
    # A code that puts all images into one class is right of those with the commonest label.
    commonest = np.bincount(material.test_labels).max() / len(material.test_labels)
    tells = accuracy > max(LEAST_SHARE, commonest + LEAST_GAIN)
    return "the class of the image" if tells else "classes, which are not those of the labels"


def _class_names(code, found):
    """What each class is called: the label that most of it has, or the attribute that goes with it, or nothing."""
    if found.confusion.get("code") == code.name:
        # Matching gives every class a label, also one that few of its images have.
        counts = np.sum(found.confusion["counts"], axis=1)
        usual = dict(zip(found.confusion["labels"], counts / counts.sum(), strict=True)) | {"": 0.0}
        pairs = zip(found.confusion["matched"], found.confusion["shares"], strict=True)
        return [label if share > max(LEAST_SHARE, usual[label] + LEAST_GAIN) else "" for label, share in pairs]
    matches = found.codes[code.name].get("goes_with", [None] * code.num_classes)
    return [match["name"] if match and match["auc"] >= LEAST_AUC else "" for match in matches]


def _known_as(matches, of_classes):
    """The attribute that goes best with a code, or with one of its classes; empty where none does."""
    place, match = best_match(matches)
    if not match or match["auc"] < LEAST_AUC:
        return ""
    return f"{match['name']}{f' (class {place})' if of_classes else ''}, AUC {match['auc']:.2f}"


def _in_words(correlations):
    attribute, rho = strongest(correlations)
    if abs(rho) < LEAST_RHO:
        return f"nothing that is measured here (most: {attribute}, rho = {rho:.2f})"
    return f"{attribute}, rho = {rho:.2f}"
