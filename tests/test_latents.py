"""LatentLayout against closed forms and scipy."""

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.latents.codes import MIN_STDDEV
from infogan_tf.latents.cost import check_cost, cost_note, picture_bytes
from infogan_tf.latents.language import read_latents, read_value, read_values
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.latents.traversal import traversal_grid

SEED = tf.constant([3, 5])


def test_default_layout_is_the_papers():
    layout = LatentLayout.parse("noise:62,cat:10,uniform:2")
    assert layout.width == 74
    assert [code.name for code in layout.codes] == ["c1", "c2", "c3"]
    assert layout.num_parameters == 10 + 2 + 2
    assert LatentLayout.parse("noise:62,cat:10,uniform:2", posterior_stddev=1.0).num_parameters == 10 + 1 + 1


def test_several_categorical_codes_and_sizes():
    layout = LatentLayout.parse("cat:10x4, normal_noise:3, cat:2, bernoulli:2")
    assert layout.width == 3 + 40 + 2 + 2
    assert len(layout.codes) == 7
    assert layout.noise.distribution == "normal"


def test_entropies_are_the_closed_forms():
    entropy = LatentLayout.parse("cat:10,uniform:1,normal:1,bernoulli:1").entropy
    assert entropy["c1"] == pytest.approx(scipy.stats.entropy(np.full(10, 0.1)))
    assert entropy["c2"] == pytest.approx(scipy.stats.uniform(-1, 2).entropy())
    assert entropy["c3"] == pytest.approx(scipy.stats.norm().entropy())
    assert entropy["c4"] == pytest.approx(scipy.stats.bernoulli(0.5).entropy())


def test_log_densities_equal_scipys():
    layout = LatentLayout.parse("noise:2,cat:5,uniform:1,normal:1,bernoulli:1")
    noise, values = layout.sample_parts(50, SEED)
    parameters = np.random.default_rng(0).normal(size=(50, layout.num_parameters)).astype(np.float32)
    found = layout.log_prob(parameters, layout.join(noise, values))

    logits = parameters[:, :5].astype(np.float64)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    one_hot = np.eye(5)[values["c1"].numpy()]
    np.testing.assert_allclose(found["c1"], scipy.stats.multinomial.logpmf(one_hot, 1, probabilities), atol=1e-5)
    for name, column in (("c2", 5), ("c3", 7)):
        mean, raw = parameters[:, column].astype(np.float64), parameters[:, column + 1].astype(np.float64)
        stddev = MIN_STDDEV + np.log1p(np.exp(raw))
        expected = scipy.stats.norm.logpdf(values[name].numpy().astype(np.float64), mean, stddev)
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)
    probability = 1 / (1 + np.exp(-parameters[:, 9].astype(np.float64)))
    np.testing.assert_allclose(found["c4"], scipy.stats.bernoulli.logpmf(values["c4"].numpy(), probability), atol=1e-5)


def test_fixed_stddev_equals_scipys_and_makes_the_bound_of_a_uniform_code_vacuous():
    layout = LatentLayout.parse("uniform:1", posterior_stddev=1.0)
    latents = layout.sample(20_000, SEED)
    # A perfect Q: its mean is the code itself.
    log_prob = layout.log_prob(latents, latents)
    np.testing.assert_allclose(log_prob["c1"], scipy.stats.norm.logpdf(0.0), rtol=1e-5)
    assert float(layout.mutual_info(log_prob)["c1"]) == pytest.approx(
        math.log(2) + scipy.stats.norm.logpdf(0), abs=1e-5
    )


@pytest.mark.parametrize(("scale", "bound"), [(50.0, math.log(10)), (0.0, 0.0)])
def test_mutual_info_of_a_perfect_and_a_useless_categorical_posterior(scale, bound):
    layout = LatentLayout.parse("noise:1,cat:10")
    latents = layout.sample(1000, SEED)
    logits = scale * layout.split(latents)[1]["c1"]
    assert float(layout.mutual_info(layout.log_prob(logits, latents))["c1"]) == pytest.approx(bound, abs=1e-5)


def test_mutual_info_of_a_gaussian_channel_is_the_closed_form():
    # c ~ N(0, 1), x = c + 0.75 e. The true posterior has stddev s = 0.6, so that I = -ln s.
    layout = LatentLayout.parse("normal:1")
    code = np.random.default_rng(0).normal(size=200_000)
    seen = code + 0.75 * np.random.default_rng(1).normal(size=200_000)
    stddev = 0.75 / math.hypot(1.0, 0.75)
    raw = math.log(math.expm1(stddev - MIN_STDDEV))
    parameters = np.stack([seen / (1 + 0.75**2), np.full_like(seen, raw)], axis=1)
    found = layout.mutual_info(layout.log_prob(parameters.astype(np.float32), code[:, np.newaxis].astype(np.float32)))
    assert float(found["c1"]) == pytest.approx(-math.log(stddev), abs=0.01)


def test_learnt_stddev_never_falls_below_the_bound():
    layout = LatentLayout.parse("uniform:1")
    stddev = layout.posterior(tf.constant([[0.0, -1e4], [0.0, 0.0]]))["c1"]["stddev"]
    assert float(stddev[0]) == pytest.approx(MIN_STDDEV)
    assert float(stddev[1]) > MIN_STDDEV


def test_a_posterior_has_a_most_probable_value_and_discrete_ones_all_probabilities():
    layout = LatentLayout.parse("cat:3,uniform:1,bernoulli:1")
    parameters = tf.constant([[1.0, 5.0, 2.0, 0.3, 0.0, 4.0], [9.0, 5.0, 2.0, -0.7, 0.0, -4.0]])
    posterior = tf.nest.map_structure(lambda value: value.numpy(), layout.posterior(parameters))
    expected = {"c1": [1, 0], "c2": [0.3, -0.7], "c3": [1, 0]}
    for code in layout.codes:
        np.testing.assert_allclose(code.most_probable(posterior[code.name]), expected[code.name], rtol=1e-6)
    parts = layout.split_parameters(parameters)
    classes = np.exp(layout["c1"].log_probabilities(parts["c1"]))
    np.testing.assert_allclose(classes, scipy.special.softmax(parts["c1"], axis=1), rtol=1e-5)
    coins = np.exp(layout["c3"].log_probabilities(parts["c3"]))
    heads = scipy.special.expit([4.0, -4.0])
    np.testing.assert_allclose(coins, np.stack([1 - heads, heads], axis=1), rtol=1e-4)


def test_samples_follow_their_priors():
    layout = LatentLayout.parse("noise:3,cat:4,uniform:1,normal:1,bernoulli:1")
    noise, values = layout.sample_parts(20_000, SEED)
    uniform = scipy.stats.uniform(-1, 2).cdf
    assert all(scipy.stats.kstest(column, uniform).pvalue > 1e-3 for column in noise.numpy().T)
    assert scipy.stats.kstest(values["c2"], uniform).pvalue > 1e-3
    assert scipy.stats.kstest(values["c3"], "norm").pvalue > 1e-3
    assert scipy.stats.chisquare(np.bincount(values["c1"], minlength=4)).pvalue > 1e-3
    assert scipy.stats.chisquare(np.bincount(values["c4"], minlength=2)).pvalue > 1e-3
    columns = np.column_stack([noise, *(value for value in values.values())])
    correlations = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert np.abs(correlations).max() < 0.04


def test_sampling_is_a_function_of_the_seed():
    layout = LatentLayout.parse("normal_noise:3,cat:4,uniform:1")
    np.testing.assert_array_equal(layout.sample(9, SEED), layout.sample(9, SEED))
    assert np.all(layout.sample(9, SEED)[:, 0] != layout.sample(9, tf.constant([3, 6]))[:, 0])


def test_join_and_split_are_inverse():
    layout = LatentLayout.parse("noise:3,cat:4,uniform:1")
    noise, values = layout.sample_parts(7, SEED)
    split_noise, blocks = layout.split(layout.join(noise, values))
    np.testing.assert_array_equal(split_noise, noise)
    np.testing.assert_array_equal(np.argmax(blocks["c1"], axis=1), values["c1"])
    np.testing.assert_array_equal(blocks["c2"][:, 0], values["c2"])


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("noise:62,cats:10", 10),
        ("noise:62, cat", 14),
        ("noise:62,cat:1", 14),
        ("noise:62,cat:10y3", 16),
        ("noise:62,uniform:2x2", 19),
        ("noise:62,noise:3,cat:10", 10),
        ("noise:0", 8),
        ("noise:62,,cat:10", 10),
        ("", 1),
        ("cat:10x0", 8),
        ("cat:-3", 4),
    ],
)
def test_a_malformed_layout_is_refused_with_the_position(text, position):
    with pytest.raises(UserError, match=rf"at position {position}\. Received: '{text}'$"):
        LatentLayout.parse(text)


CODES = read_latents("noise:3,cat:10,uniform:1,bernoulli:1").codes


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("c1=3, c2=-0.8", {"c1": (3,), "c2": (-0.8,)}),
        ("c1=0:9", {"c1": tuple(range(10))}),
        ("c1=4:2", {"c1": (4, 3, 2)}),
        ("c3=0:1", {"c3": (0, 1)}),
        ("c2=-2:2:5", {"c2": (-2.0, -1.0, 0.0, 1.0, 2.0)}),
        ("c2=1:-1:2,c1=0:1", {"c2": (1.0, -1.0), "c1": (0, 1)}),
    ],
)
def test_values_of_codes(text, values):
    found = read_values(text, CODES)
    assert found == values
    assert list(found) == list(values)


def test_a_number_goes_through_ten_values():
    np.testing.assert_allclose(read_values("c2=-2:2", CODES)["c2"], np.linspace(-2.0, 2.0, 10), rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("c9=1", "a name of c1, c2, c3"),
        ("c1=1,c1=2", "each code once"),
        ("c1=10", "a class from 0 to 9 for c1"),
        ("c1=0:10", "a class from 0 to 9 for c1"),
        ("c1=0:9:3", "a class from 0 to 9 for c1"),
        ("c1=2:2", "START:END"),
        ("c2=1e39", "a number for c2"),
        ("c2=-1:", "a number for c2"),
        ("c2=0:1:1", "2 to 1000 values"),
        ("c2=0:1:1001", "2 to 1000 values"),
        ("c2=0:1:2:3", "a number for c2"),
        ("c1=0:1,c2=0:1,c3=0:1", "at most two codes"),
    ],
)
def test_values_that_are_none_of_a_code(text, part):
    with pytest.raises(UserError, match="--codes: expected ") as info:
        read_values(text, CODES)
    assert part in str(info.value)


@pytest.mark.parametrize(
    "text", ["noise:6,cat:10,uniform:2", "noise:3,bernoulli:4,normal:1", "uniform:2", "cat:3x2,cat:5"]
)
def test_the_latents_of_pictures_take_what_is_said(text):
    layout = LatentLayout.parse(text)
    grids = [traversal_grid(layout, code.name, tf.constant([0, 0])) for code in layout.codes]
    assert picture_bytes(read_latents(text)) == sum(grid.latents.nbytes for grid in grids)


def test_a_layout_that_takes_long_says_so_and_one_that_cannot_be_is_refused():
    assert cost_note("noise:62,cat:10,uniform:2") == ""
    assert "the first step of 3,000 codes takes about 7.0 min" in cost_note("bernoulli:3000")
    assert "take 4.0 GB of memory" in cost_note("noise:62,cat:10000")
    check_cost("noise:62,bernoulli:3000")
    for text in ("bernoulli:100000", "noise:62,cat:100000", "cat:2,uniform:10000,bernoulli:1"):
        with pytest.raises(UserError, match="--latents: expected"):
            check_cost(text)


def test_numbers_are_ascii_digits_and_no_more_than_is_computed_with():
    for text in ("noise:٣", "noise:" + "9" * 5000, "cat:2x" + "9" * 5000, "uniform:1_0"):
        with pytest.raises(UserError, match="--latents"):
            read_latents(text)
    for text, classes in (("1_0", 0), ("1e400", 0), ("1e-50", 0), ("nan", 0), ("٣", 10), ("9" * 5000, 10), ("1.0", 10)):
        assert read_value(text, classes) is None
    assert (read_value("-0.5", 0), read_value("1e-4", 0), read_value("0e-99", 0), read_value("7", 10)) == (
        -0.5,
        1e-4,
        0,
        7,
    )
