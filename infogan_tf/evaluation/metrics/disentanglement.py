"""Disentanglement scores: whether each true factor of the data is held by one code of its own.

Sample sizes and settings, "the protocol" below, are those of Locatello et al. 2019 (arXiv:1811.12359), whose
disentanglement_lib gave most published figures; where a function departs from it, its docstring says so.

Codes are float [N, D]; factors are integers [N, K], from 0 to size - 1. Functions of such arrays leave out factors that
are constant in the (training) sample. All scores lie in 0..1; higher is better.

In the protocol each column is a code. A categorical code laid out as a column for each class is then many codes that
tell of one factor, none of them alone: even a perfect one leaves MIG, SAP and DCI's completeness below 1, and of many
classes each column may vary too little for FactorVAE's measure. Where `widths` says how many columns each code has, in
order, one of several columns, the probabilities of its classes, counts as one variable:

    MIG, modularity         its most probable class, without bins
    SAP                     how well that class tells the factor: by the commonest value in each class, or, of an
                            ordered factor, by the mean in each class (the correlation ratio, which is to the squared
                            correlation as any function is to a straight line)
    DCI                     the sum of its columns' importances
    FactorVAE's measure     the sum of its columns' variances; of one-hot columns it is 1 - sum p^2, the Gini impurity

beta-VAE's measure, explicitness and DCI's informativeness read all columns at once and need no such thing.

What is not measured raises a NotMeasuredError: codes that are not finite, no factor that varies, one that does not in
the test samples. Shapes, types, lengths and `widths` that do not fit raise a ValueError.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, mutual_info_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.checks import real_numbers, whole
from infogan_tf.evaluation.metrics.clustering import confusion
from infogan_tf.evaluation.metrics.factor_samples import by_code, checked, first_columns, shaped, varying

Represent = Callable[[np.ndarray], np.ndarray]

# Images for one vote of FactorVAE's measure, and pairs of images for one example of beta-VAE's.
BATCH = 64
# FactorVAE's measure leaves out codes whose variance, over VARIANCE_DRAWS images, is no more than this.
MIN_VARIANCE = 0.05
VARIANCE_DRAWS = 10_000
# The most rows of factors passed to `represent` at a time.
ROWS = 100 * BATCH


def disentanglement_scores(
    represent: Represent,
    factor_sizes: Sequence[int],
    ordered: Sequence[bool],
    seed: int,
    train: int = 10_000,
    test: int = 5_000,
    widths: Sequence[int] | None = None,
) -> dict[str, float]:
    """Computes all scores of this file on factors drawn uniformly and independently.

    Args:
        represent: Function that returns the codes [n, D] of images with the factors [n, K]. With the default sizes it
            is called for some three million rows in all, at most ROWS at a time: where the data has fewer images,
            encode each once and look its codes up.
        factor_sizes: Number of values of each factor, [K], two or more each.
        ordered: Whether each factor's values have an order, [K]; see `sap`.
        seed: Seed of the draws, an integer from 0.
        train: Number of samples (votes, examples) to fit on. MIG, modularity and SAP's ordered factors use no others.
        test: Number of samples (votes, examples) to score.
        widths: Number of columns of each code, as above; by default each column is a code.

    Returns:
        "mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness", "factor_vae", "beta_vae",
        "modularity" and "explicitness".

    Raises:
        NotMeasuredError: Where codes are not finite, or too few samples leave a factor constant.
        ValueError: Where a factor has fewer than two values, or `ordered` or `widths` do not fit.
    """
    _check_draws(factor_sizes, seed, train, test)
    _check_ordered(ordered, len(factor_sizes))
    rng = np.random.default_rng(seed)
    train_factors, test_factors = (_draw(rng, factor_sizes, (count,)) for count in (train, test))
    samples = (_encode(represent, train_factors), train_factors, _encode(represent, test_factors), test_factors)
    return {
        "mig": mig(*samples[:2], widths=widths),
        "sap": sap(*samples, ordered, widths),
        **{f"dci_{name}": score for name, score in dci(*samples, widths).items()},
        "factor_vae": factor_vae(represent, factor_sizes, seed, train, test, widths),
        "beta_vae": beta_vae(represent, factor_sizes, seed, train, test),
        **modularity_explicitness(*samples, widths=widths),
    }


def perfect_scores(
    factor_sizes: Sequence[int], ordered: Sequence[bool], seed: int, train: int = 10_000, test: int = 5_000
) -> dict[str, float]:
    """Computes all scores of a perfect encoder, the most that these measures show of these factors.

    Each factor has a code of its own: an ordered one its value as a number, another one a code of its values as
    classes, one-hot, which counts as one variable.

    The arguments, the result and what is raised are those of `disentanglement_scores`.
    """
    _check_ordered(ordered, len(factor_sizes))

    def represent(factors):
        columns = zip(factors.T, factor_sizes, ordered, strict=True)
        return np.hstack(
            [values[:, np.newaxis] if number else np.eye(size)[values] for values, size, number in columns]
        )

    widths = [1 if number else size for size, number in zip(factor_sizes, ordered, strict=True)]
    return disentanglement_scores(represent, factor_sizes, ordered, seed, train, test, widths)


def mig(codes: np.ndarray, factors: np.ndarray, bins: int = 20, widths: Sequence[int] | None = None) -> float:
    """Returns the mutual information gap (Chen et al. 2018, arXiv:1802.04942, equation 6).

    For each factor it is the factor's mutual information with the code that tells most about it, less that with the
    next best code, over the factor's entropy; the score is the mean over the factors. It is 0 where the two best codes
    tell equally much of each factor, and 1 where one code alone tells all.

    Each code is divided into bins of equal width from its least to its greatest value. They keep up to `bins` evenly
    spaced values of a code apart; a factor of more values (dSprites' positions have 32) cannot reach 1.

    Args:
        codes: Codes, float [N, D]; N is 10,000 in the protocol.
        factors: Factors of the same images, integers [N, K].
        bins: Number of bins; 20 in the protocol.
        widths: Number of columns of each code, as above; by default each column is a code.
    """
    whole("bins", bins, 1)
    codes, factors = checked(codes, factors)
    entropies = [mutual_info_score(factor, factor) for factor in factors.T]
    return float(np.mean(_lead(_mutual_info(by_code(codes, widths), factors, bins)) / entropies))


def sap(
    train_codes: np.ndarray,
    train_factors: np.ndarray,
    test_codes: np.ndarray,
    test_factors: np.ndarray,
    ordered: Sequence[bool],
    widths: Sequence[int] | None = None,
) -> float:
    """Returns the separated attribute predictability (Kumar et al. 2018, arXiv:1711.00848, section 3).

    For each factor it is how well the best single code predicts the factor, less how well the next best does; the score
    is the mean over the factors. A code predicts an ordered factor by their squared correlation over the training
    samples. It predicts an unordered one by thresholds, one fewer than the factor has values, which are fitted to the
    training samples and scored by their balanced accuracy on the test samples. Codes are not standardised, as neither
    score depends on their scale.

    It departs from the sources twice. The accuracy is adjusted for chance, so that chance is 0 and perfect is 1 as with
    the correlation; with the paper's plain accuracy even perfect codes reach only 1 - 1/classes. And
    disentanglement_lib predicts ordered factors too by a linear classifier of a single column, which cannot tell many
    classes apart whatever the code: its figures are lower and do not compare with these.

    Args:
        train_codes: Codes of the training samples, float [N, D]; N is 10,000 in the protocol.
        train_factors: Factors of the training samples, integers [N, K].
        test_codes: Codes of the test samples, float [M, D]; M is 5,000 in the protocol.
        test_factors: Factors of the test samples, integers [M, K].
        ordered: Whether each factor's values have an order (size, place) or not (shape), [K].
        widths: Number of columns of each code, as above; by default each column is a code.

    Raises:
        ValueError: Where `ordered` has another length than there are factors.
    """
    train_codes, all_factors, test_codes, test_factors = shaped(train_codes, train_factors, test_codes, test_factors)
    _check_ordered(ordered, all_factors.shape[1])
    ordered = np.asarray(ordered, bool)[np.ptp(all_factors, axis=0) > 0]
    train_factors, test_factors = varying(all_factors, test_factors)
    codes = list(zip(by_code(train_codes, widths), by_code(test_codes, widths), strict=True))
    scores = np.zeros((len(codes), len(ordered)))
    for (i, j), _ in np.ndenumerate(scores):
        scores[i, j] = _predictability(*codes[i], train_factors[:, j], test_factors[:, j], ordered[j])
    return float(np.mean(_lead(scores)))


def dci(
    train_codes: np.ndarray,
    train_factors: np.ndarray,
    test_codes: np.ndarray,
    test_factors: np.ndarray,
    widths: Sequence[int] | None = None,
) -> dict[str, float]:
    """Returns the DCI scores (Eastwood and Williams 2018, openreview By-7dz-AZ, section 2).

    Gradient boosted trees (scikit-learn's defaults) predict each factor from all codes; the importance of a code for a
    factor is how much they use it. A hundred trees are grown for every value of a factor (in all, if it has two), so
    that factors of many values take long.

    Args:
        train_codes: Codes of the training samples, float [N, D]; N is 10,000 in the protocol.
        train_factors: Factors of the training samples, integers [N, K].
        test_codes: Codes of the test samples, float [M, D]; M is 5,000 in the protocol.
        test_factors: Factors of the test samples, integers [M, K].
        widths: Number of columns of each code, as above; by default each column is a code.

    Returns:
        "disentanglement": 1 where each code matters to one factor alone, 0 where it matters to all alike.
        "completeness": 1 where one code alone matters to each factor, 0 where all codes matter alike.
        "informativeness": The trees' accuracy on the test samples, mean over factors, as in disentanglement_lib; the
            paper has a prediction error.
    """
    train_codes, train_factors, test_codes, test_factors = checked(train_codes, train_factors, test_codes, test_factors)
    starts = first_columns(train_codes, widths)
    importances, accuracies = [], []
    for train_factor, test_factor in zip(train_factors.T, test_factors.T, strict=True):
        trees = GradientBoostingClassifier(random_state=0).fit(train_codes, train_factor)
        importances.append(np.abs(trees.feature_importances_))  # rounding can leave one just below zero
        accuracies.append(trees.score(test_codes, test_factor))
    importances = np.add.reduceat(np.stack(importances, axis=1), starts, axis=0)  # [codes, K]
    return {
        "disentanglement": concentration(importances),
        "completeness": concentration(importances.T),
        "informativeness": float(np.mean(accuracies)),
    }


def concentration(weights: np.ndarray) -> float:
    """Returns how far the weight of each row lies in one column, in 0..1, a mean over rows weighted by their sums.

    It is 1 where each row's weight lies in a single column, and 0 where it is spread evenly, or all weights are 0. Of
    the importances of D codes (rows) for K factors (columns) it is DCI's disentanglement, sum_i rho_i (1 - H_K(P_i)),
    with H_K the entropy to base K; of their transpose it is DCI's completeness.

    Args:
        weights: Weights [rows, columns], none negative.

    Raises:
        NotMeasuredError: For weights that are not finite.
        ValueError: For another shape, or weights below 0.
    """
    weights = real_numbers("weights", weights, 2)
    if weights.min() < 0.0:
        raise ValueError(f"weights: expected numbers from 0. Received: {weights.min():.6g}")
    used = weights[weights.sum(axis=1) > 0]
    if not len(used):
        return 0.0
    per_row = 1.0 - entropy(used, axis=1, base=max(weights.shape[1], 2))
    return float(np.average(per_row, weights=used.sum(axis=1)))


def modularity_explicitness(
    train_codes: np.ndarray,
    train_factors: np.ndarray,
    test_codes: np.ndarray,
    test_factors: np.ndarray,
    bins: int = 20,
    widths: Sequence[int] | None = None,
) -> dict[str, float]:
    """Returns modularity and explicitness (Ridgeway and Mozer 2018, arXiv:1802.05312, section 3).

    Args:
        train_codes: Codes of the training samples, float [N, D]; N is 10,000 in the protocol.
        train_factors: Factors of the training samples, integers [N, K].
        test_codes: Codes of the test samples, float [M, D]; M is 5,000 in the protocol.
        test_factors: Factors of the test samples, integers [M, K].
        bins: Number of bins that each code is divided into, as in `mig`; 20 in the protocol.
        widths: Number of columns of each code, as above; by default each column is a code.

    Returns:
        "modularity": 1 where each code tells of one factor alone, 0 where it tells of all alike or of none; the mean
            over codes. The value for a code of pure noise is left to chance.
        "explicitness": How well a logistic regression on all codes, standardised, tells each value of a factor from its
            others: the area under the ROC curve of the test samples, mean over values, then over factors. As in
            disentanglement_lib it is not rescaled: chance is 0.5.
    """
    whole("bins", bins, 1)
    train_codes, train_factors, test_codes, test_factors = checked(train_codes, train_factors, test_codes, test_factors)
    squared = _mutual_info(by_code(train_codes, widths), train_factors, bins) ** 2  # [codes, K]
    greatest = squared.max(axis=1)
    others = (squared.sum(axis=1) - greatest) / max(squared.shape[1] - 1, 1)
    modularity = np.where(greatest > 0, 1.0 - others / np.where(greatest > 0, greatest, 1.0), 0.0)
    areas = [
        _ranking(train_codes, train_factor, test_codes, test_factor)
        for train_factor, test_factor in zip(train_factors.T, test_factors.T, strict=True)
    ]
    return {"modularity": float(modularity.mean()), "explicitness": float(np.mean(areas))}


def factor_vae(
    represent: Represent,
    factor_sizes: Sequence[int],
    seed: int,
    train: int = 10_000,
    test: int = 5_000,
    widths: Sequence[int] | None = None,
) -> float:
    """Returns FactorVAE's measure (Kim and Mnih 2018, arXiv:1802.05983, section 4).

    Each vote takes BATCH images with one factor fixed and names the code that varies least among them, relative to its
    variance over all images. A code stands for the factor that most of its training votes had fixed; the score is the
    share of test votes that agree. Two codes for one factor cost nothing.

    Codes whose variance, over VARIANCE_DRAWS images, is no more than MIN_VARIANCE get no vote, as the text of Locatello
    et al. has it; their program compares the standard deviation with the same number.

    Args:
        represent: Function that returns the codes of factors, as in `disentanglement_scores`.
        factor_sizes: Number of values of each factor, [K], two or more each.
        seed: Seed of the draws, an integer from 0.
        train: Number of training votes; 10,000 in the protocol.
        test: Number of test votes; 5,000 in the protocol.
        widths: Number of columns of each code, as above; by default each column is a code.

    Returns:
        The score; 0 where no code varies enough to get a vote.

    Raises:
        NotMeasuredError: Where codes are not finite.
        ValueError: Where a factor has fewer than two values.
    """
    _check_draws(factor_sizes, seed, train, test)
    rng = np.random.default_rng(seed)
    codes = _encode(represent, _draw(rng, factor_sizes, (VARIANCE_DRAWS,)))
    starts = first_columns(codes, widths)

    def variances_of(codes, axis):
        return np.add.reduceat(codes.var(axis=axis, ddof=1), starts, axis=-1)

    spread = variances_of(codes, 0)
    active = spread > MIN_VARIANCE
    if not active.any():
        return 0.0

    def votes(count):
        fixed = rng.integers(len(factor_sizes), size=count)
        batches = _draw(rng, factor_sizes, (count, BATCH))
        _share_factor(batches, batches[:, :1], fixed)
        variances = _of_batches(represent, batches, lambda codes: variances_of(codes, 1))
        steadiest = np.argmin(variances[:, active] / spread[active], axis=1)
        counts = np.zeros((len(factor_sizes), active.sum()), np.int64)  # [K, active codes]
        np.add.at(counts, (fixed, steadiest), 1)
        return counts

    stands_for = votes(train).argmax(axis=0)
    return float(votes(test)[stands_for, np.arange(active.sum())].sum() / test)


def beta_vae(
    represent: Represent, factor_sizes: Sequence[int], seed: int, train: int = 10_000, test: int = 5_000
) -> float:
    """Returns beta-VAE's measure (Higgins et al. 2017, openreview Sy2fzU9gl, section 3).

    Each example is the mean absolute difference of the codes, [D], over BATCH pairs of images that share one factor.
    The score is the accuracy, on test examples, of a logistic regression that predicts which factor it was.

    Args:
        represent: Function that returns the codes of factors, as in `disentanglement_scores`.
        factor_sizes: Number of values of each factor, [K], two or more each.
        seed: Seed of the draws, an integer from 0.
        train: Number of training examples; 10,000 in the protocol.
        test: Number of test examples; 5,000 in the protocol.

    Raises:
        NotMeasuredError: Where codes are not finite, or the examples do not have two factors or more to tell apart.
        ValueError: Where a factor has fewer than two values.
    """
    _check_draws(factor_sizes, seed, train, test)
    rng = np.random.default_rng(seed)

    def examples(count):
        fixed = rng.integers(len(factor_sizes), size=count)
        first, second = (_draw(rng, factor_sizes, (count, BATCH)) for _ in range(2))
        _share_factor(second, first, fixed)
        pairs = np.concatenate([first, second], axis=1)
        return _of_batches(represent, pairs, lambda c: np.abs(c[:, :BATCH] - c[:, BATCH:]).mean(axis=1)), fixed

    differences, fixed = examples(train)
    if np.ptp(fixed) == 0:
        raise NotMeasuredError(f"train: expected examples of two factors or more. Received: {train} of one")
    return float(LogisticRegression(max_iter=1000).fit(differences, fixed).score(*examples(test)))


def _mutual_info(codes, factors, bins):
    """Returns the mutual information in nats of each code, binned or a class, with each factor, [codes, K]."""
    discrete = [code if code.dtype.kind == "i" else _binned(code, bins) for code in codes]
    return np.array([[mutual_info_score(factor, code) for factor in factors.T] for code in discrete])


def _binned(code, bins):
    """Returns the bin of each value; where floats are too few for so many bins, each value is a bin."""
    return np.digitize(code, np.linspace(code.min(), code.max(), bins + 1)[:-1])


def _lead(scores):
    """Returns each factor's best score less its second best, [K], of scores [D, K]; a missing code scores 0."""
    second, best = np.sort(np.vstack([scores, np.zeros((2, scores.shape[1]))]), axis=0)[-2:]
    return best - second


def _predictability(train_code, test_code, train_factor, test_factor, ordered):
    """Returns how well one code predicts one factor, for `sap`; the code as of `by_code`."""
    of_classes = train_code.dtype.kind == "i"
    if ordered:
        return (_correlation_ratio if of_classes else _squared_correlation)(train_code, train_factor)
    predict = (_by_class if of_classes else _by_thresholds)(train_code, train_factor)
    return balanced_accuracy_score(test_factor, predict(test_code), adjusted=True)


def _squared_correlation(code, factor):
    # The paper's rule: a constant code predicts nothing.
    return np.corrcoef(code, factor)[0, 1] ** 2 if code.var() > 1e-12 else 0.0


def _correlation_ratio(classes, factor):
    """Returns the share of the factor's variance that is between the classes."""
    means = np.bincount(classes, factor) / np.maximum(np.bincount(classes), 1)
    return means[classes].var() / factor.var()


def _by_thresholds(code, factor):
    """Fits a tree to one column, which is a set of thresholds; each of the factor's values has the same weight."""
    leaves = len(np.unique(factor))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)
    tree.fit(code[:, np.newaxis], factor)
    return lambda code: tree.predict(code[:, np.newaxis])


def _by_class(classes, factor):
    """Finds the value that is commonest in each class, where each value has the same weight; 0 in one not seen."""
    counts = confusion(classes, factor)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    commonest = shares.argmax(axis=0)
    return lambda classes: np.where(classes < len(commonest), commonest[np.minimum(classes, len(commonest) - 1)], 0)


def _ranking(train_codes, train_factor, test_codes, test_factor):
    """Returns the area under the ROC curve, mean over the values that some but not all test samples have."""
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(train_codes, train_factor)
    is_value = test_factor[:, np.newaxis] == regression.classes_
    probabilities = regression.predict_proba(test_codes)
    seen = is_value.any(axis=0) & ~is_value.all(axis=0)
    if not seen.any():
        raise NotMeasuredError("factors: expected values in the test samples that training has. Received: only others")
    return np.mean([roc_auc_score(is_value[:, i], probabilities[:, i]) for i in np.flatnonzero(seen)])


def _check_draws(factor_sizes, seed, train, test):
    if not len(factor_sizes) or not all(np.issubdtype(type(size), np.integer) and size >= 2 for size in factor_sizes):
        raise ValueError(f"factor_sizes: expected two values or more of each. Received: factor_sizes={factor_sizes}")
    whole("seed", seed, 0)
    whole("train", train, 1)
    whole("test", test, 1)


def _check_ordered(ordered, count):
    if len(ordered) != count:
        raise ValueError(f"ordered: expected a truth value for each of the factors. Received: ordered={ordered}")


def _draw(rng, factor_sizes, shape):
    """Draws factors [*shape, K], uniform and independent."""
    return rng.integers(0, factor_sizes, size=(*shape, len(factor_sizes)))


def _share_factor(batches, source, which):
    """Gives batch i of `batches` [V, B, K] the values of factor which[i] from batch i of `source` [V, B or 1, K]."""
    which = which[:, np.newaxis, np.newaxis]
    np.put_along_axis(batches, which, np.take_along_axis(source, which, axis=2), axis=2)


def _encode(represent, factors):
    """Returns the codes [N, D] of factors [N, K]."""
    return _of_batches(represent, factors[:, np.newaxis], lambda codes: codes[:, 0])


def _of_batches(represent, batches, summary):
    """Applies `summary` to the codes [V, B, D] of batches of factors [V, B, K], a few batches at a time."""
    count, size, width = batches.shape
    summaries = []
    for part in np.array_split(batches, math.ceil(count * size / ROWS)):
        codes = real_numbers("codes", represent(part.reshape(-1, width)), 2)
        if len(codes) != part.shape[0] * size:
            raise ValueError(f"represent: expected codes [{part.shape[0] * size}, D]. Received: shape {codes.shape}")
        summaries.append(summary(codes.reshape(*part.shape[:2], -1)))
    return np.concatenate(summaries)
