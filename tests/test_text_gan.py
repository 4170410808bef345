"""The text-to-image GAN: its losses against sums by hand, what D is told, what it learns from, and what is served."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

from infogan_tf.errors import UserError
from infogan_tf.explorer.local_server import serving
from infogan_tf.explorer.rest import SavedModelRest
from infogan_tf.explorer.site import Site
from infogan_tf.export import export_saved_model
from infogan_tf.latents.captions import GRAMMARS
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.conditional_gan import ConditionalGAN
from infogan_tf.models.text_gan import TextGAN
from infogan_tf.networks.mlp import mlp_networks
from infogan_tf.objectives.interpolation import Interpolation
from infogan_tf.random import fold_in

sys.path.insert(0, str(ROOT / "export"))
import client

SEED = tf.constant([3, 5])
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
WORDS = RNG.integers(0, 3, (6, 5))


def text_gan(latents="noise:4,caption:sprites", **compile_arguments):
    """A compiled TextGAN on tiny images, its weights, and vectors of words that are told apart from 0, fixed."""
    keras.utils.set_random_seed(0)
    layout = LatentLayout.parse(latents)
    model = TextGAN(layout, **mlp_networks(layout.width, 0, (8, 8, 1), "float32", num_labels=15))
    model.label_embedding.set_weights([np.random.default_rng(1).normal(size=(15, 240)).astype(np.float32)])
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3), **compile_arguments)
    return model


def d(model, images, captions):
    """D's logits [B], computed by hand: the head's, and the sum of the words' vectors times the features."""
    features = model.trunk(images).numpy().astype(np.float64)
    weight, bias = (np.float64(value) for value in model.d_head.get_weights())
    vectors = np.asarray(captions, np.float64) @ model.label_embedding.get_weights()[0]
    return (features @ weight + bias)[:, 0] + (features * vectors).sum(axis=1)


def softplus(x):
    return np.log1p(np.exp(x))


def test_d_learns_that_a_caption_may_be_wrong():
    model = text_gan()
    real = model.real_of((IMAGES, WORDS))
    np.testing.assert_array_equal(real.conditions, np.eye(3)[WORDS].reshape(6, 15))
    latents = model.latents_for(real, SEED)
    np.testing.assert_array_equal(latents[:, :4], model.layout.sample(6, SEED)[:, :4])
    said = latents[:, 4:].numpy()
    assert (said <= real.conditions.numpy()).all()
    assert 0 < said.sum() < 30

    fake = model.generator(latents, training=True)
    total, figures = model.d_pass(real, fake, latents, SEED)
    wrong = model.layout.told.wrong_for(real.conditions, fold_in(SEED, 9)).numpy()
    at_real, at_wrong, at_fake = d(model, real.images, said), d(model, real.images, wrong), d(model, fake, said)
    expected = softplus(-at_real).mean() + (softplus(at_wrong).mean() + softplus(at_fake).mean()) / 2
    assert float(total) == float(figures["d_loss"]) == pytest.approx(expected, rel=1e-4)
    assert float(figures["prob_wrong"]) == pytest.approx((1.0 / (1.0 + np.exp(-at_wrong))).mean(), rel=1e-4)
    total, _ = model.g_pass(real, fake, latents, SEED)
    assert float(total) == pytest.approx(softplus(-at_fake).mean(), rel=1e-4)


@pytest.mark.parametrize(("name", "pairs"), [("hinge", False), ("relativistic", True)])
def test_other_losses_count_wrong_captions_half_too(name, pairs):
    model = text_gan(adversarial_loss=name)
    real = model.real_of((IMAGES, WORDS))
    latents = model.latents_for(real, SEED)
    said, fake = latents[:, 4:].numpy(), model.generator(latents, training=True)
    wrong = model.layout.told.wrong_for(real.conditions, fold_in(SEED, 9)).numpy()
    at_real, others = d(model, real.images, said), [d(model, real.images, wrong), d(model, fake, said)]
    if pairs:
        expected = np.mean([softplus(each - at_real).mean() for each in others])
    else:
        expected = np.maximum(0, 1 - at_real).mean() + np.mean([np.maximum(0, 1 + each).mean() for each in others])
    assert float(model.d_pass(real, fake, latents, SEED)[0]) == pytest.approx(expected, rel=1e-4)


def test_interpolation_asks_for_images_between_two_captions():
    model = text_gan(regularizers=[Interpolation(0.5)])
    real = model.real_of((IMAGES, WORDS))
    latents = model.latents_for(real, SEED).numpy()
    fake = model.generator(latents, training=True)
    before = [variable.numpy() for variable in model.network_variables]
    total, figures = model.g_pass(real, fake, latents, SEED)
    said = latents[:, 4:]
    between = (said + said[[5, 0, 1, 2, 3, 4]]) / 2
    drawn = model.generator(np.concatenate([latents[:, :4], between], axis=1))
    expected = softplus(-d(model, drawn, between)).mean()
    assert float(figures["g_interpolation"]) == pytest.approx(expected, rel=1e-4)
    assert float(total) == pytest.approx(softplus(-d(model, fake, said)).mean() + 0.5 * expected, rel=1e-4)
    for value, variable in zip(before, model.network_variables, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_interpolation_is_of_labels_too():
    keras.utils.set_random_seed(0)
    layout = LatentLayout.parse("noise:4,label:3")
    model = ConditionalGAN(layout, **mlp_networks(layout.width, 0, (8, 8, 1), "float32", num_labels=3))
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3), regularizers=[Interpolation(1.0)])
    history = model.fit(IMAGES, WORDS[:, 0], batch_size=6, verbose=0).history
    assert np.isfinite(history["g_interpolation"]).all()


def test_it_learns_from_images_with_words_alone():
    model = text_gan(regularizers=[Interpolation(1.0)], d_updates=2)
    before = model.label_embedding.get_weights()[0]
    history = model.fit(IMAGES, WORDS, batch_size=6, epochs=2, verbose=0).history
    assert {"d_loss", "prob_wrong", "g_interpolation"} <= set(history)
    assert np.isfinite(history["d_loss"]).all()
    assert (model.label_embedding.get_weights()[0] != before).any(axis=1).all()
    found = model.evaluate(IMAGES, WORDS, verbose=0, return_dict=True)
    assert {"d_loss", "prob_wrong"} <= set(found)
    with pytest.raises(ValueError, match="labels: expected those of the images"):
        model.fit(IMAGES, verbose=0)


def test_it_is_saved_with_its_terms(tmp_path):
    model = text_gan(regularizers=[Interpolation(0.5)])
    model.fit(IMAGES, WORDS, batch_size=6, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    latents = model.layout.sample(4, SEED)
    np.testing.assert_array_equal(loaded.generate(latents), model.generate(latents))
    assert loaded.regularizers[0].get_config()["weight"] == 0.5


@pytest.mark.parametrize("latents", ["noise:4", "noise:4,label:3"])
def test_it_has_a_caption(latents):
    with pytest.raises(
        UserError, match=r"--latents: expected (one caption, as in noise:100,caption:sprites|no label), "
    ):
        text_gan(latents)


def test_a_step_is_compiled_by_xla_as_well():
    model = text_gan(regularizers=[Interpolation(1.0)], jit_compile=True)
    assert np.isfinite(model.fit(IMAGES, WORDS, batch_size=6, verbose=0).history["d_loss"]).all()


def test_the_client_asks_in_words(tmp_path):
    served = SavedModelRest(export_saved_model(text_gan(), tmp_path / "infogan"))
    with serving(Site(served, "captions").answer) as url, client.connect(url) as asked:
        drawn = asked.sample(3, caption="a small heart, top left")
        assert drawn["caption"].tolist() == [b"a small heart, top left"] * 3
        assert asked.sample(2)["images"].shape == (2, 8, 8, 1)
        assert asked.generate(np.zeros((2, 4)), caption=["a heart", "a square, top"]).shape == (2, 8, 8, 1)
        with pytest.raises(client.Refused, match="caption: expected captions with one word at most of each"):
            asked.sample(1, caption="a blue heart")
        with pytest.raises(client.ClientError, match="traverse: expected a model with codes that vary"):
            asked.traverse("caption")
        assert client.codes_of(["--caption", "a heart"], asked.metadata) == {"caption": "a heart"}
        assert "caption" in client.describe(asked.metadata)


def test_it_serves_captions_as_text(tmp_path):
    model = text_gan()
    signatures = tf.saved_model.load(str(export_saved_model(model, tmp_path))).signatures
    assert set(signatures) == {"serving_default", "generate", "generate_png", "sample", "describe"}
    texts = ["a small heart, top left", "Heart; large"]
    noise = RNG.uniform(-1, 1, (2, 4)).astype(np.float32)
    drawn = signatures["generate"](noise=tf.constant(noise), caption=tf.constant(texts))["images"]
    numbers = list(map(GRAMMARS["sprites"].read, texts))
    np.testing.assert_allclose(drawn, model.generate(model.layout.join(noise, {"caption": numbers})), atol=1e-5)
    found = signatures["sample"](count=tf.constant(3), seed=tf.constant(0), caption=tf.constant(texts[:1]))
    assert found["caption"].numpy().tolist() == [b"a small heart, top left"] * 3
    found = signatures["sample"](count=tf.constant(3), seed=tf.constant(0), caption=tf.constant([], tf.string))
    expected = model.layout.sample_parts(3, 0)[1]["caption"].numpy()
    assert [text.decode() for text in found["caption"].numpy()] == list(map(GRAMMARS["sprites"].write, expected))
    with pytest.raises(tf.errors.InvalidArgumentError, match="caption: expected captions"):
        signatures["generate"](noise=tf.constant(noise), caption=tf.constant(["a heart", "a car"]))
