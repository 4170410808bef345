"""A label is a kind of code: drawn, varied, exported as one, and never read back."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model

from infogan_tf.data.stream import stream
from infogan_tf.errors import UserError
from infogan_tf.export import export_saved_model
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.latents.traversal import traversal_grid
from infogan_tf.models.conditional_gan import ConditionalGAN
from infogan_tf.networks.mlp import mlp_networks
from infogan_tf.objectives.smoothness import R1, GradientPenalty

LAYOUT = LatentLayout.parse("noise:4,label:3,uniform:1")
SEED = tf.constant([3, 5])


IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
LABELS = np.array([0, 2, 2, 1, 0, 2])


def conditional_gan(latents="noise:4,label:3", **compile_arguments):
    """A compiled ConditionalGAN on tiny images, its weights a function of Keras's own seed."""
    layout = LatentLayout.parse(latents)
    networks = mlp_networks(layout.width, 0, (8, 8, 1), "float32", num_labels=3)
    model = ConditionalGAN(layout, **networks)
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3), **compile_arguments)
    return model


def test_a_label_is_drawn_like_a_class_and_has_no_posterior():
    assert [code.name for code in LAYOUT.codes] == ["c1", "c2"]
    assert [code.name for code in LAYOUT.read_codes] == ["c2"]
    assert (LAYOUT.width, LAYOUT.num_parameters) == (4 + 3 + 1, 2)
    assert LAYOUT.first_categorical is LAYOUT["c1"]
    assert LAYOUT.classifier is None
    _, values = LAYOUT.sample_parts(3_000, SEED)
    assert np.bincount(values["c1"]).min() > 900
    assert set(LAYOUT.posterior(tf.zeros((2, 2)))) == {"c2"}
    # Each row of a continuous code's traversal shows one label.
    rows = traversal_grid(LAYOUT, "c2", SEED).latents[:, 4:7].reshape(3, -1, 3)
    np.testing.assert_array_equal(rows.argmax(axis=-1), np.repeat(np.arange(3)[:, np.newaxis], rows.shape[1], axis=1))


def test_d_of_a_conditional_gan_is_told_the_label_by_projection():
    model = conditional_gan()
    # Vectors that are told apart from 0.
    model.label_embedding.set_weights([np.random.default_rng(1).normal(size=(3, 240)).astype(np.float32)])
    real = model.real_of((IMAGES, LABELS))
    latents = model.latents_for(real, SEED)
    np.testing.assert_array_equal(latents[:, 4:], np.eye(3)[LABELS])
    np.testing.assert_array_equal(latents[:, :4], model.layout.sample(6, SEED)[:, :4])

    def d(images):
        features = model.trunk(images).numpy().astype(np.float64)
        weight, bias = (np.float64(value) for value in model.d_head.get_weights())
        vectors = np.float64(model.label_embedding.get_weights()[0])[LABELS]
        return (features @ weight + bias)[:, 0] + (features * vectors).sum(axis=1)

    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    fake = model.generator(latents, training=True)
    at_real, at_fake = d(IMAGES.astype(np.float32) / 255.0), d(fake)
    total, figures = model.d_pass(real, fake, latents, SEED)
    assert float(total) == pytest.approx(softplus(-at_real).mean() + softplus(at_fake).mean(), rel=1e-4)
    assert float(figures["prob_real"]) == pytest.approx((1.0 / (1.0 + np.exp(-at_real))).mean(), rel=1e-4)
    total, _ = model.g_pass(real, fake, latents, SEED)
    assert float(total) == pytest.approx(softplus(-at_fake).mean(), rel=1e-4)


def test_a_conditional_gan_learns_from_images_with_labels_alone():
    model = conditional_gan(regularizers=[R1(0.1), GradientPenalty(0.1)], d_updates=2)
    before = model.label_embedding.get_weights()[0]
    history = model.fit(IMAGES, LABELS, batch_size=6, epochs=2, verbose=0)
    assert np.isfinite(history.history["d_loss"]).all()
    assert (model.label_embedding.get_weights()[0] != before).any(axis=1).all()
    found = model.evaluate(IMAGES, LABELS, verbose=0, return_dict=True)
    assert {"d_loss", "g_loss", "prob_real"} <= set(found)
    for data in (IMAGES, tf.data.Dataset.from_tensor_slices(IMAGES).batch(3)):
        with pytest.raises(ValueError, match="labels: expected those of the images"):
            model.fit(data, verbose=0)
    pairs = tf.data.Dataset.from_tensor_slices({"image": IMAGES, "label": LABELS}).batch(3)
    model.fit(pairs, verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_labels_may_lie_beside_the_images_in_a_dict_of_arrays(method):
    found = []
    for data in ((IMAGES, LABELS), ({"image": IMAGES, "label": LABELS},)):
        keras.utils.set_random_seed(0)
        model = conditional_gan()
        result = getattr(model, method)(*data)
        found.append(result.history["d_loss"] if method == "fit" else result)
    np.testing.assert_allclose(*found, rtol=1e-6)
    with pytest.raises(ValueError, match=r"labels: expected integers from 0 to below 3. Received: 3 among them"):
        getattr(conditional_gan(), method)({"image": IMAGES, "label": LABELS + 1})


@pytest.mark.parametrize("labels", [LABELS + 1, LABELS - 1], ids=["too many", "below 0"])
def test_labels_in_batches_are_looked_at_as_they_come(labels):
    batches = tf.data.Dataset.from_tensor_slices((IMAGES, labels)).batch(3)
    model = conditional_gan()
    model.jit_compile = False  # what XLA compiles checks nothing
    for method in (model.fit, model.evaluate):
        with pytest.raises(tf.errors.InvalidArgumentError, match="labels: expected integers from 0 to below 3"):
            method(batches, verbose=0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int64])
def test_labels_of_any_integers_are_known(dtype):
    code = LatentLayout.parse("noise:2,label:256").told
    known = code.known(tf.constant(np.arange(100), dtype))
    np.testing.assert_array_equal(known, np.eye(256, dtype=np.float32)[:100])


NO_LABELS = [
    ([0, 2, 2, 1, 0, 3], "integers from 0 to below 3. Received: 3 among them"),
    (LABELS - 1, "integers from 0 to below 3. Received: -1 among them"),
    (LABELS.astype(np.float32), "integers. Received: float32"),
    (LABELS[:, np.newaxis], r"shape \[N\]. Received: shape \[6, 1\]"),
    (np.eye(3)[LABELS], r"shape \[N\]. Received: shape \[6, 3\]"),
]


@pytest.mark.parametrize(("labels", "words"), NO_LABELS)
def test_labels_in_arrays_are_looked_at(labels, words):
    model = conditional_gan()
    for method in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match=f"^labels: expected {words}$"):
            method(IMAGES, labels)
    with pytest.raises(ValueError, match=f"^labels: expected {words}$"):
        model.fit(IMAGES, LABELS, validation_data=(IMAGES, labels))


def test_a_conditional_gan_is_saved_with_its_vectors(tmp_path):
    model = conditional_gan()
    model.fit(IMAGES, LABELS, batch_size=6, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    latents = model.layout.sample(4, SEED)
    np.testing.assert_array_equal(loaded.generate(latents), model.generate(latents))
    for one, other in zip(loaded.label_embedding.get_weights(), model.label_embedding.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_that_takes_labels_draws_and_serves_them(tmp_path):
    model = conditional_gan()
    exported = tf.saved_model.load(str(export_saved_model(model, tmp_path)))
    assert {"generate", "sample", "traverse"} <= set(exported.signatures)
    assert "encode" not in exported.signatures
    drawn = exported.signatures["sample"](count=tf.constant(5), seed=tf.constant(0), c1=tf.constant([2]))
    np.testing.assert_array_equal(drawn["c1"], [2] * 5)
    assert model.read_codes == ()


@pytest.mark.parametrize("latents", ["noise:4", "noise:4,label:3,label:3"])
def test_a_model_that_takes_labels_has_one(latents):
    with pytest.raises(UserError, match="--latents: expected one label, as in noise:62,label:10, for ConditionalGAN"):
        conditional_gan(latents)


def test_vectors_of_other_labels_are_refused():
    layout = LatentLayout.parse("noise:4,label:3")
    with pytest.raises(ValueError, match=r"label_embedding: expected \[B, 3\] to \[B, 240\]. Received: \(4, 240\)"):
        ConditionalGAN(layout, **mlp_networks(layout.width, 0, (8, 8, 1), num_labels=4))


def test_a_model_that_takes_none_refuses_them():
    with pytest.raises(UserError, match="--latents: expected no label, for InfoGAN"):
        make_model(latents="noise:4,cat:3,label:3")


def test_the_stream_gives_labels_with_their_images():
    images = np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1)
    labels = np.arange(50) % 7
    alone = list(stream(images, 8, seed=1, start_step=3).take(20))
    paired = list(stream(images, 8, seed=1, start_step=3, labels=labels).take(20))
    for (batch, its_labels), same in zip(paired, alone, strict=True):
        np.testing.assert_array_equal(batch, same)
        np.testing.assert_array_equal(its_labels, labels[batch.numpy().ravel()])
