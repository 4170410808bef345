"""The networks in whose features samples are measured."""

import contextlib
import dataclasses
import io
import random

import keras
import numpy as np
import pytest

from infogan_tf.data import load_data
from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation import feature_networks as features
from infogan_tf.evaluation.feature_networks import classifier_features, feature_network, inception_features
from infogan_tf.evaluation.metrics.sample_quality import feature_statistics, frechet_distance


def small_data(count=512, size=8, channels=1, name="small"):
    """Four classes: which quarter of a noisy image is bright."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, count)
    images = rng.integers(0, 120, (count, size, size, channels), dtype=np.uint8)
    half = size // 2
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(label, 2)
        image[row * half :][:half, column * half :][:, :half] += 100
    split = count // 2
    return ImageData(name, Split(images[:split], labels[:split]), Split(images[split:], labels[split:]))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder with a trained classifier of small_data(), its file, and what it says of the test images."""
    folder, printed = tmp_path_factory.mktemp("kept"), io.StringIO()
    with contextlib.redirect_stdout(printed):
        read = classifier_features(small_data(), folder)(small_data().test.images)
    assert "samples of small are measured: once" in printed.getvalue()
    (file,) = folder.iterdir()
    return folder, file, read


def no_training(model, data):
    pytest.fail("it trained again")


def test_digits_are_classified():
    data = load_data("digits")
    network = feature_network(data)
    read, probabilities = network(data.test.images)
    assert read.shape == (360, 128)
    assert probabilities.shape == (360, 10)
    assert read.dtype == probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    accuracy = np.mean(probabilities.argmax(axis=1) == data.test.labels)
    assert accuracy > 0.95
    assert network.name == f"a classifier of digits with a test accuracy of {accuracy:.2%}"


def test_it_is_trained_once(kept, monkeypatch, capsys):
    folder, file, expected = kept
    assert file.name.startswith("classifier_small_")
    capsys.readouterr()
    monkeypatch.setattr(features, "_train", no_training)
    found = classifier_features(small_data(), folder)(small_data().test.images)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert capsys.readouterr().out == ""


def test_training_is_repeatable_and_apart_from_all_global_state(kept, tmp_path):
    expected = kept[2]
    keras.utils.set_random_seed(7)
    drawn = [random.random(), np.random.random(), keras.random.uniform((2,)).numpy().tolist()]
    keras.utils.set_random_seed(7)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = classifier_features(small_data(), tmp_path)(small_data().test.images)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(found[0], expected[0])
    assert [random.random(), np.random.random(), keras.random.uniform((2,)).numpy().tolist()] == drawn


def test_an_image_reads_the_same_in_any_company(kept):
    network = classifier_features(small_data(), kept[0])
    images = small_data().test.images
    for company in (images[:1], images[:3], np.concatenate([images[:1], 255 - images])):
        np.testing.assert_allclose(network(company)[0][0], kept[2][0][0], atol=1e-5)
    in_batches = dataclasses.replace(network, batch_size=100)(images)
    np.testing.assert_allclose(in_batches[0], kept[2][0], atol=1e-5)
    np.testing.assert_allclose(network(images / np.float32(255))[0], kept[2][0], atol=1e-5)
    with pytest.raises(ValueError, match=r"images: expected at least one\. Received: images=\(0, 8, 8, 1\)"):
        network(images[:0])


def test_other_data_has_another_classifier(kept):
    folder, file, _ = kept
    data = small_data()
    others = [
        dataclasses.replace(data, train=Split(data.train.images[::-1], data.train.labels)),
        dataclasses.replace(data, train=Split(data.train.images, data.train.labels[::-1])),
        dataclasses.replace(data, test=Split(data.test.images, data.test.labels[::-1])),
        small_data(name="../odd name"),
    ]
    names = {features._kept_path(other, folder) for other in [data, *others]}
    assert len(names) == 5
    assert file in names
    assert {path.parent for path in names} == {folder}


@pytest.mark.parametrize("damage", [lambda whole: whole[:-200], lambda whole: b"", lambda whole: b"not weights"])
def test_a_damaged_file_is_trained_anew(kept, tmp_path, monkeypatch, capsys, damage):
    _, file, _ = kept
    copy = tmp_path / file.name
    copy.write_bytes(damage(file.read_bytes()))
    trained = []
    monkeypatch.setattr(features, "_train", lambda model, data: trained.append(data.name))
    for _ in ("damaged", "whole again"):
        classifier_features(small_data(), tmp_path)
    assert trained == ["small"]
    assert f"The kept classifier {copy} cannot be read" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_said_in_a_line(kept, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(features, "_train", lambda model, data: None)
    (tmp_path / "file").write_text("")
    classifier_features(small_data(), tmp_path / "file" / "folder")
    assert "The classifier could not be kept" in capsys.readouterr().out.splitlines()[-1]


def test_it_is_kept_with_the_users_other_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert features._kept_path(small_data(), None).parent == tmp_path / "infogan_tf"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert features._kept_path(small_data(), None).parent == tmp_path / ".cache" / "infogan_tf"


def test_a_bad_classifier_of_mnist_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "_train", lambda model, data: None)
    for _ in ("new", "kept"):
        with pytest.raises(NotMeasuredError, match=r"of mnist: expected a test accuracy of 99\.0% .*Received: \d+"):
            classifier_features(small_data(name="mnist"), tmp_path)


def test_images_without_labels_are_refused():
    data = small_data()
    data = dataclasses.replace(data, train=Split(data.train.images), test=Split(data.test.images))
    with pytest.raises(NotMeasuredError, match=r"network of small: expected labels of both splits, .*Received: none"):
        feature_network(data)


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (12, 3), (64, 3)])
def test_images_of_many_kinds(tmp_path, monkeypatch, size, channels):
    monkeypatch.setattr(features, "_train", lambda model, data: None)
    data = small_data(40, size, channels)
    read, probabilities = classifier_features(data, tmp_path)(data.test.images)
    assert read.shape == (20, 128)
    assert probabilities.shape == (20, 4)


# === Inception ===


def colour_data():
    return small_data(20, size=8, channels=3, name="colour")


def test_inception_without_network_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(features, "reachable", lambda url: False)
    expected = rf"no Inception weights in {tmp_path}.*does not answer.*Copy https.*h5 there"
    with pytest.raises(NotMeasuredError, match=expected):
        feature_network(colour_data())


def test_a_download_that_breaks_off_is_said_in_one_line(tmp_path, monkeypatch):
    def broken():
        raise OSError("connection reset\nand more")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(features, "reachable", lambda url: True)
    monkeypatch.setattr(keras.applications, "InceptionV3", broken)
    with pytest.raises(NotMeasuredError, match=r"\(connection reset\)") as info:
        inception_features()
    assert "\n" not in str(info.value)


def test_inception_reads_images_of_its_own_size_and_range(monkeypatch):
    """With a stand-in whose features are the mean and extremes of what it is given."""
    seen = []

    def stand_in():
        inputs = keras.Input((299, 299, 3))
        pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(inputs)
        model = keras.Model(inputs, keras.layers.Softmax()(pooled))
        seen.append(model)
        return model

    monkeypatch.setattr(features, "reachable", lambda url: True)
    monkeypatch.setattr(keras.applications, "InceptionV3", stand_in)
    network = feature_network(colour_data())
    assert "Inception" in network.name
    images = np.zeros((60, 8, 8, 3), np.uint8)
    images[:, :, :, 1] = 255
    read, probabilities = network(images)
    np.testing.assert_allclose(read, np.tile([-1.0, 1.0, -1.0], (60, 1)), atol=1e-6)
    assert probabilities.shape == (60, 3)
    assert len(seen) == 1


def test_the_distance_of_a_set_to_itself_is_0_and_to_noise_is_large():
    data = load_data("digits")
    network = feature_network(data)
    noise = np.random.default_rng(0).integers(0, 256, data.train.images.shape, dtype=np.uint8)
    real, test, useless = (
        feature_statistics(network(images)[0]) for images in (data.train.images, data.test.images, noise)
    )
    assert frechet_distance(real, real) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(real, useless) > 20 * frechet_distance(real, test) > 0
