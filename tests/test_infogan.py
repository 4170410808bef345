"""The train step: who is updated by what, what is logged, and that it survives saving."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model

from infogan_tf.models.gan import GAN
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.models.means import Means
from infogan_tf.objectives.adversarial import nonsaturating_discriminator_loss, nonsaturating_generator_loss
from infogan_tf.objectives.smoothness import R1, InstanceNoise
from infogan_tf.objectives.term import Term

IMAGES = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), dtype=np.uint8)
KEYS = {
    "d_loss", "g_loss", "q_loss", "mutual_info", "mutual_info/c1", "mutual_info/c2", "mutual_info/c3",
    "prob_real", "prob_fake_before", "prob_fake_after",
}  # fmt: skip


def snapshot(model):
    return {part: [v.numpy() for v in getattr(model, part).trainable_variables] for part in PARTS}


PARTS = ("generator", "trunk", "d_head", "q_head")


def moved(before, after):
    return {part for part in PARTS if any((a != b).any() for a, b in zip(before[part], after[part], strict=True))}


class Recorder(keras.optimizers.SGD):
    """Keeps the gradients that it is given, and leaves the weights alone."""

    def apply(self, grads, trainable_variables=None):
        self.gradients = {v.path: g.numpy() for g, v in zip(grads, trainable_variables, strict=True)}


def step_gradients(step=0, **weights):
    """The gradients of D and G in one step, taken from the optimizers, with everything else at its place."""
    model = make_model()
    recorders = Recorder(0.0), Recorder(0.0)
    model.compile(*recorders, run_eagerly=True, **weights)
    model.step.assign(step)
    model.train_on_batch(IMAGES)
    return model, recorders[0].gradients, recorders[1].gradients


def reference_gradients(lambdas, step=0):
    """The same gradients, written down naively from equation 6 of the paper: two passes, nothing shared."""
    model = make_model()
    latents = model.layout.sample(len(IMAGES), model.stream_seed("train", step))
    real = IMAGES.astype(np.float32) / 255

    def information(features):
        log_probs = model.layout.log_prob(model.q_head(features, training=True), latents)
        bounds = model.layout.mutual_info(log_probs)
        return sum(lambdas[name] * bounds[name] for name in bounds)

    with tf.GradientTape() as tape:
        fake = model.generator(latents, training=True)
        features = model.trunk(fake, training=True)
        real_logits = model.d_head(model.trunk(real, training=True))
        loss = nonsaturating_discriminator_loss(real_logits, model.d_head(features)) - information(features)
    variables = model.variables_of("d")
    d = dict(zip([v.path for v in variables], tape.gradient(loss, variables), strict=True))
    with tf.GradientTape() as tape:
        features = model.trunk(model.generator(latents, training=True), training=True)
        loss = nonsaturating_generator_loss(model.d_head(features)) - information(features)
    variables = model.variables_of("g")
    g = dict(zip([v.path for v in variables], tape.gradient(loss, variables), strict=True))
    return d, g


def assert_close(found, expected):
    assert set(found) == set(expected)
    for path, gradient in expected.items():
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(found[path], gradient, atol=1e-4 * scale + 1e-9, err_msg=path)


@pytest.mark.parametrize(
    ("arguments", "lambdas"),
    [
        ({"lambda_info": 1.0}, {"c1": 1.0, "c2": 1.0, "c3": 1.0}),
        ({"lambda_info": 0.3, "lambda_cont": 2.0}, {"c1": 0.3, "c2": 2.0, "c3": 2.0}),
    ],
)
def test_gradients_are_those_of_the_papers_objective(arguments, lambdas):
    _, d, g = step_gradients(**arguments)
    expected_d, expected_g = reference_gradients(lambdas)
    assert_close(d, expected_d)
    assert_close(g, expected_g)


def test_without_information_only_the_q_head_learns_the_codes():
    _, d, g = step_gradients(lambda_info=0.0)
    plain_d, plain_g = reference_gradients({"c1": 0.0, "c2": 0.0, "c3": 0.0})
    assert_close({path: v for path, v in d.items() if not path.startswith("q_head")},
                 {path: v for path, v in plain_d.items() if not path.startswith("q_head")})  # fmt: skip
    assert_close(g, plain_g)
    informed_d, _ = reference_gradients({"c1": 1.0, "c2": 1.0, "c3": 1.0})
    assert_close({path: v for path, v in d.items() if path.startswith("q_head")},
                 {path: v for path, v in informed_d.items() if path.startswith("q_head")})  # fmt: skip


def test_a_code_of_weight_zero_reaches_neither_trunk_nor_generator():
    _, d, g = step_gradients(lambda_info=1.0, lambda_cont=0.0)
    expected_d, expected_g = reference_gradients({"c1": 1.0, "c2": 0.0, "c3": 0.0})
    assert_close(g, expected_g)
    trunk = {path: v for path, v in d.items() if path.startswith("trunk")}
    assert_close(trunk, {path: v for path, v in expected_d.items() if path.startswith("trunk")})
    # Q's outputs for c2 and c3 learn all the same.
    (bias,) = [v for path, v in d.items() if path.endswith("parameters/bias")]
    assert np.all(np.abs(bias) > 0)


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (3, 0.3), (10, 1.0), (25, 1.0)])
def test_the_weights_of_the_information_warm_up(step, share):
    _, d, g = step_gradients(step, lambda_info=0.5, lambda_cont=2.0, lambda_warmup=10)
    expected_d, expected_g = reference_gradients({"c1": 0.5 * share, "c2": 2.0 * share, "c3": 2.0 * share}, step)
    assert_close(d, expected_d)
    assert_close(g, expected_g)


# By loss: its target for real images, and what D minimises.
LOSSES = {
    "hinge": (1.0, lambda r, f: np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean()),
    "least_squares": (0.9, lambda r, f: ((r - 0.9) ** 2).mean() / 2 + (f**2).mean() / 2),
    "wasserstein": (1.0, lambda r, f: f.mean() - r.mean()),
    "relativistic": (1.0, lambda r, f: np.logaddexp(0, f - r).mean()),
}


@pytest.mark.parametrize("name", LOSSES)
def test_another_adversarial_loss_is_minimised_and_logged(name):
    model = make_model()
    latents = model.layout.sample(len(IMAGES), model.stream_seed("train", 0))
    fake = model.generator(latents, training=True)
    real, fake = (model.d_head(model.trunk(x, training=True)) for x in (IMAGES.astype(np.float32) / 255, fake))
    recorders = Recorder(0.0), Recorder(0.0)
    target, of_d = LOSSES[name]
    model.compile(*recorders, run_eagerly=True, adversarial_loss=name, real_target=target)
    logs = model.train_on_batch(IMAGES, return_dict=True)
    assert logs["d_loss"] == pytest.approx(of_d(real.numpy(), fake.numpy()), rel=1e-4)
    of_g = {
        "least_squares": lambda r, f: ((f - 1) ** 2).mean() / 2,
        "relativistic": lambda r, f: np.logaddexp(0, r - f).mean(),
    }.get(name, lambda r, f: -f.mean())(real.numpy(), fake.numpy())
    assert logs["g_loss"] == pytest.approx(of_g, rel=1e-4)
    # The bias of D's last layer moves all logits alike.
    real, fake, h = real.numpy().astype(float), fake.numpy().astype(float), 1e-6
    slope = (of_d(real + h, fake + h) - of_d(real - h, fake - h)) / (2 * h)
    assert recorders[0].gradients["d_head/logit/bias"] == pytest.approx(slope, abs=1e-5)
    # D's output is no probability: it is logged as it is, under another name.
    assert set(logs) == {key.replace("prob_", "output_") for key in KEYS}
    assert logs["output_real"] == pytest.approx(real.mean(), rel=1e-3, abs=1e-6)
    assert logs["output_fake_before"] == pytest.approx(fake.mean(), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", ["hinge", "wasserstein"])
def test_a_loss_without_a_target_for_d_knows_no_label_smoothing(name):
    with pytest.raises(ValueError, match=rf"real_target: expected 1 with the {name} loss\. Received: 0\.9"):
        make_model(adversarial_loss=name, real_target=0.9)


def test_an_unknown_adversarial_loss_is_refused():
    with pytest.raises(ValueError, match=r"adversarial_loss: expected one of nonsaturating, .*Received: 'kind'"):
        make_model(adversarial_loss="kind")


def test_every_part_is_updated_by_its_own_optimizer():
    for still, expected in (("g_optimizer", {"trunk", "d_head", "q_head"}), ("d_optimizer", {"generator"})):
        model = make_model(run_eagerly=True)
        getattr(model, still).learning_rate = 0.0
        before = snapshot(model)
        model.train_on_batch(IMAGES)
        assert moved(before, snapshot(model)) == expected


class Witness(Term):
    """Keeps what the passes of a step are given, and asks for nothing."""

    def prepare(self, model):
        self.seen = {"d": [], "g": []}

    def d_term(self, model, batch):
        self.seen["d"].append(batch)
        return tf.constant(0.0)

    def g_term(self, model, batch):
        self.seen["g"].append(batch)
        return tf.constant(0.0)


@pytest.mark.parametrize(("d_updates", "g_updates"), [(1, 1), (4, 1), (1, 3), (2, 3), (4, 2)])
def test_a_step_has_several_updates_of_each_player(d_updates, g_updates):
    witness = Witness(1.0)
    model = make_model(d_updates=d_updates, g_updates=g_updates, regularizers=[witness], run_eagerly=True)
    model.train_on_batch(IMAGES)
    assert (int(model.step), int(model.d_optimizer.iterations), int(model.g_optimizer.iterations)) == (
        1, d_updates, g_updates,
    )  # fmt: skip
    d, g = witness.seen["d"], witness.seen["g"]
    assert (len(d), len(g)) == (d_updates, g_updates)
    # D sees all the step's images, a part in every update.
    np.testing.assert_allclose(np.concatenate([each.real.images for each in d]), IMAGES / np.float32(255))
    # The last of D's and the first of G's share their latents; all others, and all seeds, are their own.
    assert len({each.latents.numpy().tobytes() for each in [*d, *g]}) == d_updates + g_updates - 1
    np.testing.assert_array_equal(d[-1].latents, g[0].latents)
    np.testing.assert_array_equal(d[-1].latents.shape, (16 // d_updates, model.layout.width))
    assert len({each.seed.numpy().tobytes() for each in [*d, *g]}) == d_updates + g_updates


def test_training_logs_the_epochs_means():
    model = make_model(run_eagerly=True)
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["d_loss"] * (batch + 1))

    history = model.fit(IMAGES, batch_size=4, epochs=1, verbose=0, shuffle=False, callbacks=[Watch()]).history
    assert set(history) == KEYS
    each = np.diff([0.0, *seen])
    assert history["d_loss"][0] == pytest.approx(each.mean(), rel=1e-4)
    assert each.std() > 0
    parts = sum(history[f"mutual_info/c{i}"][0] for i in (1, 2, 3))
    assert history["mutual_info"][0] == pytest.approx(parts, rel=1e-5)
    assert history["q_loss"][0] == pytest.approx(sum(model.layout.entropy.values()) - parts, rel=1e-5)


def test_what_was_never_logged_in_an_epoch_is_absent_and_not_0():
    model = make_model(run_eagerly=True)
    history = model.fit(IMAGES[:8], batch_size=4, epochs=6, verbose=0).history  # steps 0 to 11
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(KEYS, 6) | {"prob_fake_after": 2}
    assert all(0.0 < value < 1.0 for value in history["prob_fake_after"])


def test_means_are_of_those_that_were_counted():
    means = Means(("one", "two", "never"))
    for value in (1.0, 2.0, 6.0):
        given = {"one": tf.constant(value), "two": tf.constant(10.0 * value)}
        means.update_state(given, counts={"two": tf.constant(value > 1.0)})
    assert means.counted() == {"one": 3.0, "two": 40.0}
    assert {name: float(mean) for name, mean in means.result().items()} == {"one": 3.0, "two": 40.0, "never": 0.0}
    means.reset_state()
    assert means.counted() == {}


def test_evaluation_changes_nothing_and_uses_inference_statistics():
    model = make_model()
    before = [v.numpy() for v in model.weights]
    logs = model.evaluate(IMAGES, batch_size=16, verbose=0, return_dict=True)
    assert set(logs) == KEYS - {"prob_fake_after"}
    for variable, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    real = model.d_head(model.trunk(IMAGES.astype(np.float32) / 255, training=False))
    assert logs["prob_real"] == pytest.approx(float(tf.reduce_mean(tf.sigmoid(real))), rel=1e-5)
    again = model.evaluate(IMAGES, batch_size=16, verbose=0, return_dict=True)
    assert again == logs


def test_batch_norm_of_d_records_real_and_fake_in_equal_parts():
    # One update of the moving averages for the real and one for the fake batch of the D update, none for the G update.
    model = make_model(run_eagerly=True)
    norm = model.trunk.get_layer("conv2_bn")
    updates = []
    inner = model.trunk.get_layer("conv2")
    latents = model.layout.sample(len(IMAGES), model.stream_seed("train", 0))
    for images in (IMAGES.astype(np.float32) / 255, model.generator(latents, training=True)):
        conv1 = model.trunk.get_layer("conv1_lrelu")(model.trunk.get_layer("conv1")(images))
        updates.append(np.mean(inner(conv1), axis=(0, 1, 2)))
    expected = 0.9 * (0.1 * updates[0]) + 0.1 * updates[1]
    model.train_on_batch(IMAGES)
    np.testing.assert_allclose(norm.moving_mean, expected, atol=1e-6)


def test_steps_per_execution_gives_the_same_weights():
    results = []
    for count in (1, 2):
        model = make_model(steps_per_execution=count)
        model.fit(tf.data.Dataset.from_tensor_slices(IMAGES).batch(4), epochs=1, verbose=0)
        results.append([v.numpy() for v in model.weights])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_the_step_compiles_with_xla_and_updates_everything():
    model = make_model(jit_compile=True)
    before = snapshot(model)
    model.fit(IMAGES, batch_size=8, verbose=0)
    assert moved(before, snapshot(model)) == set(PARTS)


def losses(model):
    logs = model.evaluate(IMAGES, batch_size=16, verbose=0, return_dict=True)
    return [logs[name] for name in ("d_loss", "g_loss", "q_loss")]


@pytest.fixture(scope="module")
def float32_losses():
    return losses(make_model())


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)])
def test_mixed_precision_follows_float32(float32_losses, dtype):
    model = make_model(dtype=dtype)
    # Before any update: float16 skips its first ones, until the loss scale has come down to what gradients bear.
    np.testing.assert_allclose(losses(model), float32_losses, rtol=0.02)
    before = snapshot(model)
    model.fit(IMAGES, batch_size=8, epochs=10, verbose=0, shuffle=False)
    assert moved(before, snapshot(model)) == set(PARTS)
    assert {v.dtype for v in model.trainable_variables} == {"float32"}


def test_float16_scales_both_losses_and_skips_a_broken_step():
    model = make_model(dtype="mixed_float16")
    model.train_on_batch(IMAGES)
    for optimizer in (model.d_optimizer, model.g_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        optimizer.dynamic_scale.assign(1e38)
    before = snapshot(model)
    model.train_on_batch(IMAGES)
    assert moved(before, snapshot(model)) == set()
    assert all(float(optimizer.dynamic_scale) < 1e38 for optimizer in (model.d_optimizer, model.g_optimizer))


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_keras_file_keeps_weights_and_both_optimizers(tmp_path, dtype):
    model = make_model(dtype=dtype, lambda_info=0.5, lambda_cont=0.1, run_eagerly=True)
    for _ in range(2):
        model.train_on_batch(IMAGES)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = True
    assert loaded.terms[0].code_weights == {"c1": 0.5, "c2": 0.1, "c3": 0.1}
    assert int(loaded.step) == 2
    for which in ("d_optimizer", "g_optimizer"):
        kept, found = getattr(model, which).variables, getattr(loaded, which).variables
        assert any(np.any(v.numpy() != 0) for v in found)
        for one, other in zip(kept, found, strict=True):
            np.testing.assert_array_equal(one, other)
    # It goes on as the original does.
    model.train_on_batch(IMAGES)
    loaded.train_on_batch(IMAGES)
    for one, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_argument_of_compile_comes_back():
    arguments = {
        "lambda_info": 0.5, "lambda_cat": 0.1, "lambda_cont": 0.2, "lambda_warmup": 7,
        "adversarial_loss": "least_squares",
        "real_target": 0.9, "d_updates": 2, "g_updates": 3, "average_decay": 0.9, "jit_compile": True,
        "steps_per_execution": 2,
    }  # fmt: skip
    model, other = make_model(**arguments, regularizers=[R1(0.3), InstanceNoise(0.2, steps=5)]), make_model()
    config = model.get_compile_config()
    assert {name: config[name] for name in arguments} == arguments
    other.compile_from_config(json.loads(json.dumps(config)))
    assert other.get_compile_config() == config
    assert [(type(each), each.weight) for each in other.regularizers] == [(R1, 0.3), (InstanceNoise, 0.2)]
    taken = {name for kind in (InfoGAN, GAN) for name in inspect.signature(kind.compile).parameters}
    assert taken - {"self", "kwargs"} == set(config) - {"jit_compile", "run_eagerly", "steps_per_execution"}


def test_a_fixed_posterior_survives_saving(tmp_path):
    model = make_model(latents="noise:6,cat:10,uniform:2", posterior_stddev=0.7)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layout == model.layout
    assert loaded.layout["c2"].fixed_stddev == 0.7


def test_one_generates_and_encodes_any_number():
    model = make_model()
    latents = model.layout.sample(7, tf.constant([1, 2]))
    images = model.generate(latents, batch_size=3)
    assert images.shape == (7, 8, 8, 1)
    np.testing.assert_allclose(images, model(latents), atol=1e-6)
    assert model.generate(latents[:0]).shape == (0, 8, 8, 1)
    assert model.encode(IMAGES[:0])["c1"]["probabilities"].shape == (0, 10)
    posterior = model.encode(IMAGES, batch_size=5)
    assert posterior["c1"]["probabilities"].shape == (16, 10)
    np.testing.assert_allclose(posterior["c1"]["probabilities"].sum(axis=1), 1.0, rtol=1e-5)
    assert posterior["c2"]["mean"].shape == posterior["c2"]["stddev"].shape == (16,)


def test_networks_that_do_not_fit_the_layout_are_refused():
    model = make_model()
    networks = {part: getattr(model, part) for part in PARTS}
    with pytest.raises(ValueError, match=r"generator: expected one of 7 inputs .*Received: one of 18"):
        InfoGAN("noise:5,cat:2", **networks)
    with pytest.raises(ValueError, match=r"q_head: expected one of 12 outputs .*Received: one of 14"):
        InfoGAN("noise:6,cat:10,bernoulli:2", **networks)
