"""What is known of real images, attributes and labels, against what is read in them."""

from collections.abc import Sequence

import numpy as np

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.groups.columns import column_names, columns_by_code, side_by_side
from infogan_tf.evaluation.material import LEAST_IMAGES, Material
from infogan_tf.evaluation.metrics.roc import best_attributes, roc_areas
from infogan_tf.evaluation.result import Evaluation


def association(material: Material, found: Evaluation) -> None:
    """What is known of real images that goes best with each code, and with each class of one.

    Chosen on training images, measured on test images; nothing where nothing is known.
    """
    names, data = material.known_names, material.data
    if not names:
        return
    known = material.training_truths, material.test_truths
    posteriors = material.model.encode(material.training_sample), material.test_posterior
    tables = (side_by_side(columns_by_code(read)) for read in posteriors)
    train, test = (roc_areas(table, truths, LEAST_IMAGES) for table, truths in zip(tables, known, strict=True))
    columns = {code: column_names(code) for code in material.read_codes}
    found.associations = {
        "names": names,
        "columns": [name for code in material.read_codes for name in columns[code]],
        "train_auc": _rounded(train),
        "auc": _rounded(test),
    }
    matches = iter(best_attributes(names, train, test))
    for code in material.read_codes:
        facts = found.codes[code.name]
        facts["goes_with"] = [next(matches) for _ in columns[code]]
        if best := best_match(facts["goes_with"])[1]:
            found.figures[f"attribute_auc/{code.name}"] = best["auc"]
    found.notes += [*data.notes, _association_note(*known)]


def noise_association(material: Material, found: Evaluation) -> None:
    """How well z tells what is known of real images, along the direction of each attribute or label.

    Directions are those of training images, on which the best told is chosen as well; it is measured on test images.
    Nothing of a model that reads no noise, nor where nothing is known.
    """
    if material.model.READS != "noise" or not material.known_names:
        return
    names = list(material.directions)
    if not names:
        raise NotMeasuredError(f"no attribute is known that {LEAST_IMAGES} training images have and as many have not")
    columns = [material.known_names.index(name) for name in names]
    directions = np.stack(list(material.directions.values()))
    known = material.training_truths, material.test_truths
    read = material.training_noise, material.test_posterior["noise"]["mean"]
    train, test = (
        roc_areas(z @ directions.T, truths[:, columns], LEAST_IMAGES).diagonal()[:, np.newaxis]
        for z, truths in zip(read, known, strict=True)
    )
    found.associations = {"names": names, "columns": ["z"], "train_auc": _rounded(train), "auc": _rounded(test)}
    if best := best_attributes(names, train, test)[0]:
        found.figures["attribute_auc/z"] = best["auc"]
    found.notes += [*material.data.notes, _association_note(*known)]


def best_match(matches: Sequence[dict | None]) -> tuple[int, dict | None]:
    """The place and the match of a code's columns that is best on training images; (0, None) where there is none."""
    return max(enumerate(matches), key=lambda each: each[1]["train_auc"] if each[1] else 0.0, default=(0, None))


def _association_note(train, test):
    return (
        f"Attributes: chosen on {len(train):,} training images, AUC on {len(test):,} others; each of {LEAST_IMAGES} "
        "images or more that have it, and as many that have not."
    )


def _rounded(areas):
    return [[None if np.isnan(area) else round(float(area), 4) for area in row] for row in areas]
