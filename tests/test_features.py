"""The networks in whose features samples are measured."""

import contextlib
import dataclasses
import io
import random

import keras
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from infogan_tf.data import load_data
from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.feature_networks import classifier, feature_network, label_free
from infogan_tf.evaluation.feature_networks.classifier import attribute_features, classifier_features
from infogan_tf.evaluation.feature_networks.label_free import label_free_features
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
    monkeypatch.setattr(classifier, "_train", no_training)
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
    names = {classifier._path_of_labels(other, folder) for other in [data, *others]}
    assert len(names) == 5
    assert file in names
    assert {path.parent for path in names} == {folder}


@pytest.mark.parametrize("damage", [lambda whole: whole[:-200], lambda whole: b"", lambda whole: b"not weights"])
def test_a_damaged_file_is_trained_anew(kept, tmp_path, monkeypatch, capsys, damage):
    _, file, _ = kept
    copy = tmp_path / file.name
    copy.write_bytes(damage(file.read_bytes()))
    trained = []
    monkeypatch.setattr(classifier, "_train", lambda model, data: trained.append(data.name))
    for _ in ("damaged", "whole again"):
        classifier_features(small_data(), tmp_path)
    assert trained == ["small"]
    assert f"The kept network {copy} cannot be read" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_said_in_a_line(kept, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(classifier, "_train", lambda model, data: None)
    (tmp_path / "file").write_text("")
    classifier_features(small_data(), tmp_path / "file" / "folder")
    assert "The network could not be kept" in capsys.readouterr().out.splitlines()[-1]


def test_it_is_kept_with_the_users_other_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert classifier._path_of_labels(small_data(), None).parent == tmp_path / "infogan_tf"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert classifier._path_of_labels(small_data(), None).parent == tmp_path / ".cache" / "infogan_tf"


def test_a_bad_classifier_of_mnist_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "_train", lambda model, data: None)
    for _ in ("new", "kept"):
        with pytest.raises(NotMeasuredError, match=r"of mnist: expected a test accuracy of 99\.0% .*Received: \d+"):
            classifier_features(small_data(name="mnist"), tmp_path)


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (12, 3), (64, 3)])
def test_images_of_many_kinds(tmp_path, monkeypatch, size, channels):
    monkeypatch.setattr(classifier, "_train", lambda model, data: None)
    data = small_data(40, size, channels)
    read, probabilities = classifier_features(data, tmp_path)(data.test.images)
    assert read.shape == (20, 128)
    assert probabilities.shape == (20, 4)


def test_the_distance_of_a_set_to_itself_is_0_and_to_noise_is_large():
    data = load_data("digits")
    network = feature_network(data)
    noise = np.random.default_rng(0).integers(0, 256, data.train.images.shape, dtype=np.uint8)
    real, test, useless = (
        feature_statistics(network(images)[0]) for images in (data.train.images, data.test.images, noise)
    )
    assert frechet_distance(real, real) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(real, useless) > 20 * frechet_distance(real, test) > 0


# === Which network ===


def untrained(monkeypatch):
    """Networks as they are before training."""
    for kind in (classifier, label_free):
        monkeypatch.setattr(kind, "_train", lambda model, data: None)
    monkeypatch.setattr(classifier, "train", lambda *arguments: None)


def without_labels(data):
    return dataclasses.replace(data, train=Split(data.train.images), test=Split(data.test.images))


def with_attributes(data, of_train, of_test):
    splits = ((data.train, of_train), (data.test, of_test))
    train, test = (dataclasses.replace(split, attributes=np.asarray(values, np.int8)) for split, values in splits)
    return dataclasses.replace(data, train=train, test=test)


def test_a_data_set_has_a_network_by_what_is_known_of_its_images(tmp_path, monkeypatch):
    untrained(monkeypatch)
    data = small_data(40)
    attributes = np.eye(2)[data.train.labels % 2], np.eye(2)[data.test.labels % 2]
    alike = np.ones((20, 3)), np.zeros((20, 3))
    unlabelled = without_labels(data)
    one_class = dataclasses.replace(data, train=Split(data.train.images, np.zeros(20, np.int64)))
    half = dataclasses.replace(data, test=Split(data.test.images))
    for images, kind in (
        (data, "a classifier of small with a test accuracy of "),
        (with_attributes(data, *attributes), "a classifier of small with a test accuracy of "),
        (with_attributes(unlabelled, *attributes), "a classifier of 2 attributes of small with a mean test AUC of "),
        (with_attributes(one_class, *attributes), "a classifier of 2 attributes of small with a mean test AUC of "),
        (with_attributes(unlabelled, *alike), "a network trained without labels on the images of small, which finds "),
        (unlabelled, "a network trained without labels on the images of small, which finds "),
        (one_class, "a network trained without labels on the images of small, which finds "),
        (half, "a network trained without labels on the images of small, which finds "),
    ):
        network = feature_network(images, tmp_path)
        assert network.name.startswith(kind)
        read, probabilities = network(data.test.images)
        assert read.shape == (20, 128)
        assert (probabilities is None) == ("accuracy" not in kind)
    assert {path.name.rsplit("_", 1)[0] for path in tmp_path.iterdir()} == {
        "classifier_small", "attributes_small", "label_free_small",
    }  # fmt: skip


def test_images_of_ones_own_are_known_by_their_digest(tmp_path, monkeypatch):
    untrained(monkeypatch)
    data = dataclasses.replace(without_labels(small_data(40)), digest="one")
    for digest in ("one", "one", "two"):
        label_free_features(dataclasses.replace(data, digest=digest), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


# === Attributes ===


def attributes_of(split):
    """Whether the bright quarter is below, and whether it is to the right; all are images; every fifth is unknown."""
    values = np.stack([split.labels // 2, split.labels % 2, np.ones_like(split.labels)], axis=1).astype(np.int8)
    values[::5] = -1
    return values


def test_a_classifier_of_attributes_tells_them_and_is_kept_for_these_alone(tmp_path, capsys, monkeypatch):
    data, of_train, of_test = small_data(), attributes_of(small_data().train), attributes_of(small_data().test)
    network = attribute_features(with_attributes(data, of_train, of_test), tmp_path)
    assert network.name.startswith("a classifier of 2 attributes of small with a mean test AUC of ")
    assert float(network.name.split()[-1]) > 0.9
    assert "of attributes in whose features samples of small are measured: once" in capsys.readouterr().out
    trained = []
    monkeypatch.setattr(classifier, "train", lambda *arguments: trained.append(arguments))
    # One that all images have is not looked at.
    again = attribute_features(with_attributes(data, of_train[:, :2], of_test[:, :2]), tmp_path)
    np.testing.assert_array_equal(again(data.test.images)[0], network(data.test.images)[0])
    assert not trained
    attribute_features(with_attributes(data, of_train[::-1], of_test), tmp_path)
    assert len(trained) == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_the_loss_of_attributes_is_the_cross_entropy_of_those_known():
    logits = np.array([[0.0, 2.0, 5.0], [1.0, -1.0, 0.5]], np.float32)
    values = np.array([[1, 0, -1], [-1, 1, 0]], np.int8)
    expected = [
        -np.log(0.5) - np.log(1 / (1 + np.exp(2.0))),
        -np.log(1 / (1 + np.exp(1.0))) - np.log(1 / (1 + np.exp(0.5))),
    ]
    np.testing.assert_allclose(classifier._known_crossentropy(values, logits), expected, rtol=1e-6)


# === Without labels ===


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    """512 digits, and the folder with the network that was trained on them without labels."""
    digits = load_data("digits")
    data = ImageData("unlabelled", Split(digits.train.images[:512]), Split(digits.test.images))
    folder, printed = tmp_path_factory.mktemp("unlabelled"), io.StringIO()
    with contextlib.redirect_stdout(printed):
        label_free_features(data, folder)
    assert "samples of unlabelled are measured: once" in printed.getvalue()
    return data, folder


def test_a_network_without_labels_tells_images_apart_and_is_trained_once(unlabelled, monkeypatch, capsys):
    data, folder = unlabelled
    monkeypatch.setattr(label_free, "_train", no_training)
    capsys.readouterr()
    network = label_free_features(data, folder)
    assert capsys.readouterr().out == ""
    found = float(network.name.split("finds ")[1].split("%")[0])
    assert network.name.endswith(f"finds {found:.0f}% of 128 test images by a copy")
    assert found > 50.0  # one in 128 by chance
    read, probabilities = network(data.test.images)
    assert read.shape == (360, 128)
    assert probabilities is None


def test_images_that_are_all_black_are_not_measured(tmp_path, monkeypatch):
    black = Split(np.zeros((40, 16, 16, 1), np.uint8))
    monkeypatch.setattr(label_free, "_train", lambda *_: None)
    with pytest.raises(NotMeasuredError, match="sees nothing in the images"):
        label_free_features(ImageData("black", black, black), tmp_path)
    assert not list(tmp_path.rglob("*.npz"))


def test_training_without_labels_is_repeatable_and_apart_from_all_global_state(tmp_path):
    data = without_labels(small_data(64))
    keras.utils.set_random_seed(7)
    drawn = [random.random(), np.random.random(), keras.random.uniform((2,)).numpy().tolist()]
    expected = label_free_features(data, tmp_path / "one")(data.test.images)[0]
    keras.utils.set_random_seed(7)
    found = label_free_features(data, tmp_path / "two")(data.test.images)[0]
    np.testing.assert_array_equal(found, expected)
    assert [random.random(), np.random.random(), keras.random.uniform((2,)).numpy().tolist()] == drawn


def test_the_loss_without_labels_is_that_of_its_paper():
    """Equation 1, written out: -log of the partner's share among all but the copy itself."""
    outputs = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    expected = []
    for i in range(6):
        cosines = [outputs[i] @ row / np.linalg.norm(outputs[i]) / np.linalg.norm(row) for row in outputs]
        shares = np.exp(np.array(cosines) / label_free.TEMPERATURE)
        expected.append(-np.log(shares[(i + 3) % 6] / (shares.sum() - shares[i])))
    np.testing.assert_allclose(label_free.contrast(None, outputs), expected, rtol=1e-5)


def test_copies_are_two_of_each_image_and_differ():
    images = load_data("digits").train.images[:200]
    batches = label_free._Copies(images)
    copies, chosen = batches[0][0], images[batches.order[0]] / 255.0
    one, other = np.split(copies.numpy(), 2)
    assert len(one) == len(chosen) == 128
    for copy in (one, other):
        distances = np.abs(copy.reshape(128, 1, -1) - chosen.reshape(1, 128, -1)).mean(axis=2)
        assert np.mean(distances.argmin(axis=1) == np.arange(128)) > 0.3  # of those moved least; 1/128 by chance
    assert np.abs(one - other).mean() > 0.01


def test_the_distance_without_labels_grows_with_every_kind_of_damage(unlabelled):
    """Noise, blur, the same few images again and again, fewer and fewer of the classes."""
    data, folder = unlabelled
    network, images, labels = label_free_features(data, folder), data.test.images, load_data("digits").test.labels
    real = feature_statistics(network(data.train.images)[0])
    rng = np.random.default_rng(0)

    def noisy(size):
        return np.clip(images / 255.0 + rng.normal(0.0, size, images.shape), 0.0, 1.0)

    damaged = {
        "noise": [noisy(size) for size in (0.1, 0.2, 0.4)],
        "blur": [gaussian_filter(images / 255.0, (0, size, size, 0)) for size in (0.8, 1.6, 3.2)],
        "copies": [np.resize(images[:count], images.shape) for count in (80, 20, 5)],
        "classes": [np.resize(images[labels < kept], images.shape) for kept in (8, 5, 1)],
    }
    best = frechet_distance(real, feature_statistics(network(images)[0]))
    for kind, levels in damaged.items():
        found = [best] + [frechet_distance(real, feature_statistics(network(level)[0])) for level in levels]
        assert found == sorted(found), (kind, found)
        assert found[-1] > 3 * best, (kind, found)
