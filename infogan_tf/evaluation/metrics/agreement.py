"""Choosing among runs without labels: the run whose codes the other runs' codes agree with most."""

import numpy as np
from scipy import stats
from scipy.optimize import linear_sum_assignment
from sklearn import metrics

from infogan_tf.errors import NotMeasuredError


def code_agreement(drawn: list[np.ndarray], read: list[np.ndarray]) -> float:
    """How well one run's codes are those of another, in 0..1, whatever their order, numbering or sign.

    Each code of the one is paired with one code of the other so that the pairs agree most. Two categorical codes agree
    by their adjusted mutual information (Vinh et al. 2010), which is 0 for independent ones; two continuous codes by
    the size of Spearman's rank correlation; a categorical and a continuous code not at all.

    Lin et al. 2020 (arXiv:1906.06034, section 4) take the FactorVAE score for this, which asks only whether a code
    stays constant: any two runs with a working c1 would get full marks, whatever the classes mean.

    Args:
        drawn: the codes that the first run drew images from, one array [N] each: integers where categorical, floats
            where continuous.
        read: the codes that the second run reads in those images, likewise.
    """
    pairs = np.array([[_agreement(a, b) for b in read] for a in drawn])  # [drawn, read]
    return float(pairs[linear_sum_assignment(pairs, maximize=True)].sum() / max(pairs.shape))


def _agreement(a, b):
    discrete = [np.issubdtype(code.dtype, np.integer) for code in (a, b)]
    if all(discrete):
        return max(metrics.adjusted_mutual_info_score(a, b), 0.0)
    if any(discrete) or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return abs(float(stats.spearmanr(a, b).statistic))


def model_centrality(agreements: np.ndarray) -> np.ndarray:
    """ModelCentrality of each of n runs, [n]; the highest is the run to choose (Lin et al. 2020, section 4).

    It is the mean agreement with the other runs, each pair taken in both directions.

    Args:
        agreements: [n, n]; row i, column j: how well run j reads the codes that run i drew. The diagonal is not read.

    Raises:
        ValueError: for fewer than three runs; of two, each is as central as the other.
    """
    count = len(agreements)
    if count < 3:
        raise NotMeasuredError(f"agreements: expected at least three runs. Received: {count}")
    both = (agreements + np.transpose(agreements)) / 2
    return (both.sum(axis=1) - np.diag(both)) / (count - 1)
