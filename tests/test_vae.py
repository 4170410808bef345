"""The VAE: its bound against closed forms and quadrature, its training, and what it serves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, stats

from infogan_tf.errors import UserError
from infogan_tf.export import export_saved_model
from infogan_tf.models.vae import VAE, ConditionalVAE
from infogan_tf.networks.mlp import mlp_networks
from infogan_tf.objectives.likelihood import bernoulli_log_likelihood, gaussian_divergence

SEED = tf.constant([3, 5])
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
LABELS = np.array([0, 2, 2, 1, 0, 2])


def make(kind=VAE, latents="normal_noise:2", width=2):
    """A compiled VAE on tiny images."""
    keras.utils.set_random_seed(0)
    networks = mlp_networks(width, 4, (8, 8, 1), "float32")
    model = kind(latents, *(networks[role] for role in ("generator", "trunk", "q_head")))
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def test_the_divergence_is_that_of_the_densities():
    mean, log_variance = np.float32([[0.3, -1.0], [0.0, 0.0]]), np.float32([[-0.5, 0.8], [0.0, 0.0]])

    def kl(m, v):
        q, p = stats.norm(m, np.exp(v / 2)), stats.norm()
        return integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -15, 15)[0]

    expected = [sum(kl(m, v) for m, v in zip(*row, strict=True)) for row in zip(mean, log_variance, strict=True)]
    np.testing.assert_allclose(gaussian_divergence(mean, log_variance), expected, atol=1e-5)
    assert expected[1] == pytest.approx(0.0, abs=1e-9)


def test_the_likelihood_of_grey_pixels_is_the_expectation_over_binary_ones():
    images, p = np.float32([0.0, 1.0, 0.25]), np.float32([0.1, 0.9, 0.5])
    shape = (1, 1, 3, 1)
    binary = stats.bernoulli(p)
    expected = (1 - images) * binary.logpmf(0) + images * binary.logpmf(1)
    found = bernoulli_log_likelihood(images.reshape(shape), p.reshape(shape))
    np.testing.assert_allclose(found, [expected.sum()], rtol=1e-5)
    # Also of a decoder that is sure and wrong.
    assert np.isfinite(bernoulli_log_likelihood(np.ones(shape), np.zeros(shape))).all()


def test_the_bound_is_exact_where_the_posterior_is_the_true_one():
    model = make()
    # A decoder that ignores z, and an encoder that says the prior of every image: the ELBO is log p(x).
    for network in (model.generator, model.q_head):
        for weight in network.trainable_variables:
            weight.assign(tf.zeros_like(weight))
    reconstruction, kl = model.bounds(IMAGES, SEED)
    np.testing.assert_allclose(kl, 0.0, atol=1e-6)
    np.testing.assert_allclose(reconstruction, 64 * np.log(0.5), rtol=1e-5)


def test_the_bound_is_below_the_log_likelihood():
    model = make()
    rng = np.random.default_rng(1)
    for weight in model.q_head.trainable_variables:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    # log p(x) = log E_z[p(x|z)] on a grid of z, which has two columns.
    line = np.linspace(-6, 6, 201)
    z = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2).astype(np.float32)
    images = IMAGES[:1].astype(np.float32) / 255.0
    log_p = bernoulli_log_likelihood(images, model.generate(z)).numpy().astype(np.float64)
    log_prior = stats.norm.logpdf(z).sum(axis=1) + 2 * np.log(line[1] - line[0])
    exact = np.logaddexp.reduce(log_p + log_prior)
    bounds = [np.subtract(*model.bounds(images, tf.constant([i, 0]))) for i in range(200)]
    assert np.mean(bounds) < exact
    # What is missing is KL(q(z|x) || p(z|x)).
    posterior = model.encode(images)["noise"]
    q = stats.norm(posterior["mean"][0], posterior["stddev"][0]).logpdf(z).sum(axis=1) + 2 * np.log(line[1] - line[0])
    gap = (np.exp(q) * (q - (log_p + log_prior - exact))).sum()
    assert exact - np.mean(bounds) == pytest.approx(gap, abs=4 * np.std(bounds) / np.sqrt(200))


@pytest.mark.parametrize(
    ("kind", "latents", "width"), [(VAE, "normal_noise:2", 2), (ConditionalVAE, "normal_noise:2,label:3", 5)]
)
def test_training_raises_the_bound_and_is_kept(kind, latents, width, tmp_path):
    model = make(kind, latents, width)
    before = model.evaluate(IMAGES, LABELS, verbose=0, return_dict=True)
    history = model.fit(IMAGES, LABELS, batch_size=6, epochs=30, verbose=0).history
    assert history["elbo"][-1] > history["elbo"][0] + 1
    np.testing.assert_allclose(history["elbo"], np.subtract(history["reconstruction"], history["kl"]), rtol=1e-4)
    assert model.evaluate(IMAGES, LABELS, verbose=0, return_dict=True)["elbo"] > before["elbo"] + 1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for found, kept in zip(
        loaded.encode(IMAGES)["noise"].values(), model.encode(IMAGES)["noise"].values(), strict=True
    ):
        np.testing.assert_array_equal(found, kept)


def test_a_conditional_vae_decodes_the_label_that_it_is_told():
    model = make(ConditionalVAE, "normal_noise:2,label:3", 5)
    np.testing.assert_array_equal(model.real_of((IMAGES, LABELS)).conditions, np.eye(3)[LABELS])
    z = model.encode(IMAGES)["noise"]["mean"]
    expected = model.generate(np.concatenate([z, np.eye(3, dtype=np.float32)[LABELS]], axis=1))
    np.testing.assert_array_equal(model.reconstruct(IMAGES, LABELS), expected)
    assert not np.array_equal(model.reconstruct(IMAGES, (LABELS + 1) % 3), expected)
    told, otherwise = (model.bounds((IMAGES, labels), SEED)[0] for labels in (LABELS, (LABELS + 1) % 3))
    assert not np.array_equal(told, otherwise)
    # The encoder reads images alone.
    assert model.encode(IMAGES)["noise"]["mean"].shape == (6, 2)


@pytest.mark.parametrize("labels", [LABELS + 3, LABELS.astype(np.float32), LABELS[:, np.newaxis]])
def test_a_conditional_vae_decodes_no_other_labels(labels):
    model = make(ConditionalVAE, "normal_noise:2,label:3", 5)
    for decode in (model.reconstruct, lambda images, labels: model.decode(np.zeros((6, 2), np.float32), labels)):
        with pytest.raises(ValueError, match=r"^labels: expected .*Received: .*$"):
            decode(IMAGES, labels)


def test_what_is_exported_encodes_and_reconstructs(tmp_path):
    model = make(ConditionalVAE, "normal_noise:2,label:3", 5)
    exported = tf.saved_model.load(str(export_saved_model(model, tmp_path))).signatures
    images = tf.constant(IMAGES / 255.0, tf.float32)
    read = exported["encode"](images=images)
    own = model.encode(IMAGES)["noise"]
    np.testing.assert_allclose(read["noise_mean"], own["mean"], atol=1e-5)
    np.testing.assert_allclose(read["noise_stddev"], own["stddev"], atol=1e-5)
    found = exported["reconstruct"](images=images, c1=tf.constant(LABELS, tf.int32))["images"]
    latents = np.concatenate([own["mean"], np.eye(3, dtype=np.float32)[LABELS]], axis=1)
    np.testing.assert_allclose(found, model.generate(latents), atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="c1: expected classes from 0 to 2"):
        exported["reconstruct"](images=images, c1=tf.constant([0, 1, 2, 3, 0, 0], tf.int32))


@pytest.mark.parametrize(("latents", "wanted"), [("noise:2", "normal noise"), ("normal_noise:2,cat:3", "no codes")])
def test_other_latents_are_refused(latents, wanted):
    with pytest.raises(UserError, match=f"--latents: expected {wanted}.*for VAE"):
        make(VAE, latents, 2 if "," not in latents else 5)
