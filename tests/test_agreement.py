"""Agreement between runs and ModelCentrality."""

import numpy as np
import pytest

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.metrics.agreement import code_agreement, model_centrality

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(10, size=5_000)
STYLE = RNG.uniform(-1, 1, (2, 5_000))


def test_codes_in_another_order_numbering_and_sign_agree_fully():
    read = [-STYLE[1], np.exp(STYLE[0]), RNG.permutation(10)[CLASSES]]
    assert code_agreement([CLASSES, *STYLE], read) == pytest.approx(1.0)


def test_independent_codes_do_not_agree():
    read = [RNG.integers(10, size=5_000), RNG.normal(size=5_000), RNG.normal(size=5_000)]
    assert code_agreement([CLASSES, *STYLE], read) < 0.02


def test_a_code_that_the_other_lacks_counts_as_no_agreement():
    assert code_agreement([CLASSES, STYLE[0]], [CLASSES]) == pytest.approx(0.5)


def test_one_code_cannot_serve_twice():
    assert code_agreement([STYLE[0], STYLE[1]], [STYLE[0], STYLE[0]]) == pytest.approx(0.5, abs=0.02)


def test_a_categorical_and_a_continuous_code_never_agree():
    assert code_agreement([CLASSES], [CLASSES.astype(float)]) == 0.0


def test_codes_that_collapsed_do_not_agree():
    same = np.zeros(len(CLASSES), int)
    assert code_agreement([same], [same]) == 0.0
    assert code_agreement([same], [CLASSES]) == 0.0
    assert code_agreement([same.astype(float)], [same.astype(float)]) == 0.0


def test_the_run_that_the_others_agree_with_is_central():
    # Runs 0 and 1 differ from each other; both are half like run 2; run 3 is like none.
    agreements = np.array([[1, 0.2, 0.7, 0], [0.4, 1, 0.5, 0], [0.5, 0.7, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(model_centrality(agreements), [0.9 / 3, 0.9 / 3, 1.2 / 3, 0])


def test_two_runs_cannot_be_told_apart():
    with pytest.raises(NotMeasuredError, match=r"at least three runs\. Received: 2"):
        model_centrality(np.eye(2))
