"""The regularisers against their papers' formulas in NumPy, and what they do in a train step."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from conftest import make_model
from keras import layers
from test_infogan import IMAGES, PARTS, Recorder

from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.build import terms_of
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.objectives.augmentation import Augmentation
from infogan_tf.objectives.contrast import Contrast
from infogan_tf.objectives.declarations import AMOUNTS
from infogan_tf.objectives.history import HistoricalAveraging
from infogan_tf.objectives.invariance import Invariance, chance_distance, entropy_and_distance, parse_invariances
from infogan_tf.objectives.matching import FeatureMatching, mean_distance
from infogan_tf.objectives.smoothness import R1, R2, GradientPenalty, InstanceNoise
from infogan_tf.objectives.term import Batch, Real
from infogan_tf.objectives.transformations import Transformations
from infogan_tf.random import fold_in
from infogan_tf.runs.checkpoints import Checkpoints

SEED = tf.constant([3, 5])
REAL = tf.constant(IMAGES, tf.float32) / 255
EVERYTHING = set(PARTS)

# By name: how it is made; in whose losses it has a term; and whose gradients it changes.
KINDS = {
    "invariance": (lambda weight: Invariance(weight, "rotate:20,noise:0.1"), "d", {"trunk", "q_head"}),
    "feature_matching": (FeatureMatching, "g", {"generator"}),
    "r1": (R1, "d", {"trunk", "d_head"}),
    "r2": (R2, "d", {"trunk", "d_head"}),
    "gradient_penalty": (GradientPenalty, "d", {"trunk", "d_head"}),
    "instance_noise": (lambda weight: InstanceNoise(weight, steps=10), "", EVERYTHING),
    "augmentation": (lambda weight: Augmentation("brightness:0.3,shift:0.2,cutout:0.5"), "", EVERYTHING),
    "contrast": (Contrast, "dg", {"trunk", "generator"}),
    # Of the first step there is no past.
    "historical_averaging": (HistoricalAveraging, "dg", set()),
}


def all_of_them():
    return [make(0.1) for make, _, _ in KINDS.values()]


def batch(real=None, fake=None, real_features=None, fake_features=None, latents=None, seed=SEED):
    """What D has seen, shown all images as they are."""
    return Batch(Real(real), fake, latents, real_features, fake_features, seed, real, fake)


# === Information from real images ===

DISCRETE = LatentLayout.parse("noise:2,cat:4,uniform:1,bernoulli:1")


def posteriors(parameters):
    parameters = parameters.astype(float)
    coin = scipy.special.expit(parameters[:, 6:])
    return scipy.special.softmax(parameters[:, :4], axis=1), np.concatenate([1 - coin, coin], axis=1)


def test_divergence_is_the_kullback_leibler_of_posteriors():
    parameters, others = np.random.default_rng(0).normal(scale=2.0, size=(2, 20, 7)).astype(np.float32)
    parts, other_parts = DISCRETE.split_parameters(parameters), DISCRETE.split_parameters(others)
    found = [code.divergence(parts[code.name], other_parts[code.name]) for code in DISCRETE.codes]
    for i, (q, other) in zip((0, 2), zip(posteriors(parameters), posteriors(others), strict=True), strict=True):
        np.testing.assert_allclose(found[i], scipy.stats.entropy(q, other, axis=1), rtol=1e-3, atol=1e-5)
    # Of two Gaussians by quadrature.
    x = np.linspace(-60, 60, 40_001)
    (mean, other_mean), (stddev, other_stddev) = zip(
        *(DISCRETE["c2"].mean_and_stddev(part["c2"]) for part in (parts, other_parts)), strict=True
    )
    for i in range(5):
        p, q = (scipy.stats.norm(m[i], s[i]) for m, s in ((mean, stddev), (other_mean, other_stddev)))
        expected = np.trapezoid(p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), x)
        assert float(found[1][i]) == pytest.approx(expected, rel=1e-3)


def test_entropy_and_distance_to_the_prior():
    q = np.random.default_rng(0).dirichlet(np.ones(4), size=20).astype(np.float32)
    prior = np.array([0.5, 0.25, 0.125, 0.125], np.float32)
    entropy, distance = entropy_and_distance(np.log(q), np.log(prior))
    assert float(entropy) == pytest.approx(scipy.stats.entropy(q, axis=1).mean(), rel=1e-5)
    assert float(distance) == pytest.approx(scipy.stats.entropy(q.mean(axis=0), prior), rel=1e-4)
    # Sure and as frequent as the prior says costs nothing; all in one class costs what that class is surprising.
    classes = np.repeat(np.arange(4), [8, 4, 2, 2])
    sure = np.log(np.eye(4, dtype=np.float32)[classes] + 1e-30)
    assert [float(x) for x in entropy_and_distance(sure, np.log(prior))] == pytest.approx([0.0, 0.0], abs=1e-5)
    assert float(entropy_and_distance(sure[:1], np.log(prior))[1]) == pytest.approx(np.log(2), rel=1e-5)


def test_transformations_are_declared_for_codes():
    layout = LatentLayout.parse("noise:2,cat:4,uniform:2,bernoulli:1")
    first, second, third = parse_invariances("rotate:10,flip; c3=shear:0.2;c2 ~ shear:0.4,shift:0.1", layout)
    assert [code.name for code in first.codes] == ["c1", "c4"]
    assert first.transformations == Transformations(rotate=10.0, flip=True)
    assert [code.name for code in second.codes] == ["c3"]
    assert second.transformations == Transformations(shear=0.2)
    # The classes, of which something is declared, are also to ignore what moves c2.
    assert [code.name for code in third.codes] == ["c1", "c4"]
    assert third.moving.name == "c2"
    assert third.transformations == Transformations(shear=0.4, shift=0.1)
    assert [each.moves_with for each in (first, second, third)] == [None, None, "shear"]
    (alone,) = parse_invariances("c2~shear:0.4", layout)
    assert alone.codes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rotate:10;c9=shear:0.2", "a code of c1, c2, c3, c4. Received: 'c9'"),
        ("rotate:10;", "transformations as in rotate:10. Received: ''"),
        ("c1=", "transformations as in rotate:10. Received: 'c1='"),
        ("c1=turn:3", "rotate:SIZE"),
        ("c9~shear:0.2", "CODE~... with a code of c1, c2, c3, c4. Received: 'c9'"),
        (
            "c1~shear:0.2",
            "CODE~... with a continuous code and, first, one of rotate, .*, hue. Received: 'c1~shear",
        ),
        ("c2~flip", "a continuous code and, first, one of rotate"),
        ("c2~shift_x:0.1,shift:0.1", "shift_y in place of shift in CODE~shift_x"),
        ("c2~shift:0.1", "a continuous code and, first, one of .*shift_x, shift_y"),
    ],
)
def test_declarations_that_are_none_are_refused(text, message):
    with pytest.raises(UserError, match=f"--invariances: .*{message}"):
        parse_invariances(text, LatentLayout.parse("noise:2,cat:4,uniform:2,bernoulli:1"))


def test_without_discrete_codes_a_code_has_to_be_named():
    layout = LatentLayout.parse("noise:2,uniform:2")
    with pytest.raises(UserError, match="no code is discrete"):
        parse_invariances("rotate:10", layout)
    assert len(parse_invariances("c1=rotate:10", layout)) == 1


@pytest.mark.parametrize("declared", ["rotate:20,flip", "rotate:20,flip;c2=shear:0.3", "rotate:20,flip;c2~shear:0.3"])
def test_invariance_reads_images_and_their_changed_copies(declared):
    model, regularizer = make_model(), Invariance(1.0, declared, entropy_weight=0.3, marginal_weight=0.7)
    regularizer.prepare(model)
    features = model.trunk(REAL, training=True)
    declarations = parse_invariances(declared, model.layout)
    shares = [np.arange(i, len(REAL), len(declarations)) for i in range(len(declarations))]
    amounts = [
        each.transformations.amounts(len(s), fold_in(SEED, 100 + 2 * i))
        for i, (each, s) in enumerate(zip(declarations, shares, strict=True))
    ]
    copies = [
        declaration.transformations(tf.gather(REAL, share), drawn, SEED)
        for declaration, share, drawn in zip(declarations, shares, amounts, strict=True)
    ]
    order = np.concatenate(shares)
    of_images = model.layout.split_parameters(model.q_head(tf.gather(features, order), training=True))
    changed = model.q_head(model.trunk(tf.concat(copies, axis=0), training=True), training=True)
    of_copies = model.layout.split_parameters(changed)
    entropy, distance = entropy_and_distance(tf.nn.log_softmax(of_images["c1"]), np.log(np.full(10, 0.1, np.float32)))
    # c1's mean is over all images of which a copy leaves it as it is: also those that are sheared to move c2.
    of_c1 = slice(0, len(REAL) if "~" in declared else len(shares[0]))
    of_c2 = slice(len(shares[0]), len(REAL))
    expected = 0.3 * entropy + 0.7 * distance
    for name, rows in (("c1", of_c1), ("c2", of_c2))[: len(shares)]:
        one, other = of_images[name][rows], of_copies[name][rows]
        if "~" in declared and name == "c2":
            # The mean moves by what the image was sheared, as a share of the size declared.
            one = tf.stack([one[:, 0] + amounts[1][:, AMOUNTS.index("shear")], one[:, 1]], axis=1)
        kl = model.layout[name].divergence(one, other)
        assert float(tf.reduce_mean(kl)) > 0.0
        expected += tf.reduce_mean(kl)
    found = regularizer.d_term(model, batch(REAL, real_features=features))
    assert float(found) == pytest.approx(float(expected), rel=1e-4)


def test_a_batch_of_fewer_images_than_declarations_is_borne():
    model, term = make_model(), Invariance(1.0, "flip;c2=shear:0.3;c3=shear:0.3")
    term.prepare(model)
    with tf.GradientTape() as tape:
        found = term.d_term(model, batch(REAL[:2], real_features=model.trunk(REAL[:2], training=True)))
    gradients = tape.gradient(found, model.q_head.trainable_variables + model.trunk.trainable_variables)
    assert np.isfinite(found)
    assert all(np.isfinite(gradient).all() for gradient in gradients if gradient is not None)


@pytest.mark.parametrize(
    "shown", [InstanceNoise(0.5, steps=10), Augmentation("brightness:0.5,shift:0.3")], ids=["noise", "augmentation"]
)
def test_changed_copies_are_shown_as_d_is_shown_images(shown, monkeypatch):
    term, drawn, read = Invariance(1.0, "flip"), [], []
    model = make_model(regularizers=[term, shown])
    show, trunk = shown.show, model.trunk
    monkeypatch.setattr(
        shown, "show", lambda model, images, seed: drawn.append((images, seed)) or show(model, images, seed)
    )
    object.__setattr__(model, "trunk", lambda images, training: read.append(images) or trunk(images, training=training))
    latents = model.layout.sample(16, SEED)
    model.d_pass(Real(REAL), model.generator(latents, training=True), latents, SEED)
    (_, first), (copies, second) = drawn
    np.testing.assert_array_equal(first, SEED)
    assert not np.array_equal(first, second)  # each has noise of its own
    np.testing.assert_array_equal(copies, term._changed(0, REAL, SEED)[1])
    np.testing.assert_array_equal(read[-1], show(model, copies, second))


@pytest.mark.parametrize(("count", "num_classes"), [(64, 10), (128, 26), (1_000, 2)])
def test_frequencies_in_a_batch_lie_off_by_chance(count, num_classes):
    shares = np.random.default_rng(0).multinomial(count, np.full(num_classes, 1 / num_classes), size=5_000) / count
    kl = np.sum(shares * np.log(np.maximum(shares, 1e-9) * num_classes), axis=1)
    assert float(chance_distance(count, num_classes)) == pytest.approx(np.mean(kl), rel=0.1)


@pytest.mark.parametrize(("tolerance", "costs"), [(0.05, True), (0.3, True), (3.0, False)])
def test_classes_may_differ_in_size_up_to_the_tolerance(tolerance, costs):
    model = make_model()
    kernel = model.q_head.layers[-1].kernel
    kernel.assign(100.0 * kernel)  # a Q that is sure, of a few classes
    terms = {}
    for marginal_weight, free in ((0.0, 0.0), (0.7, 0.0), (0.7, tolerance)):
        term = Invariance(1.0, "flip", marginal_weight=marginal_weight, marginal_tolerance=free)
        term.prepare(model)
        real_features = model.trunk(REAL, training=True)
        terms[marginal_weight, free] = float(term.d_term(model, batch(REAL, real_features=real_features)))
    distance = (terms[0.7, 0.0] - terms[0.0, 0.0]) / 0.7
    over = distance - tolerance - 9 / (2 * len(REAL))  # of ten classes
    assert (over > 0.1) is costs
    assert terms[0.7, tolerance] - terms[0.0, 0.0] == pytest.approx(0.7 * max(0.0, over), abs=1e-4)


def test_haste_makes_entropy_and_frequencies_weigh_more_in_the_first_steps():
    model = make_model()

    def term(step, **arguments):
        found = Invariance(1.0, "flip", **arguments)
        found.prepare(model)
        model.step.assign(step)
        return float(found.d_term(model, batch(REAL, real_features=model.trunk(REAL, training=True))))

    hasty = {"entropy_weight": 0.3, "marginal_weight": 0.7, "haste": 5.0, "haste_steps": 2}
    heavy, light = (term(0, entropy_weight=0.3 * k, marginal_weight=0.7 * k) for k in (5, 1))
    assert heavy > light + 0.1
    assert [term(step, **hasty) for step in range(4)] == pytest.approx([heavy, heavy, light, light], rel=1e-5)


def test_certainty_makes_the_entropy_weigh_more_from_its_step_on():
    model = make_model()

    def term(step, **arguments):
        found = Invariance(1.0, "flip", marginal_weight=0.7, **arguments)
        found.prepare(model)
        model.step.assign(step)
        return float(found.d_term(model, batch(REAL, real_features=model.trunk(REAL, training=True))))

    light, heavy = (term(0, entropy_weight=weight) for weight in (0.3, 3.0))
    assert heavy > light + 0.1
    late = {"entropy_weight": 0.3, "certainty": 10.0, "certainty_start": 2}
    assert [term(step, **late) for step in range(4)] == pytest.approx([light, light, heavy, heavy], rel=1e-5)


# === Features ===


def test_feature_matching_is_the_distance_of_means():
    real, fake = np.random.default_rng(0).normal(size=(2, 9, 5)).astype(np.float32)
    expected = ((real.mean(axis=0) - fake.mean(axis=0)) ** 2).sum()
    assert float(mean_distance(real, fake)) == pytest.approx(expected, rel=1e-5)
    assert float(mean_distance(real.astype(np.float16), fake.astype(np.float16))) == pytest.approx(expected, rel=1e-2)
    model = SimpleNamespace(
        trunk=lambda images, training: 2.0 * images, shown=lambda images, seed: images - 1.0, step=tf.constant(0)
    )
    # Of real images as D is shown them.
    given = batch(1.0 + real / 2, fake_features=fake)
    assert float(FeatureMatching(1.0).g_term(model, given)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("step", "counts"), [(0, False), (6, False), (7, True), (8, True)])
def test_feature_matching_counts_from_its_start(step, counts):
    features = tf.eye(2)
    model = SimpleNamespace(
        trunk=lambda images, training: images, shown=lambda images, seed: images, step=tf.constant(step, tf.int64)
    )
    term = FeatureMatching(1.0, start=7).g_term(model, batch(features, fake_features=features - 3.0))
    assert float(term) == (18.0 if counts else 0.0)


# === A smooth D ===


def of_function(logit):
    """A D that is `logit` of the flat images [B, N], and a list of all that it is shown."""
    seen = []

    def trunk(images, training):
        assert training
        seen.append(images.numpy())
        return tf.reshape(images, (len(images), -1))

    def logits(features, conditions, training):
        return logit(features)[:, tf.newaxis]

    return SimpleNamespace(trunk=trunk, logits=logits, conditions_of=lambda latents: None), seen


def test_r1_is_half_the_squared_gradient_at_real_images():
    w = tf.Variable(np.random.default_rng(0).normal(size=64), dtype=tf.float32)
    # D = (w x)^2 / 2 has the gradient (w x) w.
    model, _ = of_function(lambda x: tf.square(tf.linalg.matvec(x, w)) / 2)
    found = R1(1.0).d_term(model, batch(REAL, 1 - REAL))
    inner = REAL.numpy().reshape(16, -1) @ w.numpy()
    assert float(found) == pytest.approx(0.5 * (inner**2).mean() * (w.numpy() ** 2).sum(), rel=1e-4)


def test_r2_is_the_same_at_generated_images():
    w = tf.Variable(np.random.default_rng(0).normal(size=64), dtype=tf.float32)
    model, _ = of_function(lambda x: tf.square(tf.linalg.matvec(x, w)) / 2)
    fake = tf.square(REAL)
    assert float(R2(1.0).d_term(model, batch(REAL, fake))) == pytest.approx(
        float(R1(1.0).d_term(model, batch(fake, REAL))), rel=1e-6
    )


def test_penalties_are_at_images_as_d_is_shown_them():
    w = tf.Variable(np.random.default_rng(0).normal(size=64), dtype=tf.float32)
    model, seen = of_function(lambda x: tf.square(tf.linalg.matvec(x, w)) / 2)
    shown = REAL + 1.0, REAL - 1.0
    given = Batch(Real(REAL), 1 - REAL, None, None, None, SEED, *shown)
    for term in (R1(1.0), R2(1.0), GradientPenalty(1.0)):
        term.d_term(model, given)
    np.testing.assert_array_equal(seen[0], shown[0])
    np.testing.assert_array_equal(seen[1], shown[1])
    between = REAL - seen[2]  # from -1 where it is real to 1 where it is generated
    np.testing.assert_allclose(between, np.broadcast_to(between[:, :1, :1], between.shape), atol=1e-6)
    assert between.numpy().std() > 0.3


def test_d_is_shown_changed_images_and_the_generator_learns_through_the_changes():
    term = Augmentation("brightness:0.3,shift:0.25")
    model = make_model(regularizers=[term])
    latents = model.layout.sample(16, SEED)
    shown = term.show(model, REAL, SEED)
    changes = Transformations.parse("brightness:0.3,shift:0.25")
    amounts = changes.amounts(16, fold_in(SEED, 5))
    np.testing.assert_array_equal(shown, changes(REAL, amounts, fold_in(SEED, 6)))
    with tf.GradientTape() as tape:
        images = tf.identity(REAL)
        tape.watch(images)
        total, _ = model.g_pass(Real(REAL), images, latents, SEED)
    gradient = tape.gradient(total, images)
    model.compile(model.d_optimizer, model.g_optimizer)
    with tf.GradientTape() as tape:
        images = tf.identity(shown)
        tape.watch(images)
        expected, _ = model.g_pass(Real(REAL), images, latents, SEED)
    at_shown = tape.gradient(expected, images)
    assert float(total) == pytest.approx(float(expected), rel=1e-5)
    with tf.GradientTape() as tape:
        tape.watch(REAL)
        product = tf.reduce_sum(changes(REAL, amounts, SEED) * at_shown)
    np.testing.assert_allclose(gradient, tape.gradient(product, REAL), atol=1e-5 * np.abs(gradient).max())


def test_gradient_penalty_asks_for_a_norm_of_one():
    w = tf.Variable(np.random.default_rng(0).normal(size=64), dtype=tf.float32)
    model, _ = of_function(lambda x: tf.linalg.matvec(x, w) + 3.0)
    with tf.GradientTape() as tape:
        term = GradientPenalty(1.0).d_term(model, batch(REAL, 1 - REAL))
    norm = np.linalg.norm(w)
    assert float(term) == pytest.approx((norm - 1) ** 2, rel=1e-4)
    np.testing.assert_allclose(tape.gradient(term, w), 2 * (norm - 1) * w / norm, rtol=1e-4)
    w.assign(w / norm)
    assert float(GradientPenalty(1.0).d_term(model, batch(REAL, 1 - REAL))) == pytest.approx(0.0, abs=1e-6)


def test_gradient_penalty_is_taken_evenly_between_real_and_fake():
    model, seen = of_function(lambda x: tf.reduce_sum(x, axis=-1))
    GradientPenalty(1.0).d_term(model, batch(tf.zeros((500, 4, 4, 1)), tf.ones((500, 4, 4, 1))))
    shares = seen[0][:, 0, 0, 0]
    np.testing.assert_array_equal(seen[0], np.broadcast_to(shares[:, None, None, None], seen[0].shape))
    assert scipy.stats.kstest(shares, "uniform").pvalue > 1e-3


def test_noise_on_black_is_not_clipped_by_the_augmentation():
    terms = terms_of(Config(instance_noise=0.1, augmentation="shift:0.1"))
    shown = tf.zeros((50, 8, 8, 1))
    for term in terms:
        shown = term.show(SimpleNamespace(step=tf.constant(0)), shown, SEED)
    assert scipy.stats.kstest(np.ravel(shown), scipy.stats.norm(0, 0.1).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("step", "stddev"), [(0, 0.5), (5, 0.25), (9, 0.05), (10, 0.0), (11, 0.0)])
def test_instance_noise_falls_to_nothing(step, stddev):
    regularizer, images = InstanceNoise(0.5, steps=10), tf.fill((50, 8, 8, 1), 0.3)
    assert float(regularizer.stddev(tf.constant(step, tf.int64))) == pytest.approx(stddev, abs=1e-6)
    shown = regularizer.show(SimpleNamespace(step=tf.constant(step)), images, SEED)
    if stddev:
        assert scipy.stats.kstest(np.ravel(shown - images), scipy.stats.norm(0, stddev).cdf).pvalue > 1e-3
    else:
        np.testing.assert_array_equal(shown, images)


@pytest.mark.parametrize("steps", [0, -1, float("nan")])
def test_instance_noise_takes_a_step_to_fall(steps):
    with pytest.raises(ValueError, match="steps: expected an integer from 1"):
        InstanceNoise(0.1, steps=steps)


def test_d_is_shown_the_noise_in_both_passes():
    regularizer = InstanceNoise(0.5, steps=10)
    model = make_model(regularizers=[regularizer])
    latents, both = model.layout.sample(16, SEED), tf.concat([REAL, REAL], axis=0)
    noisy = tf.split(regularizer.show(model, both, SEED), 2)
    assert np.abs(np.corrcoef(np.ravel(noisy[0] - REAL), np.ravel(noisy[1] - REAL))[0, 1]) < 0.1
    noisy_losses = [float(run(Real(REAL), REAL, latents, SEED)[0]) for run in (model.d_pass, model.g_pass)]
    alone = regularizer.show(model, REAL, SEED)
    regularizer.weight = 0.0
    assert noisy_losses[0] == pytest.approx(float(model.d_pass(Real(noisy[0]), noisy[1], latents, SEED)[0]), rel=1e-5)
    assert noisy_losses[1] == pytest.approx(float(model.g_pass(Real(REAL), alone, latents, SEED)[0]), rel=1e-5)
    assert noisy_losses[0] != pytest.approx(float(model.d_pass(Real(REAL), REAL, latents, SEED)[0]), rel=1e-4)


def test_the_noises_of_one_pass_are_not_alike():
    grey = tf.fill((16, 8, 8, 1), 0.5)
    one = InstanceNoise(0.1, steps=10).show(SimpleNamespace(step=tf.constant(0)), grey, SEED) - grey
    other = Transformations.parse("noise:0.1")(grey, None, SEED) - grey
    assert np.abs(np.corrcoef(np.ravel(one), np.ravel(other))[0, 1]) < 0.1


# === Pairs that share a code ===


def test_pairs_share_one_code_alone():
    layout = LatentLayout.parse("noise:3,cat:4,uniform:2,bernoulli:1,normal:1")
    first, second, shared = Contrast.pairs(layout, 3000, SEED)
    assert scipy.stats.chisquare(np.bincount(shared, minlength=5)).pvalue > 1e-3
    (noise, blocks), (other_noise, other_blocks) = layout.split(first), layout.split(second)
    assert np.all(noise != other_noise)
    for i, code in enumerate(layout.codes):
        same = np.all(blocks[code.name] == other_blocks[code.name], axis=1)
        assert np.all(same[shared == i])
        chance = 1 / code.num_classes if code.discrete else 0.0
        assert same[shared != i].mean() == pytest.approx(chance, abs=0.04 if chance else 0.0)
    np.testing.assert_array_equal(tf.reduce_sum(other_blocks["c1"], axis=1), 1.0)


def test_the_shared_code_is_learnt():
    keras.utils.set_random_seed(0)
    layout = LatentLayout.parse("noise:1,cat:4x3")

    def dense(outputs, name):
        return keras.Sequential([keras.Input((16,)), layers.Dense(outputs)], name=name)

    # Images that are the latents themselves.
    generator = keras.Sequential([keras.Input((13,)), layers.Reshape((1, 13, 1))], name="generator")
    trunk = keras.Sequential([keras.Input((1, 13, 1)), layers.Flatten(), layers.Dense(16)], name="trunk")
    regularizer, optimizer = Contrast(1.0), keras.optimizers.Adam(0.02)
    model = InfoGAN(layout, generator, trunk, dense(1, "d_head"), dense(layout.num_parameters, "q_head"))
    model.compile(keras.optimizers.Adam(), keras.optimizers.Adam(), regularizers=[regularizer])
    assert {id(v) for v in regularizer.trainable_variables} < {id(v) for v in model.variables_of("d")}
    variables = regularizer.trainable_variables + trunk.trainable_variables

    @tf.function
    def step(seed):
        with tf.GradientTape() as tape:
            loss = regularizer.d_term(model, batch(latents=tf.zeros((256, 13)), seed=seed))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    losses = [float(step(tf.constant([0, i]))) for i in range(60)]
    assert losses[0] > 1.0  # ln 3 is 1.1
    assert np.mean(losses[-5:]) < 0.6


def test_pairs_are_shown_as_d_is_shown_images():
    model = make_model("noise:3,cat:4,uniform:2", regularizers=[Contrast(1.0), Augmentation("contrast:1,brightness:1")])
    given, term = batch(latents=tf.zeros((8, model.layout.width))), model.regularizers[0]
    changed = [float(loss) for loss in (term.d_term(model, given), term.g_term(model, given))]
    model.terms = [term]
    plain = [float(loss) for loss in (term.d_term(model, given), term.g_term(model, given))]
    assert np.abs(np.subtract(changed, plain)).min() > 1e-3


@pytest.mark.parametrize("synchronized", [True, False])
def test_the_heads_batch_norm_goes_by_the_option(synchronized):
    (term,) = terms_of(Config(contrast_weight=1.0, sync_batch_norm=synchronized))
    make_model("noise:3,cat:4,uniform:2", regularizers=[term])
    assert term.head.get_layer("fc_bn").synchronized is synchronized
    assert Contrast.from_config(term.get_config()).sync_batch_norm is synchronized


@pytest.mark.parametrize(("step", "counts"), [(6, False), (7, True)])
def test_contrast_counts_from_its_start(step, counts):
    model = make_model("noise:3,cat:4,uniform:2", regularizers=[Contrast(1.0, start=7)])
    model.step.assign(step)
    (term,) = model.regularizers
    given = batch(latents=tf.zeros((8, model.layout.width)), seed=SEED)
    assert [float(loss) > 0.0 for loss in (term.d_term(model, given), term.g_term(model, given))] == [counts, counts]
    assert Contrast.from_config(term.get_config()).start == 7


# === Weights near their own past ===


def test_historical_averaging_is_the_distance_from_the_mean_of_all_weights_so_far():
    # Of a player, the weights of two networks; by step, what they are.
    rng = np.random.default_rng(0)
    past = [rng.normal(size=(3, 2)), rng.normal(size=4)], [rng.normal(size=(3, 2)), rng.normal(size=4)]
    past = [*past, [rng.normal(size=(3, 2)), rng.normal(size=4)]]
    variables = {player: [tf.Variable(value, dtype=tf.float32) for value in past[0]] for player in "dg"}
    term = HistoricalAveraging(1.0)
    model = SimpleNamespace(trainable_of=variables.get)
    term.prepare(model)
    for step, weights in enumerate(past, 1):
        for variable, value in zip(variables["d"], weights, strict=True):
            variable.assign(value)
        with tf.GradientTape() as tape:
            found = term.d_term(model, None)
        away = [value - np.mean([each[i] for each in past[:step]], axis=0) for i, value in enumerate(weights)]
        assert float(found) == pytest.approx(sum((each**2).sum() for each in away), rel=1e-4, abs=1e-9)
        # The past is what it is: the gradient is that of the present weights.
        for gradient, each in zip(tape.gradient(found, variables["d"]), away, strict=True):
            np.testing.assert_allclose(gradient, 2 * each, rtol=1e-4, atol=1e-6)
    # G has a past of its own, which begins at its first step.
    assert float(term.g_term(model, None)) == 0.0


# === In a train step ===


def step_gradients(name=None):
    """The gradients of both players in a step, what it logs, and D's statistics after it; no weight is trained."""
    model = make_model()
    recorders = Recorder(0.0), Recorder(0.0)
    model.compile(*recorders, run_eagerly=True, regularizers=[KINDS[name][0](0.5)] if name else [])
    logs = model.train_on_batch(IMAGES, return_dict=True)
    statistics = [v.numpy() for v in model.trunk.non_trainable_variables]
    return recorders[0].gradients | recorders[1].gradients, logs, statistics


@pytest.fixture(scope="module")
def plain():
    return step_gradients()


@pytest.mark.parametrize("name", KINDS)
def test_gradients_reach_whom_they_should(plain, name):
    (gradients, logs, statistics), (plain_gradients, plain_logs, plain_statistics) = step_gradients(name), plain
    _, terms, reaches = KINDS[name]
    changed = {
        path.split("/")[0]
        for path, gradient in plain_gradients.items()
        if not np.allclose(gradients[path], gradient, rtol=1e-3, atol=1e-3 * np.abs(gradient).max())
    }
    assert changed == reaches
    own = [np.abs(gradient).max() for path, gradient in gradients.items() if path not in plain_gradients]
    assert len(own) == (5 if name == "contrast" else 0)
    assert all(0.0 < size < np.inf for size in own)
    assert set(logs) - set(plain_logs) == {f"{player}_{name}" for player in terms}
    assert all(np.isfinite(value) for value in logs.values())
    if name not in ("instance_noise", "augmentation"):
        # D's statistics are of real and fake images in equal parts still.
        for one, other in zip(statistics, plain_statistics, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", KINDS)
def test_a_term_counts_with_its_weight_and_the_generators_pass_records_nothing_of_d(name):
    make, terms, _ = KINDS[name]
    regularizer = make(2.0)
    model = make_model(regularizers=[regularizer])
    latents = model.layout.sample(16, SEED)
    fake = model.generator(latents, training=True)
    for player, run in (("d", model.d_pass), ("g", model.g_pass)):
        run(Real(REAL), fake, latents, SEED)
        for variable in model.trainable_variables:
            variable.assign(1.05 * variable)
        of_d = [v for part in ("trunk", "d_head", "q_head") for v in getattr(model, part).variables]
        before = [v.numpy() for v in of_d]
        total, figures = run(Real(REAL), fake, latents, SEED)
        if player == "g":
            for variable, value in zip(of_d, before, strict=True):
                np.testing.assert_array_equal(variable, value)
        if player not in terms:
            assert f"{player}_{name}" not in figures
            continue
        regularizer.weight = 0.0
        without, _ = run(Real(REAL), fake, latents, SEED)
        regularizer.weight = 2.0
        term = float(figures[f"{player}_{name}"])
        assert term > 0.0
        assert float(total - without) == pytest.approx(2.0 * term, rel=1e-3, abs=1e-5)


@pytest.fixture(scope="module")
def trained():
    """With every regulariser, after two steps."""
    model = make_model(regularizers=all_of_them(), run_eagerly=True)
    for _ in range(2):
        model.train_on_batch(IMAGES)
    return model


def state(model):
    return [*model.weights, *model.d_optimizer.variables, *model.g_optimizer.variables]


def test_a_model_with_all_of_them_goes_on_from_a_file_and_from_a_checkpoint(tmp_path, trained):
    trained.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = True
    assert [each.get_config() for each in loaded.regularizers] == [each.get_config() for each in trained.regularizers]
    restored = make_model(regularizers=all_of_them(), run_eagerly=True, seed=1)
    restored.seed = trained.seed
    Checkpoints(tmp_path).save(trained)
    Checkpoints(tmp_path).restore(restored)
    assert len({id(v) for v in trained.weights}) == len(trained.weights)
    for model in (trained, loaded, restored):
        model.train_on_batch(IMAGES)
        assert int(model.step) == 3
        for variable, expected in zip(state(model), state(trained), strict=True):
            np.testing.assert_array_equal(variable, expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "eager"),
    [
        ("mixed_bfloat16", True),
        ("mixed_float16", True),
        # Tracing all of them takes long.
        pytest.param("mixed_bfloat16", False, marks=pytest.mark.slow),
        pytest.param("mixed_float16", False, marks=pytest.mark.slow),
    ],
)
def test_mixed_precision_bears_all_of_them(dtype, eager):
    model = make_model(regularizers=all_of_them(), dtype=dtype, run_eagerly=eager)
    before = {part: [v.numpy() for v in getattr(model, part).trainable_variables] for part in PARTS}
    history = model.fit(IMAGES, batch_size=8, epochs=4, verbose=0, shuffle=False).history
    assert all(np.isfinite(values).all() for values in history.values())
    for part, values in before.items():
        for variable, value in zip(getattr(model, part).trainable_variables, values, strict=True):
            assert np.isfinite(variable).all()
            assert np.any(variable.numpy() != value), (part, variable.path)
