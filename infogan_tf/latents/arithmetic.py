"""Sums of latents: A - B + C of averages, as Radford et al. 2016 (arXiv:1511.06434), section 6.3.2, draw faces."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

# What a sum is of: numbers of samples, each with its weight.
Term = Sequence[tuple[int, Fraction]]


def weighted_sums(rows: Mapping[int, np.ndarray], terms: Sequence[Term]) -> np.ndarray:
    """Sums of noise, or of codes that are numbers; computed in float64, so that one sample alone is itself.

    Args:
        rows: By number of a sample, its noise [n], or its code, a scalar; float32.
        terms: What to sum.

    Returns:
        float32 [len(terms), ...].
    """
    sums = [sum(float(weight) * np.asarray(rows[number], np.float64) for number, weight in term) for term in terms]
    return np.asarray(sums, np.float32)


def elected(classes: Mapping[int, int], terms: Sequence[Term]) -> np.ndarray:
    """The class nearest to a sum of one-hot codes, which need not be one: that whose weights add up to most.

    Of several it is the class of the sample that is named first.

    Args:
        classes: By number of a sample, its class.
        terms: What to sum.

    Returns:
        Integers [len(terms)].
    """
    found = []
    for term in terms:
        votes = {}
        for number, weight in term:
            votes[classes[number]] = votes.get(classes[number], 0) + weight
        found.append(max(votes, key=votes.get))
    return np.asarray(found)
