"""Attributes in the noise that an encoder reads: their directions, how well z tells them, and what is shown of them."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from test_vae import make

from infogan_tf.data.images import ImageData, Split
from infogan_tf.evaluation.groups import noise_association
from infogan_tf.evaluation.material import Material, Setting
from infogan_tf.evaluation.metrics.directions import correlations, mean_directions, unlike
from infogan_tf.evaluation.record import read_evaluation
from infogan_tf.evaluation.result import Evaluation, attempt
from infogan_tf.files import as_json
from infogan_tf.models.vae import ConditionalVAE
from infogan_tf.reports.run_page import _directions

RNG = np.random.default_rng(0)


def test_a_direction_leads_from_the_mean_without_to_the_mean_with():
    codes = RNG.normal(size=(50, 3))
    truths = RNG.integers(-1, 2, (50, 4))
    truths[:, 3] = np.where(np.arange(50) < 2, 1, -1)
    found = mean_directions(codes, truths)
    for a in range(3):
        expected = codes[truths[:, a] == 1].mean(axis=0) - codes[truths[:, a] == 0].mean(axis=0)
        np.testing.assert_allclose(found[a], expected, rtol=1e-12)
    assert np.isnan(found[3]).all()  # nobody is known to be without it
    least = int((truths[:, 0] == 1).sum())
    assert np.isfinite(mean_directions(codes, truths, min(least, int((truths[:, 0] == 0).sum())))[0]).all()
    assert np.isnan(mean_directions(codes, truths, least + 1)[0]).all()


def test_attributes_are_ranked_by_their_correlation_with_z_along_the_direction():
    codes, truths = RNG.normal(size=(60, 3)), RNG.integers(-1, 2, (60, 2))
    directions = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    known = truths[:, 0] >= 0
    expected = stats.pearsonr(codes[known] @ directions[0], truths[known, 0]).statistic
    np.testing.assert_allclose(correlations(codes, truths, directions), [expected, 0.0], atol=1e-12)


def test_of_directions_that_are_alike_the_strongest_is_shown():
    directions = np.array([[1.0, 0.0, 0.0], [2.0, 0.1, 0.0], [-3.0, 0.0, 0.2], [0.0, 0.5, 0.0], [0, 0, 0], [0, 0, 9]])
    assert unlike(directions, np.array([0.7, 0.9, 0.8, 0.6, 1.0, 0.5]), 5) == [1, 3, 5]
    assert unlike(directions, np.array([0.7, 0.9, 0.8, 0.6, 1.0, 0.5]), 2) == [1, 3]


def material(labels=False, attributes=True):
    """Images of one brightness each; an encoder that reads it as the first column of z, and nothing as the second."""
    levels = np.arange(200)
    images = np.broadcast_to(levels[:, None, None, None].astype(np.uint8), (200, 8, 8, 1))
    known = np.stack([levels >= 100, (levels % 7 == 0) | (levels > 150), levels >= 197], axis=1).astype(np.int8)
    model = make(ConditionalVAE, "normal_noise:2,label:3", 5) if labels else make()
    model.encode = lambda images: {
        "noise": {"mean": np.stack([images[:, 0, 0, 0] / 100.0, np.sin(images[:, 0, 0, 0] * 9.0)], axis=1)}
    }
    splits = [
        Split(images[part::2], levels[part::2] % 3 if labels else None, known[part::2] if attributes else None)
        for part in (0, 1)
    ]
    names = ("bright", "mixed", "rare") if attributes else ()
    data = ImageData("levels", *splits, attribute_names=names, notes=("of levels",))
    return Material(model, data, Setting("quick", images=150, votes=(10, 10)))


def measured(of):
    found = Evaluation("quick", 1)
    attempt("Noise against attributes", noise_association, of, found)
    return found


def test_attributes_are_told_along_their_directions(tmp_path):
    of = material()
    found = measured(of)
    assert found.associations["names"] == ["bright", "mixed"]  # of the third too few images are known
    assert found.associations["columns"] == ["z"]
    z, truths = of.test_posterior["noise"]["mean"], of.data.test.attributes
    expected = [roc_auc_score(truths[:, a], z @ of.directions[name]) for a, name in enumerate(("bright", "mixed"))]
    np.testing.assert_allclose(np.ravel(found.associations["auc"]), expected, atol=1e-4)
    assert found.figures["attribute_auc/z"] == pytest.approx(expected[0])
    assert expected[0] == 1.0
    assert 0.5 < expected[1] < 1.0
    assert "100 training images, AUC on 100 others" in found.notes[1]
    path = tmp_path / "evaluation.json"
    path.write_text(as_json(found.to_json()))
    assert read_evaluation(path, {}) == found


@pytest.mark.parametrize("labels", [False, True])
def test_attributes_are_added_to_test_images_and_taken_away(labels):
    of = material(labels)
    shown = _directions(of, measured(of))[0]
    assert shown.rows[:4] == ["image", "decoded", "- bright", "+ bright"]
    z, told = of.test_posterior["noise"]["mean"][:10], of.data.test.labels[:10] if labels else None
    expected = of.model.decode(z - of.directions["bright"], told)
    third = shown.picture[1 + 2 * 9 : 1 + 2 * 9 + 8].reshape(8, -1)[:, 1:].reshape(8, 10, 9)[:, :, :8].swapaxes(0, 1)
    np.testing.assert_array_equal(third, np.round(expected[..., 0] * 255))


def test_without_attributes_nothing_is_shown():
    of = material(labels=True, attributes=False)
    found = measured(of)
    assert found.associations["names"] == ["label 0", "label 1", "label 2"]
    assert _directions(of, found) == []
    of.data = ImageData("levels", *(Split(split.images) for split in (of.data.train, of.data.test)))
    assert measured(of).associations == {}


def test_where_too_few_images_are_known_one_line_says_so():
    of = material()
    of.data.train.attributes[:] = 1
    found = measured(of)
    assert found.associations == {}
    told = "Noise against attributes: not measured; no attribute is known that 10 training images have and as many have"
    assert found.notes == [f"{told} not."]
