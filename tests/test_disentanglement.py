"""Disentanglement scores of perfect, useless, duplicated and mixed codes, and against closed forms."""

import numpy as np
import pytest
from scipy.stats import entropy

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics import disentanglement
from infogan_tf.evaluation.metrics.disentanglement import (
    BATCH,
    ROWS,
    beta_vae,
    concentration,
    dci,
    disentanglement_scores,
    factor_vae,
    mig,
    modularity_explicitness,
    sap,
)

# The factors of the sprites: shape, scale, rotation, x and y.
SIZES = (3, 5, 12, 14, 14)
ORDERED = (False, True, True, True, True)


def perfect(factors):
    """Each factor in a code of its own, in another order, direction and unit; the shapes too in another order."""
    codes = factors[:, [3, 0, 4, 2, 1]] * [1.0, 1.0, -0.3, 0.1, 2.0] + [0.0, 0.0, 5.0, 0.0, -1.0]
    codes[:, 1] = np.array([0.3, -1.0, 4.0])[factors[:, 0]]
    return codes.astype(np.float32)


def noise(factors):
    return np.random.default_rng(len(factors)).uniform(-1, 1, (len(factors), 5))


def twice(factors):
    return np.repeat(perfect(factors), 2, axis=1)


def draw(represent, train=10_000, test=5_000):
    """Codes and factors to train and to test on."""
    rng = np.random.default_rng(3)
    factors = [rng.integers(0, SIZES, size=(count, len(SIZES))) for count in (train, test)]
    return [array for part in factors for array in (represent(part), part)]


def grid(*sizes):
    """Every combination of factors, [prod(sizes), K]."""
    return np.array(list(np.ndindex(sizes)))


def test_mig_of_a_table_computed_by_hand():
    factor = np.array([[0], [0], [1], [1]])
    codes = np.array([[0, 0], [0, 0], [1, 0], [1, 1]])
    # In bits: the first code tells 1; the second H(1/4) - H(1/2) / 2; the factor's entropy is 1.
    second = entropy([0.75, 0.25], base=2) - 0.5
    assert mig(codes, factor) == pytest.approx(1 - second, abs=1e-6)
    assert mig(codes, factor) == pytest.approx(0.688722, abs=1e-6)


def test_mig_of_one_code_has_no_second_best():
    factors = grid(4, 3)
    assert mig(factors[:, :1], factors) == pytest.approx(1 / 2)


def test_mig_counts_the_second_best_code_of_each_factor():
    factors = grid(2, 2)
    # The second code tells both factors, so that neither is told by one code alone.
    codes = np.stack([factors[:, 0], 2 * factors[:, 0] + factors[:, 1]], axis=1)
    assert mig(codes, factors) == pytest.approx((0 + 1) / 2)


def test_mig_keeps_twenty_values_apart_and_merges_more():
    factors = grid(20, 2)
    assert mig(factors, factors) == pytest.approx(1.0)
    factors = grid(32, 2)
    assert 0.8 < mig(factors, factors) < 0.95


def test_a_constant_factor_is_left_out():
    factors = grid(4, 3)
    with_constant = np.insert(factors, 1, 7, axis=1)
    assert mig(factors, with_constant) == mig(factors, factors)
    scores = [
        sap(factors, with_constant, factors, with_constant, [True, False, True]),
        *modularity_explicitness(factors, with_constant, factors, with_constant).values(),
    ]
    assert scores == [
        sap(factors, factors, factors, factors, [True, True]),
        *modularity_explicitness(factors, factors, factors, factors).values(),
    ]


def test_sap_of_ordered_factors_is_the_squared_correlation():
    factors = grid(5, 5)
    # The sum of two independent factors of one variance: half of its own is due to each.
    codes = factors.sum(axis=1, keepdims=True)
    assert sap(codes, factors, codes, factors, [True, True]) == pytest.approx(0.5)


def test_sap_of_an_unordered_factor_is_accuracy_above_chance():
    factors = np.repeat([[0], [1], [2]], 4, axis=0)
    # The code keeps the third class apart and cannot tell the other two: balanced accuracy 2/3, chance 1/3.
    assert sap(factors == 2, factors, factors == 2, factors, [False]) == pytest.approx((2 / 3 - 1 / 3) / (1 - 1 / 3))
    # Any one-to-one code is perfect, whatever the order of its values.
    codes = np.array([5.0, -1.0, 2.0])[factors]
    assert sap(codes, factors, codes, factors, [False]) == pytest.approx(1.0)
    # A code that stays put is chance.
    assert sap(factors * 0, factors, factors * 0, factors, [False]) == 0.0


def test_sap_is_scored_on_the_test_samples():
    factors = np.repeat([[0], [1], [2]], 4, axis=0)
    assert sap(factors, factors, factors[::-1] * 0, factors, [False]) == 0.0


def test_concentration_in_closed_form():
    assert concentration(np.eye(4)) == pytest.approx(1.0)
    assert concentration(np.ones((3, 4))) == pytest.approx(0.0)
    assert concentration(np.zeros((3, 4))) == 0.0
    assert concentration(np.ones((3, 1))) == pytest.approx(1.0)
    # Every factor in two codes: complete but for log_8(2).
    assert concentration(np.repeat(np.eye(4), 2, axis=0)) == pytest.approx(1.0)
    assert concentration(np.repeat(np.eye(4), 2, axis=0).T) == pytest.approx(1 - np.log(2) / np.log(8))
    # Rows weigh by their sums; one that nothing uses does not count.
    weights = np.array([[0.9, 0.1, 0.0], [0.1, 0.1, 0.1], [0.0, 0.0, 0.0]])
    rows = [1 - entropy([0.9, 0.1], base=3), 0.0]
    assert concentration(weights) == pytest.approx((1.0 * rows[0] + 0.3 * rows[1]) / 1.3)


def test_modularity_in_closed_form():
    factors = grid(2, 2)

    def modularity(codes):
        return modularity_explicitness(codes, factors, codes, factors)["modularity"]

    assert modularity(factors) == pytest.approx(1.0)
    # One code that tells both factors in full tells neither alone.
    both = factors @ [[2], [1]]
    assert modularity(both) == pytest.approx(0.0)
    # A code that tells nothing counts as 0.
    assert modularity(np.hstack([factors, both * 0])) == pytest.approx(2 / 3)
    # Between the extremes: a code that is 1 for one combination alone tells as much of either factor.
    assert modularity(np.hstack([factors, both == 3])) == pytest.approx(2 / 3)


def test_explicitness_is_an_area_under_the_curve():
    factors = grid(2, 2)
    codes = 1.0 * factors
    assert modularity_explicitness(codes, factors, codes, factors)["explicitness"] == pytest.approx(1.0)
    # Known of the first factor alone; of the second all are ranked alike.
    assert modularity_explicitness(codes[:, :1], factors, codes[:, :1], factors)["explicitness"] == pytest.approx(0.75)


def test_perfect_codes_of_the_sprites():
    samples = draw(perfect)
    assert mig(*samples[:2]) >= 0.99
    assert sap(*samples, ORDERED) >= 0.99
    assert factor_vae(perfect, SIZES, 0, train=1000, test=500) >= 0.99
    assert beta_vae(perfect, SIZES, 0, train=1000, test=500) >= 0.99
    scores = modularity_explicitness(*draw(perfect, 1000, 500))
    assert scores["modularity"] >= 0.99
    assert scores["explicitness"] >= 0.95


def test_perfect_codes_of_the_sprites_by_trees():
    assert min(dci(*draw(perfect, 300, 200)).values()) >= 0.99


def test_codes_of_noise():
    samples = draw(noise, 4000, 2000)
    assert mig(*samples[:2]) <= 0.05
    assert sap(*samples, ORDERED) <= 0.05
    assert factor_vae(noise, SIZES, 0, train=1000, test=500) < 0.4
    assert beta_vae(noise, SIZES, 0, train=1000, test=500) < 0.4
    assert modularity_explicitness(*samples)["explicitness"] == pytest.approx(0.5, abs=0.05)


def test_codes_of_noise_by_trees():
    columns = [0, 1]  # two factors of few values are enough
    train_codes, train_factors, test_codes, test_factors = draw(noise, 300, 1000)
    scores = dci(train_codes, train_factors[:, columns], test_codes, test_factors[:, columns])
    assert scores["disentanglement"] < 0.1
    assert scores["completeness"] < 0.1
    assert scores["informativeness"] == pytest.approx((1 / 3 + 1 / 5) / 2, abs=0.05)


def test_each_factor_in_two_codes():
    samples = draw(twice, 2000, 1000)
    assert mig(*samples[:2]) == pytest.approx(0.0, abs=1e-9)
    assert sap(*samples, ORDERED) == pytest.approx(0.0, abs=1e-9)
    # These two do not mind.
    assert factor_vae(twice, SIZES, 0, train=1000, test=500) >= 0.99
    assert modularity_explicitness(*samples)["modularity"] >= 0.99


def test_each_factor_in_two_codes_by_trees():
    columns = [0, 1]
    train_codes, train_factors, test_codes, test_factors = draw(lambda factors: factors[:, [0, 0, 1, 1]], 500, 500)
    scores = dci(train_codes, train_factors[:, columns], test_codes, test_factors[:, columns])
    assert scores["disentanglement"] >= 0.99
    assert scores["informativeness"] >= 0.99
    # Of two equal codes the trees take now one, now the other: 1 - log_4(2).
    assert scores["completeness"] == pytest.approx(0.5, abs=0.05)


def plain_factor_vae(represent, sizes, votes):
    """The measure as one reads it in the paper, vote by vote."""
    rng = np.random.default_rng(99)

    def sample():
        return np.array([[rng.integers(size) for size in sizes] for _ in range(64)])

    spread = np.var(represent(np.concatenate([sample() for _ in range(50)])), axis=0)
    tally = []
    for count in votes:
        table = np.zeros((len(sizes), len(spread)))
        for _ in range(count):
            fixed = rng.integers(len(sizes))
            factors = sample()
            factors[:, fixed] = rng.integers(sizes[fixed])
            table[fixed, np.argmin(np.var(represent(factors), axis=0) / spread)] += 1
        tally.append(table)
    return sum(tally[1][np.argmax(tally[0][:, code]), code] for code in range(len(spread))) / votes[1]


def test_factor_vae_agrees_with_plain_loops():
    sizes = (4, 3, 5)
    mix = np.array([[1.0, 0.9, 0.3], [0.2, 1.0, 0.9], [0.6, 0.1, 0.5]])
    expected = plain_factor_vae(lambda factors: factors @ mix, sizes, (600, 600))
    assert 0.5 < expected < 0.95  # else this shows little
    # Four standard deviations of the difference of two shares.
    assert factor_vae(lambda factors: factors @ mix, sizes, 0, 6000, 3000) == pytest.approx(expected, abs=0.09)


def test_collapsed_codes_are_left_out():
    assert factor_vae(lambda factors: 1e-3 * factors, (4, 4), 0, 200, 100) == 0.0

    def with_collapsed(factors):
        # A still code would get every vote.
        return np.hstack([factors, np.full((len(factors), 1), 0.5)])

    assert factor_vae(with_collapsed, (4, 4), 0, 200, 100) == 1.0


def test_batches_fix_one_factor_and_pairs_share_one(monkeypatch):
    monkeypatch.setattr(disentanglement, "VARIANCE_DRAWS", 10 * BATCH)
    asked = []

    def represent(factors):
        assert len(factors) <= ROWS
        asked.append(factors)
        return factors

    factor_vae(represent, (30, 40, 50), 0, 150, 20)
    batches = np.concatenate(asked).reshape(-1, BATCH, 3)
    constant = (batches == batches[:, :1]).all(axis=1)  # [batches, K]
    np.testing.assert_array_equal(constant.sum(axis=1), [0] * 10 + [1] * 170)
    assert constant.sum(axis=0).min() > 30

    asked.clear()
    beta_vae(represent, (300, 400, 500), 0, 150, 20)
    first, second = np.concatenate(asked).reshape(-1, 2, BATCH, 3).swapaxes(0, 1)
    shared = (first == second).all(axis=1)
    np.testing.assert_array_equal(shared.sum(axis=1), [1] * 170)
    assert shared.sum(axis=0).min() > 30
    assert (np.ptp(first, axis=1) > 0).all()


def test_all_scores_at_once():
    sizes = (2, 4)

    def represent(factors):
        return factors[:, ::-1]

    scores = disentanglement_scores(represent, sizes, (False, True), seed=1, train=300, test=200)
    assert list(scores) == [
        "mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness", "factor_vae", "beta_vae",
        "modularity", "explicitness",
    ]  # fmt: skip
    assert all(type(score) is float for score in scores.values())
    assert 0.95 < min(scores.values()) <= max(scores.values()) < 1 + 1e-9
    assert scores == disentanglement_scores(represent, sizes, (False, True), seed=1, train=300, test=200)


def test_bad_input_is_named():
    factors = grid(4, 3)
    with pytest.raises(ValueError, match=r"codes and factors: expected .* shapes \(12,\) and \(12, 2\)"):
        mig(factors[:, 0], factors)
    with pytest.raises(ValueError, match=r"codes and factors: expected .* shapes \(11, 2\) and \(12, 2\)"):
        dci(factors, factors, factors[1:], factors)
    with pytest.raises(ValueError, match=r"codes: expected finite numbers\. Received: nan"):
        mig(np.full((12, 2), np.nan), factors)
    with pytest.raises(NotMeasuredError, match="factors: expected one at least that varies"):
        mig(factors, factors * 0)
    with pytest.raises(ValueError, match=r"ordered: .* Received: ordered=\[True\]"):
        sap(factors, factors, factors, factors, [True])
    with pytest.raises(ValueError, match=r"factor_sizes: .* Received: factor_sizes=\(3, 1\)"):
        factor_vae(lambda factors: factors, (3, 1), 0)
