"""What is measured of samples in a network's features, and how each figure says in which."""

import dataclasses

import numpy as np
import pytest
import stand_in_inception as stand_in
from test_measure import COUNT, Model, bars

from infogan_tf.data.images import Split
from infogan_tf.evaluation.feature_networks import FeatureNetwork, inception, label_free
from infogan_tf.evaluation.figures import title_of
from infogan_tf.evaluation.groups import published_quality, sample_quality
from infogan_tf.evaluation.material import Material, Setting
from infogan_tf.evaluation.measure import measure
from infogan_tf.evaluation.metrics.sample_quality import feature_statistics, frechet_distance, kernel_distance
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.evaluation.sample_figures import compare, measure_samples


def pixels(classes):
    """A network whose features are four pixels, and which is sure of a class by the first."""

    def read(images):
        values = np.asarray(images).reshape(len(images), -1)[:, :4]
        return values, np.eye(2)[(values[:, 0] > 0.5).astype(int)] if classes else None

    return FeatureNetwork("four pixels", read)


def pictures(seed, count):
    return np.random.default_rng(seed).uniform(0, 1, (count, 2, 2, 1)).astype(np.float32)


def test_figures_are_those_of_the_features_and_name_them():
    real, fake, test = pictures(0, 60), 0.8 * pictures(1, 50), pictures(2, 40)
    found = Evaluation("quick", 1)
    measure_samples(compare(pixels(True), real, fake, test), found)
    flat = [images.reshape(len(images), -1).astype(np.float64) for images in (real, fake, test)]
    of_real, of_fake, of_test = map(feature_statistics, flat)
    assert found.figures["fid"] == pytest.approx(frechet_distance(of_real, of_fake), rel=1e-5)
    assert found.figures["fid/real test images"] == pytest.approx(frechet_distance(of_real, of_test), rel=1e-5)
    assert found.figures["kid"] == pytest.approx(kernel_distance(*flat[:2], seed=0)["kid"], rel=1e-4)
    assert found.stderrs["kid"] > 0
    assert 1.0 < found.figures["inception_score"] <= 2.0
    assert {"precision", "recall", "density", "coverage"} < set(found.figures)
    assert found.features == {"": "four pixels"}
    assert found.notes == [
        "FID, KID, precision, recall, density, coverage: 50 generated against 60 training images; features: four "
        "pixels; the last four with k = 5 nearest neighbours.",
        "The FID of real test images is that of 40 of them.",
    ]


def test_figures_in_another_network_have_its_name_beside_the_others():
    real, fake, test = pictures(0, 60), pictures(1, 60), pictures(2, 60)
    found, own, other = Evaluation("full", 1), Evaluation("full", 1), Evaluation("full", 1)
    measure_samples(compare(pixels(True), real, fake, test), found)
    measure_samples(compare(pixels(True), real, fake, test, "inception-2015"), found)
    measure_samples(compare(pixels(True), real, fake, test), own)
    assert {name: found.figures[name] for name in own.figures} == own.figures
    measure_samples(compare(pixels(True), real, fake, test, "inception-2015"), other)
    assert {name: found.figures[name] for name in other.figures} == other.figures
    assert found.figures["fid/inception-2015"] == found.figures["fid"]
    assert found.figures["fid/real test images, inception-2015"] == found.figures["fid/real test images"]
    assert title_of("fid/inception-2015") == "FID, inception-2015"
    assert set(found.features) == {"", "inception-2015"}


def test_a_network_without_classes_has_no_inception_score():
    found = Evaluation("quick", 1)
    measure_samples(compare(pixels(False), pictures(0, 60), pictures(1, 60)), found)
    assert "inception_score" not in found.figures
    assert "fid" in found.figures
    assert "fid/real test images" not in found.figures
    (note,) = (note for note in found.notes if note.startswith("Inception score"))
    assert note.endswith("not measured; it needs class probabilities. Received: features of four pixels.")


@pytest.mark.parametrize(("count", "tests"), [(4, 60), (60, 4)])
def test_fewer_images_than_features_have_a_kid_alone(count, tests):
    found = Evaluation("quick", 1)
    measure_samples(compare(pixels(False), pictures(0, 60), pictures(1, count), pictures(2, tests)), found)
    assert "kid" in found.figures
    assert ("fid" in found.figures) == (count > 4)
    assert "fid/real test images" not in found.figures
    title, which = ("FID", "generated and training") if count == 4 else ("FID of real test images", "test")
    (note,) = (note for note in found.notes if note.startswith("FID") and "not measured" in note)
    assert note.startswith(f"{title}: not measured")
    assert f"expected more {which} images than the network has features, 4" in note
    assert "Received: 4. KID" in note


# === Of a model ===


@pytest.fixture
def own_images(tmp_path, monkeypatch):
    """Bars without labels as images of one's own, and a cache with the stand-in for Inception; nothing is trained."""
    monkeypatch.setattr(label_free, "_train", lambda model, images: None)
    (tmp_path / inception.FILE).write_bytes(stand_in.graph().SerializeToString())
    data = bars()
    train, test = Split(data.train.images), Split(data.test.images)
    return dataclasses.replace(data, train=train, test=test, own=True), tmp_path


@pytest.mark.parametrize("published", [False, True])
def test_a_full_evaluation_adds_the_figures_that_compare_with_published_ones(own_images, published):
    data, cache = own_images
    material = Material(Model(), data, Setting("full", COUNT, (10, 10), published), cache)
    found = Evaluation("full", 1)
    sample_quality(material, found)
    assert found.features[""].startswith("a network trained without labels on the images of bars")
    own = dict(found.figures)
    assert {"fid", "kid", "recall"} < set(own)
    published_quality(material, found)
    added = {name: value for name, value in found.figures.items() if name not in own}
    if not published:
        assert not added
        return
    assert own.items() < found.figures.items()
    assert set(added) == {
        f"{metric}/inception-2015"
        for metric in ("fid", "kid", "inception_score", "precision", "recall", "density", "coverage")
    }
    network = inception.inception_features(cache)
    statistics = [feature_statistics(network(images)[0]) for images in (material.training_sample, material.images)]
    assert added["fid/inception-2015"] == pytest.approx(frechet_distance(*statistics))
    assert found.features["inception-2015"] == inception.NAME
    assert [note for note in found.notes if "named inception-2015: 300 generated against 300 training images" in note]


def test_where_it_cannot_be_had_all_else_is_measured(own_images):
    data, cache = own_images
    (cache / inception.FILE).unlink()
    material = Material(Model(), data, Setting("full", COUNT, (10, 10), True), cache)
    found = measure(material, 1)
    assert "fid" in found.figures
    assert not [name for name in found.figures if "inception-2015" in name]
    (note,) = (note for note in found.notes if note.startswith("Published features: not measured; no Inception in"))
    assert "Connection refused" in note
    assert "curl -L" in note
