"""A label is a kind of code: drawn, varied, exported as one, and never read back."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model

from infogan_tf.data.stream import stream
from infogan_tf.errors import UserError
from infogan_tf.export import export_saved_model
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.latents.traversal import traversal_grid
from infogan_tf.models.gan import GAN
from infogan_tf.networks.paper import paper_networks

LAYOUT = LatentLayout.parse("noise:4,label:3,uniform:1")
SEED = tf.constant([3, 5])


class Labelled(GAN):
    """A GAN whose generator is told labels; what it does with those of real images is no matter here."""

    TAKES_LABELS = True


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


def test_a_model_that_takes_labels_draws_and_serves_them(tmp_path):
    layout = LatentLayout.parse("noise:4,label:3")
    model = Labelled(layout, **paper_networks(layout.width, 0, (8, 8, 1), "float32"))
    model.compile("adam", "adam")
    exported = tf.saved_model.load(str(export_saved_model(model, tmp_path)))
    assert {"generate", "sample", "traverse"} <= set(exported.signatures)
    assert "encode" not in exported.signatures
    drawn = exported.signatures["sample"](count=tf.constant(5), seed=tf.constant(0), c1=tf.constant([2]))
    np.testing.assert_array_equal(drawn["c1"], [2] * 5)
    assert model.read_codes == ()


def test_a_model_that_takes_none_refuses_them():
    with pytest.raises(UserError, match="--latents: InfoGAN is told no labels"):
        make_model(latents="noise:4,cat:3,label:3")


def test_the_stream_gives_labels_with_their_images():
    images = np.arange(50, dtype=np.uint8).reshape(50, 1, 1, 1)
    labels = np.arange(50) % 7
    alone = list(stream(images, 8, seed=1, start_step=3).take(20))
    paired = list(stream(images, 8, seed=1, start_step=3, labels=labels).take(20))
    for (batch, its_labels), same in zip(paired, alone, strict=True):
        np.testing.assert_array_equal(batch, same)
        np.testing.assert_array_equal(its_labels, labels[batch.numpy().ravel()])
