"""Data sets of tensorflow-datasets: what is read of them, in which order, and what is said where they are not there.

Those that are read were stored by tensorflow-datasets itself, in its own form.
"""

import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from conftest import assert_same, run_here, weights
from stored import store

from infogan_tf.data import LOADERS, load_data
from infogan_tf.data import tfds as tfds_loader
from infogan_tf.data.arrays import split_of
from infogan_tf.data.sources import name_of, read_source
from infogan_tf.data.tfds import find_builder, originals
from infogan_tf.errors import UserError

SQUARE = {"image": tfds.features.Image(shape=(16, 20, 3)), "label": tfds.features.ClassLabel(names=["x", "y", "z"])}


def load(folder, name, **options):
    return load_data(name, str(folder / "data"), cache_dir=str(folder / "cache"), **options)


def test_its_own_split_sizes_and_labels(tmp_path):
    stored = store("cifar10", tmp_path / "data", {"train": 25, "test": 9})
    data = load(tmp_path, "cifar10")
    np.testing.assert_array_equal(data.train.images, [example["image"] for example in stored["train"]])
    np.testing.assert_array_equal(data.train.labels, np.arange(25) % 10)
    # The first of the test images are a sample of all; each has its own label.
    order = np.random.default_rng(0).permutation(9)
    np.testing.assert_array_equal(data.test.images, np.array([example["image"] for example in stored["test"]])[order])
    np.testing.assert_array_equal(data.test.labels, order)
    assert data.label_names == tuple("0123456789")
    assert isinstance(data.train.images.base, np.memmap)
    assert (data.name, load(tmp_path, "tfds:cifar10").digest) == ("cifar10", data.digest)


def test_without_a_test_split_a_tenth_is_held_out_by_its_index(tmp_path):
    stored = store("pictures", tmp_path / "data", {"train": 60, "validation": 5}, SQUARE)
    data = load(tmp_path, "tfds:pictures")
    train, test = split_of([60])
    images = np.array([example["image"] for example in stored["train"]])
    np.testing.assert_array_equal(data.train.images, images[train])
    np.testing.assert_array_equal(data.test.images, images[test])
    np.testing.assert_array_equal(data.test.labels, test % 3)
    assert data.label_names == ("x", "y", "z")


def test_what_is_asked_of_the_images_holds(tmp_path):
    store("pictures", tmp_path / "data", {"train": 6, "test": 3}, SQUARE)
    assert load(tmp_path, "tfds:pictures").image_shape == (16, 20, 3)
    whole = load(tmp_path, "tfds:pictures", channels="1").train.images
    assert whole.shape[1:] == (16, 20, 1)
    part = load(tmp_path, "tfds:pictures", channels="1", image_size="16", crop="4,0,16,16").train.images
    np.testing.assert_array_equal(part, whole[:, :, 4:])


def test_images_of_different_sizes_are_looked_at(tmp_path):
    store("lsun/bedroom", tmp_path / "data", {"train": 12, "validation": 3})
    data = load(tmp_path, "lsun")
    assert data.image_shape == (48, 48, 3)  # of 40, 48 and 56
    assert data.train.labels is None
    assert len(data.train.images) + len(data.test.images) == 12
    assert load(tmp_path, "tfds:lsun/bedroom").name == "lsun-bedroom"


def test_of_several_images_one_is_taken_and_said(tmp_path, capsys):
    stored = store("smallnorb", tmp_path / "data", {"train": 12, "test": 3})
    data = load(tmp_path, "smallnorb", image_size="96")
    assert "has several images, image, image2; image is taken." in capsys.readouterr().out
    np.testing.assert_array_equal(data.train.images, [example["image"] for example in stored["train"]])
    # What the data set names for supervised learning.
    assert data.label_names[1] == "human figures"


def test_what_is_true_or_false_of_an_image_are_its_attributes(tmp_path):
    def make(example, number):
        return {**example, "attributes": {name: (number + len(name)) % 3 > 0 for name in example["attributes"]}}

    stored = store("celeb_a", tmp_path / "data", {"train": 20, "test": 9, "validation": 3}, make=make)
    for _ in range(2):  # as they are kept, too
        data = load(tmp_path, "celeb_a", image_size="32")
        assert data.image_shape == (32, 32, 3)
        assert (len(data.attribute_names), data.label_names) == (40, ())
        rows = [[example["attributes"][name] for name in data.attribute_names] for example in stored["train"]]
        np.testing.assert_array_equal(data.train.attributes, rows)
        assert data.test.attributes.shape == (9, 40)


def test_labels_of_a_table_are_named_by_index(tmp_path):
    store("pictures", tmp_path / "data", {"train": 6, "test": 3}, SQUARE)
    lines = [f"{index},{int(index in (1, 8))}" for index in range(9)]
    (tmp_path / "a.csv").write_text("\n".join(["index,odd", *lines]))
    data = load(tmp_path, "tfds:pictures", labels=str(tmp_path / "a.csv"))
    assert data.attribute_names == ("odd",)
    np.testing.assert_array_equal(data.train.attributes[:, 0], [0, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(data.test.attributes[:, 0], np.random.default_rng(0).permutation(3) == 2)


def test_emnist_stands_upright_and_has_the_classes_that_occur(tmp_path):
    stored = store("emnist/letters", tmp_path / "data", {"train": 26, "test": 26}, make=lambda example, number: {
        **example, "label": 1 + number})  # fmt: skip
    data = load(tmp_path, "emnist")
    np.testing.assert_array_equal(
        data.train.images, [example["image"].transpose(1, 0, 2) for example in stored["train"]]
    )
    assert data.label_names == tuple(map(str, range(1, 27)))
    np.testing.assert_array_equal(data.train.labels, np.arange(26))


def test_pixels_of_0_and_1_are_black_and_white(tmp_path):
    features = {"image": tfds.features.Image(shape=(16, 16, 1))}
    stored = store("bits", tmp_path / "data", {"train": 6, "test": 3}, features,
                   make=lambda example, _: {"image": example["image"] // 128})  # fmt: skip
    images = load(tmp_path, "tfds:bits").train.images
    np.testing.assert_array_equal(images, [255 * example["image"] for example in stored["train"]])


def test_labels_that_nobody_tells_are_none(tmp_path):
    store("contest", tmp_path / "data", {"train": 6, "test": 3}, SQUARE, make=lambda example, number: {
        **example, "label": -1 if number == 2 else 0})  # fmt: skip
    data = load(tmp_path, "tfds:contest")
    assert data.train.labels is data.test.labels is None
    assert data.label_names == ()


def test_files_are_read_in_order_however_many_there_are(tmp_path):
    store("parts", tmp_path / "data", {"train": 40, "test": 8}, SQUARE,
          download_config=tfds.download.DownloadConfig(num_shards=6))  # fmt: skip
    assert len(list((tmp_path / "data").rglob("*train*tfrecord*"))) == 6
    one = load(tmp_path, "tfds:parts")
    np.testing.assert_array_equal(one.train.labels, np.arange(40) % 3)
    # The same prepared data elsewhere is the same.
    (tmp_path / "moved").mkdir()
    shutil.copytree(tmp_path / "data", tmp_path / "moved" / "data")
    other = load(tmp_path / "moved", "tfds:parts")
    assert other.digest == one.digest
    np.testing.assert_array_equal(other.train.images, one.train.images)


def test_records_are_not_kept_in_memory_once_read(tmp_path, monkeypatch):
    store("pictures", tmp_path / "data", {"train": 6, "test": 3}, SQUARE)
    monkeypatch.setattr(tf.data.Dataset, "cache", lambda *_, **__: pytest.fail("they are"))
    load(tmp_path, "tfds:pictures")


REFUSED = {
    "sizes": ({"size": tfds.features.Scalar(np.int64)}, "expected a data set of images. Received: tfds:sizes, whose "),
    "depth": ({"image": tfds.features.Image(shape=(16, 16, 1), dtype=np.float32)}, "images of 8 or 16 bits"),
    "one": (SQUARE, "expected two images or more. Received: tfds:one, with 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_images_that_are_read_is_refused_in_one_line(tmp_path, name):
    features, words = REFUSED[name]
    make = (lambda example, _: {"image": np.zeros((16, 16, 1), np.float32)}) if name == "depth" else None
    store(name, tmp_path / "data", {"train": 1 if name == "one" else 4}, features, make=make)
    with pytest.raises(UserError, match=words) as info:
        load(tmp_path, f"tfds:{name}")
    assert "\n" not in str(info.value)


def test_a_damaged_file_is_refused_and_nothing_is_kept(tmp_path):
    store("pictures", tmp_path / "data", {"train": 6, "test": 3}, SQUARE)
    (file,) = (tmp_path / "data").rglob("*test*tfrecord*")
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(UserError, match=r"expected data as it was prepared\. Received: tfds:pictures, which"):
        load(tmp_path, "tfds:pictures")
    assert not list((tmp_path / "cache" / "images").iterdir())


# === Names ===


@pytest.mark.parametrize(
    ("text", "name"),
    [("tfds:cifar10", "cifar10"), ("tfds:emnist/letters", "emnist-letters"), ("tfds:kmnist:3.0.1", "kmnist-3.0.1")],
)
def test_a_name_is_read(text, name):
    source = read_source(text, LOADERS)
    assert (source.kind, source.name, source.builder) == ("tfds", name, text.removeprefix("tfds:"))
    assert name_of(text) == name


def test_a_folder_that_is_called_so_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tfds:x").mkdir()
    assert read_source("./tfds:x", LOADERS).kind == "folder"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tfds:", "tfds:NAME, such as"),
        ("tfds:../x", "tfds:NAME, such as"),
        ("tfds:a b", "tfds:NAME, such as"),
        ("tfds:huggingface:mnist", "tfds:NAME, such as"),
        ("tfds:cifar11", r"the name of a data set of .*'tfds:cifar11' \(Dataset cifar11 not found"),
        ("tfds:emnist/none", r"'tfds:emnist/none' \(BuilderConfig none not found"),
        ("tfds:cifar10:0.0.1", r"'tfds:cifar10:0.0.1' \(Dataset cifar10 cannot be loaded at version 0.0.1"),
    ],
)
def test_what_is_no_name_is_refused_in_one_line(tmp_path, name, words):
    with pytest.raises(UserError, match=rf"--dataset: expected .*{words}") as info:
        load(tmp_path, name)
    assert "\n" not in str(info.value)


# === Data that is not to be had ===


def test_the_original_files_are_those_that_tensorflow_datasets_takes(tmp_path):
    files = {name: list(originals(find_builder(name, str(tmp_path)))) for name in ("shapes3d", "celeb_a", "emnist")}
    assert files["shapes3d"] == ["3dshapes.h5"]
    assert files["emnist"] == ["gzip.zip"]
    assert {"img_align_celeba.zip", "list_attr_celeba.txt", "list_eval_partition.txt"} < set(files["celeb_a"])
    own = originals(find_builder("lsun/bedroom", str(tmp_path)))
    assert list(own) == ["bedroom_train_lmdb.zip", "bedroom_val_lmdb.zip"]


def test_a_quota_that_is_used_up_is_explained_with_the_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_loader, "reachable", lambda url: True)

    def download(self, urls):
        raise tfds.download.DownloadError("Failed to get url https://drive.google.com/uc. HTTP code: 429.\nTry later.")

    monkeypatch.setattr(tfds.download.DownloadManager, "download", download)
    with pytest.raises(
        UserError, match=r"no prepared celeb_a in .*HTTP code: 429\..*Ways out: copy a prepared"
    ) as info:
        load(tmp_path, "celeb_a")
    line = str(info.value)
    assert "\n" not in line
    for part in (
        "img_align_celeba.zip",
        "mmlab.ie.cuhk.edu.hk",
        f"{tmp_path}/data/downloads/manual",
        "--dataset=FOLDER",
    ):
        assert part in line


def test_what_has_to_be_got_by_hand_is_explained_in_its_own_words(tmp_path):
    with pytest.raises(UserError, match=r"no prepared imagenet2012 in .*ILSVRC2012_img_train\.tar and") as info:
        load(tmp_path, "tfds:imagenet2012")
    assert "\n" not in str(info.value)
    assert f"into {tmp_path}/data/downloads/manual" in str(info.value)


def test_nothing_is_downloaded_that_could_not_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_loader, "reachable", lambda url: pytest.fail("the network was asked"))
    monkeypatch.setattr(tfds_loader, "IMPORTS", {"lsun": "no_such_module"})
    with pytest.raises(UserError, match=r"read with no_such_module, which is not installed.*--dataset=FOLDER"):
        load(tmp_path, "lsun")
    with pytest.raises(UserError, match=r"expected a data set of images\. Received: tfds:imdb_reviews, whose"):
        load(tmp_path, "tfds:imdb_reviews")


# === A run ===


@pytest.mark.slow
def test_a_run_goes_on_to_the_same_weights(tmp_path):
    store("cifar10", tmp_path / "data", {"train": 25, "test": 9})
    flags = ("--dataset=tfds:cifar10", "--batch_size=8", "--latents=noise:4,cat:2", "--precision=float32",
             "--evaluation=none", "--eval_every=2", "--image_size=16", f"--data_dir={tmp_path / 'data'}",
             f"--cache_dir={tmp_path / 'cache'}")  # fmt: skip
    run_here(*flags, "--steps=4", "--run_dir=whole", cwd=tmp_path, exporting=False)
    run_here(*flags, "--steps=2", cwd=tmp_path, exporting=False)
    (run,) = (tmp_path / "runs" / "cifar10").iterdir()
    shutil.rmtree(tmp_path / "cache")  # it is decoded anew, to the same bytes
    run_here("--resume", f"--run_dir={run}", "--steps=4", "--evaluation=none", cwd=tmp_path, exporting=False)
    assert_same(weights(tmp_path / "whole", 4), weights(run, 4))


def test_codes_are_read_in_any_of_them(tmp_path, tiny_run):
    store("pictures", tmp_path / "data", {"train": 6, "test": 3}, SQUARE)
    flags = ("--mode=encode", f"--run_dir={tiny_run[0]}", f"--data_dir={tmp_path / 'data'}", "--output=codes.csv")
    run_here(*flags, "--dataset=tfds:pictures", "--crop=2,0,16,16", cwd=tmp_path)
    header, *lines = (tmp_path / "codes.csv").read_text().splitlines()
    assert header.startswith("split,index,c1")
    assert [line.split(",")[:2] for line in lines] == [
        *(["train", str(i)] for i in range(6)),
        *(["test", str(i)] for i in range(3)),
    ]
