"""Choosing among runs without labels: the best run is the one whose codes agree most with the other runs' codes."""

import numpy as np
from scipy import stats
from scipy.optimize import linear_sum_assignment
from sklearn import metrics

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.checks import real_numbers, require_finite, whole_numbers


def code_agreement(drawn: list[np.ndarray], read: list[np.ndarray]) -> float:
    """Returns how well the codes of two runs agree, in 0..1, whatever their order, numbering or sign.

    Each code of one run is paired with one code of the other so that the pairs' summed agreement is greatest; the
    result is this sum over the number of codes, of the run with more. The agreement of two categorical codes is their
    adjusted mutual information (Vinh et al. 2010), 0 if independent; of two continuous codes, the absolute value of
    Spearman's rank correlation; of a categorical and a continuous code, or where one is constant, 0.

    Lin et al. 2020 (arXiv:1906.06034, section 4) use the FactorVAE score instead, which asks only whether a code stays
    constant: any two runs with a working c1 would get full marks, whatever the classes mean.

    Args:
        drawn: The codes that the first run generated images from, one array [N] each: integers if categorical, floats
            if continuous.
        read: The codes that the second run reads from these images, in the same form.

    Raises:
        NotMeasuredError: For codes that are not finite, or of no image.
        ValueError: For no code, or codes of different lengths.
    """
    drawn, read = _checked("drawn", drawn), _checked("read", read)
    lengths = {len(code) for code in (*drawn, *read)}
    if len(lengths) > 1:
        raise ValueError(f"drawn and read: expected codes of as many images. Received: {sorted(lengths)}")
    pairs = np.array([[_agreement(a, b) for b in read] for a in drawn])  # [drawn, read]
    return float(pairs[linear_sum_assignment(pairs, maximize=True)].sum() / max(pairs.shape))


def _checked(name, codes):
    """The codes as integers or floats, each by itself."""
    codes = [np.asarray(code) for code in codes]
    if not codes:
        raise ValueError(f"{name}: expected at least one code. Received none")
    return [(whole_numbers if code.dtype.kind in "iu" else real_numbers)(name, code, 1) for code in codes]


def _agreement(a, b):
    discrete = [np.issubdtype(code.dtype, np.integer) for code in (a, b)]
    # What is always the same says nothing: two codes that both collapsed do not agree.
    if any(discrete) != all(discrete) or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    if all(discrete):
        return max(metrics.adjusted_mutual_info_score(a, b), 0.0)
    return abs(float(stats.spearmanr(a, b).statistic))


def model_centrality(agreements: np.ndarray) -> np.ndarray:
    """Returns the ModelCentrality of each of n runs, [n]: choose the run with the highest (Lin et al. 2020, section 4).

    It is the mean agreement with the other runs, each pair taken in both directions.

    Args:
        agreements: Agreements of all pairs of runs, [n, n]: row i, column j says how well run j reads the codes that
            run i drew (`code_agreement`). The diagonal is ignored.

    Raises:
        NotMeasuredError: For fewer than three runs, as of two each is as central as the other; or where an agreement
            is not finite.
        ValueError: For another shape.
    """
    agreements = np.array(agreements, np.float64)
    count = len(agreements)
    if agreements.shape != (count, count):
        raise ValueError(f"agreements: expected [runs, runs]. Received: shape {agreements.shape}")
    if count < 3:
        raise NotMeasuredError(f"agreements: expected at least three runs. Received: {count}")
    np.fill_diagonal(agreements, 0.0)
    require_finite("agreements", agreements)
    return (agreements + agreements.T).sum(axis=1) / 2 / (count - 1)
