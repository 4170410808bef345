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
    perfect_scores,
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


def test_a_code_that_takes_neighbouring_floats_has_fewer_bins():
    # As a dead code has that is read by another program: 0.1 + 0.2 here, 0.3 there.
    codes, factors = grid(2, 3), grid(2, 3)[:, :1]
    near = np.where(codes > 0, [0.1 + 0.2, 1.0], [0.3, 1.0])
    assert mig(near, factors) == mig(np.minimum(codes, 1) * [1, 0], factors) == pytest.approx(1.0)
    assert modularity_explicitness(near, factors, near, factors)["modularity"] == pytest.approx(0.5)


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


# === Codes of classes ===


def one_hot(factors, sizes=SIZES, ordered=ORDERED):
    """Each factor in a code of its own: an ordered one as a number, another as a column for each value."""
    columns = [
        factors[:, [j]] * 0.5 - 1.0 if number else np.eye(sizes[j])[factors[:, j]] for j, number in enumerate(ordered)
    ]
    return np.hstack(columns)


WIDTHS = (3, 1, 1, 1, 1)


def test_a_perfect_code_of_classes_is_perfect_as_one_variable_and_capped_as_columns():
    samples = draw(one_hot, 4000, 2000)
    assert mig(*samples[:2], widths=WIDTHS) >= 0.99
    # In the protocol two columns tell the same of three shapes, and leave no gap: one factor of five has 0.
    assert mig(*samples[:2]) == pytest.approx(0.8, abs=0.01)
    assert sap(*samples, ORDERED, WIDTHS) >= 0.99
    assert sap(*samples, ORDERED) == pytest.approx(0.8, abs=0.03)
    scores = modularity_explicitness(*samples, widths=WIDTHS)
    assert scores["modularity"] >= 0.99
    assert scores["explicitness"] >= 0.95


def test_a_perfect_code_of_classes_is_complete_by_trees():
    columns = [0, 1]  # a shape and a scale are enough
    train_codes, train_factors, test_codes, test_factors = draw(one_hot, 500, 300)
    samples = train_codes[:, :4], train_factors[:, columns], test_codes[:, :4], test_factors[:, columns]
    assert min(dci(*samples, widths=(3, 1)).values()) >= 0.99
    capped = dci(*samples)
    # Of the shape's columns all three matter: 1 - log_4(3) at least.
    assert capped["completeness"] < 0.8
    assert capped["informativeness"] == dci(*samples, widths=(3, 1))["informativeness"]


def test_many_classes_have_votes():
    sizes = (25, 4)

    def represent(factors):
        return one_hot(factors, sizes, (False, True))

    # Of 25 classes each column varies by 1/25 - 1/625, and none gets a vote: the other code has them all.
    assert factor_vae(represent, sizes, 0, 400, 200) < 0.7
    assert factor_vae(lambda factors: represent(factors)[:, :25], sizes, 0, 400, 200) == 0.0
    assert factor_vae(represent, sizes, 0, 400, 200, widths=(25, 1)) == 1.0
    assert beta_vae(represent, sizes, 0, 400, 200) >= 0.99


def test_the_variance_of_a_code_of_classes_is_its_impurity(monkeypatch):
    # A code of three classes that follows the second factor, and one number that follows the first: closed form of
    # which varies least, relative to all, where the second factor is fixed.
    asked = []

    def represent(factors):
        asked.append(factors)
        return one_hot(factors, (5, 3), (True, False))

    factor_vae(represent, (5, 3), 0, 20, 20, widths=(1, 3))
    classes = np.concatenate(asked)[:, 1]
    columns = np.eye(3)[classes]
    shares = np.bincount(classes) / len(classes)
    assert columns.var(axis=0).sum() == pytest.approx(1.0 - np.sum(shares**2), rel=1e-12)


def test_scores_of_classes_by_hand():
    # Class 0 holds values 0 and 1 alike, class 1 value 2 alone: two of three values are told, chance is one of three.
    factor = np.repeat([[0], [1], [2]], 4, axis=0)
    codes = np.eye(2)[(factor[:, 0] == 2).astype(int)]
    assert sap(codes, factor, codes, factor, [False], (2,)) == pytest.approx((2 / 3 - 1 / 3) / (1 - 1 / 3))
    # Ordered: between the means 1/2 and 2 of the classes lie 12 x 1/2 of the 12 x 2/3 that it varies by in all.
    assert sap(codes, factor, codes, factor, [True], (2,)) == pytest.approx(0.75)
    # The class tells H(1/3) of log 3.
    told = entropy([1 / 3, 2 / 3]) / np.log(3)
    assert mig(codes, factor, widths=(2,)) == pytest.approx(told)
    # A class that training did not have is no error.
    codes = np.eye(3)[[0] * 8 + [1] * 4]
    tested = np.eye(3)[[2] * 4 + [0] * 4 + [1] * 4]
    assert sap(codes, factor, tested, factor, [False], (3,)) == pytest.approx((2 / 3 - 1 / 3) / (1 - 1 / 3))


def test_unsure_probabilities_count_by_the_most_probable_class():
    samples = draw(one_hot, 2000, 1000)
    unsure = [array.copy() for array in samples]
    for codes in unsure[::2]:
        codes[:, :3] = 0.6 * codes[:, :3] + 0.4 / 3
    assert mig(*unsure[:2], widths=WIDTHS) == mig(*samples[:2], widths=WIDTHS)
    assert sap(*unsure, ORDERED, WIDTHS) == sap(*samples, ORDERED, WIDTHS)


def test_a_useless_code_of_classes_tells_nothing():
    rng = np.random.default_rng(0)
    samples = draw(lambda factors: np.hstack([np.eye(10)[rng.integers(10, size=len(factors))]] * 2), 4000, 2000)
    assert mig(*samples[:2], widths=(10, 10)) <= 0.05
    assert sap(*samples, ORDERED, (10, 10)) <= 0.05


def test_columns_by_themselves_are_the_protocol():
    samples = [array[:, :2] for array in draw(lambda factors: 1.0 * factors, 200, 100)]
    alone, ordered = (1, 1), (False, True)
    assert mig(*samples[:2], widths=alone) == mig(*samples[:2])
    assert sap(*samples, ordered, alone) == sap(*samples, ordered)
    assert factor_vae(perfect, SIZES, 0, 50, 50, [1] * 5) == factor_vae(perfect, SIZES, 0, 50, 50)
    assert modularity_explicitness(*samples, widths=alone) == modularity_explicitness(*samples)


def test_a_perfect_encoder_scores_what_its_measures_allow():
    sizes, ordered = (3, 4), (False, True)
    scores = perfect_scores(sizes, ordered, seed=1, train=300, test=200)
    assert min(scores.values()) > 0.95
    assert scores == disentanglement_scores(
        lambda factors: one_hot(factors, sizes, ordered), sizes, ordered, 1, 300, 200, widths=(3, 1)
    )
    # Of forty values, as dSprites' rotation has, twenty bins keep twenty apart.
    factors = grid(40, 2)
    assert mig(factors, factors) < 0.95


def test_a_test_split_with_one_value_of_a_factor_is_not_measured():
    factors = grid(4, 3)
    tested = factors[factors[:, 1] == 2]
    for measured in (
        lambda: sap(factors, factors, tested, tested, [False, False]),
        lambda: sap(factors, factors, tested, tested, [True, True]),
        lambda: dci(factors, factors, tested, tested),
        lambda: modularity_explicitness(factors, factors, tested, tested),
    ):
        with pytest.raises(NotMeasuredError, match=r"two values or more .* Received: only 2 of factor 1"):
            measured()
    # One that training does not vary either is left out.
    still = factors * [1, 0]
    assert sap(factors, still, factors, still, [True, True]) == pytest.approx(1.0)
    others = factors + np.array([0, 3])
    with pytest.raises(NotMeasuredError, match="values in the test samples that training has"):
        modularity_explicitness(factors, factors, others, others)


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
