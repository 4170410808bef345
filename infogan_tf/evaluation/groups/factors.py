"""How codes part the true factors of a data set."""

import functools

from infogan_tf.evaluation.groups.columns import columns_by_code, side_by_side
from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.metrics.disentanglement import disentanglement_scores, perfect_scores
from infogan_tf.evaluation.result import Evaluation


def disentanglement(material: Material, found: Evaluation) -> None:
    """Codes against the true factors, a categorical one as one variable; nothing where the data set has none."""
    factors = material.data.factors
    if factors is None:
        return
    codes = columns_by_code(material.model.encode(factors.images))
    table, widths = side_by_side(codes), [columns.shape[1] for columns in codes.values()]
    train, test = material.setting.votes
    found.figures |= disentanglement_scores(
        lambda values: table[factors.index_of(values)], factors.sizes, factors.ordered, 0, train, test, widths
    )
    found.perfect |= _perfect_scores(tuple(factors.sizes), tuple(factors.ordered), 0, train, test)
    kinds = [
        ", ".join(name for name, ordered in zip(factors.names, factors.ordered, strict=True) if ordered == wanted)
        for wanted in (True, False)
    ]
    in_order, others = (each or "none" for each in kinds)
    found.notes.append(
        f"Disentanglement: {train:,} training and {test:,} evaluation draws of factors. Ordered are {in_order}; "
        f"without an order: {others}. A perfect encoder has a code for each: a number, or the values as classes."
    )
    several = ", ".join(name for name, columns in codes.items() if columns.shape[1] > 1)
    if several:
        found.notes.append(
            f"Disentanglement: of {several} MIG, SAP, modularity, DCI and FactorVAE's measure take all classes as one "
            "variable. The published protocol takes the probability of each class as a code by itself, so that even a "
            "perfect code of classes scores less there; figures of codes that are numbers compare with published ones."
        )


# The same for all runs on a data set.
_perfect_scores = functools.cache(perfect_scores)
