"""The semi-supervised GAN: its loss against probabilities of K+1 classes, its layers, and what it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.errors import UserError
from infogan_tf.export import export_saved_model
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.semi_supervised_gan import SemiSupervisedGAN, semi_supervised_losses
from infogan_tf.networks.layers import batch_statistics
from infogan_tf.networks.noisy_mlp import Noise, WeightNormDense, noisy_mlp_networks

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 8, 8, 1), dtype=np.uint8)
LABELS = np.arange(12) % 3


def make(latents="noise:4,class:3", **kwargs):
    keras.utils.set_random_seed(0)
    layout = LatentLayout.parse(latents)
    networks = noisy_mlp_networks(layout.width, layout.num_parameters, (8, 8, 1), "float32")
    model = SemiSupervisedGAN(layout, *(networks[role] for role in ("generator", "trunk", "q_head")))
    model.compile(keras.optimizers.Adam(3e-3, beta_1=0.5), keras.optimizers.Adam(3e-3, beta_1=0.5), **kwargs)
    return model


def batches(images=IMAGES, labels=LABELS, count=1):
    known = tf.data.Dataset.from_tensors((images, labels))
    return tf.data.Dataset.zip((tf.data.Dataset.from_tensors(images), known)).repeat(count)


def test_the_losses_are_those_of_k_plus_1_classes():
    labelled, real, fake = (RNG.normal(size=(5, 4)) * 2 for _ in range(3))
    labels = np.array([0, 3, 1, 2, 2])

    def probabilities(logits):
        """Softmax over the K classes and one more, whose logit is 0."""
        exp = np.exp(np.concatenate([logits, np.zeros((len(logits), 1))], axis=1))
        return exp / exp.sum(axis=1, keepdims=True)

    found = semi_supervised_losses(*map(tf.constant, (labelled, labels, real, fake)))
    of_labelled = probabilities(labelled)
    given_real = of_labelled[np.arange(5), labels] / (1.0 - of_labelled[:, -1])
    assert float(found["labelled_loss"]) == pytest.approx(-np.log(given_real).mean(), rel=1e-6)
    expected = -0.5 * np.log(1.0 - probabilities(real)[:, -1]).mean() - 0.5 * np.log(probabilities(fake)[:, -1]).mean()
    assert float(found["unlabelled_loss"]) == pytest.approx(expected, rel=1e-6)


def test_a_class_is_read_and_not_drawn():
    layout = LatentLayout.parse("noise:4,class:3")
    assert (layout.width, layout.num_parameters, layout.codes) == (4, 3, ())
    assert [code.name for code in layout.read_codes] == ["c1"]
    assert layout.classifier is layout["c1"]
    latents = layout.sample(5, 0)
    assert latents.shape == (5, 4)
    assert layout.log_prob(tf.zeros((5, 3)), latents) == {}
    np.testing.assert_allclose(layout.posterior(tf.zeros((5, 3)))["c1"]["probabilities"], 1 / 3, rtol=1e-6)


def test_weight_norm_is_set_by_the_first_batch_and_then_learnt():
    layer = WeightNormDense(7)
    inputs = RNG.normal(2.0, 3.0, size=(200, 5)).astype(np.float32)
    before = layer(inputs).numpy()
    outputs = layer(inputs, training=True).numpy()
    np.testing.assert_allclose(outputs.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(outputs.std(axis=0), 1.0, rtol=1e-3)
    assert np.abs(before - outputs).max() > 0.1
    again = layer(inputs[:3] * 5.0, training=True).numpy()
    v, scale, bias = (np.float64(value) for value in (layer.kernel, layer.scale, layer.bias))
    np.testing.assert_allclose(again, scale * (inputs[:3] * 5.0 @ v) / np.linalg.norm(v, axis=0) + bias, rtol=1e-4)
    assert [weight.name for weight in layer.trainable_variables] == ["kernel", "bias"]


def test_weight_norm_is_set_by_the_first_part_of_a_batch():
    layer, inputs = WeightNormDense(7), RNG.normal(size=(300, 5)).astype(np.float32)
    inputs[100:] += 50.0
    with batch_statistics(parts=3):
        outputs = layer(inputs, training=True).numpy()[:100]
    np.testing.assert_allclose(outputs.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(outputs.std(axis=0), 1.0, rtol=1e-3)


def test_noise_is_of_its_size_another_each_time_and_absent_afterwards():
    keras.utils.set_random_seed(1)
    layer, other, zeros = Noise(0.5), Noise(0.5), np.zeros((2_000, 3), np.float32)
    first, second = layer(zeros, training=True).numpy(), layer(zeros, training=True).numpy()
    assert first.std() == pytest.approx(0.5, rel=0.05)
    assert np.abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1
    np.testing.assert_array_equal(layer(zeros), zeros)
    assert np.abs(np.corrcoef(first.ravel(), other(zeros, training=True).numpy().ravel())[0, 1]) < 0.1
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(Noise(0.5)(zeros, training=True), first)


def test_a_pass_that_does_not_count_has_noise_of_its_own():
    layer, zeros = Noise(0.5), np.zeros((600, 3), np.float32)
    with keras.StatelessScope(), batch_statistics(parts=2):
        for_g = layer(zeros, training=True).numpy()
    with batch_statistics(parts=3):
        for_d = layer(zeros, training=True).numpy()
    assert np.abs(np.corrcoef(for_g.ravel(), for_d.ravel())[0, 1]) < 0.1


def test_it_learns_the_labels_and_is_kept(tmp_path):
    images = np.stack([np.full((8, 8, 1), level, np.uint8) for level in (0, 120, 240)])[LABELS]
    model = make()
    history = model.fit(batches(images, count=80), verbose=0).history
    assert {"d_loss", "g_loss", "labelled_loss", "prob_real", "prob_fake"} <= set(history)
    assert (model.most_probable(images)["c1"] == LABELS).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    read = [each.encode(images)["c1"]["probabilities"] for each in (model, loaded)]
    np.testing.assert_array_equal(*read)
    exported = tf.saved_model.load(str(export_saved_model(model, tmp_path / "served"))).signatures
    assert "traverse" not in exported
    found = exported["encode"](images=tf.constant(images / 255.0, tf.float32))
    np.testing.assert_array_equal(found["c1_class"], LABELS)
    assert set(exported["sample"].structured_input_signature[1]) == {"count", "seed"}


def test_it_is_evaluated_as_it_reads_images():
    model = make()
    model.fit(batches(count=2), verbose=0)
    before = [variable.numpy() for variable in model.weights]
    found = model.evaluate(batches(), verbose=0, return_dict=True)
    assert set(found) == set(model.logged())
    of_labels = model.encode(IMAGES)["c1"]["probabilities"][np.arange(12), LABELS]
    assert found["labelled_loss"] == pytest.approx(-np.log(of_labels).mean(), rel=1e-4)
    assert found["d_loss"] > found["labelled_loss"]
    for variable, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    history = model.fit(batches(), validation_data=batches(), verbose=0).history
    assert {f"val_{name}" for name in found} <= set(history)


@pytest.mark.parametrize("data", [(IMAGES,), (IMAGES, LABELS), (tf.data.Dataset.from_tensors((IMAGES, LABELS)),)])
def test_images_without_labelled_ones_beside_them_are_refused(data):
    model = make(run_eagerly=True)
    for method in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match="labels: expected, in their place, a pair of further images and their"):
            method(*data, verbose=0)


def test_labels_of_labelled_images_are_looked_at():
    with pytest.raises(ValueError, match=r"^labels: expected integers from 0 to below 3. Received: 3 among them$"):
        make().fit(IMAGES, (IMAGES, LABELS + 1), verbose=0)


def test_averages_take_the_noise_along():
    model = make(average_decay=0.5)
    model.fit(batches(count=20), verbose=0)
    own = [variable.numpy() for variable in model.network_variables]
    with model.averaged():
        assert np.isfinite(model.generate(model.layout.sample(4, 0))).all()
    for variable, value in zip(model.network_variables, own, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_other_latents_are_refused():
    networks = noisy_mlp_networks(4, 3, (8, 8, 1), "float32")
    with pytest.raises(UserError, match="--latents: expected one class"):
        SemiSupervisedGAN("noise:4", *(networks[role] for role in ("generator", "trunk", "q_head")))
