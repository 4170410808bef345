"""The data sets and the stream of batches."""

import dataclasses
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from conftest import ROOT, make_model, run_here

from infogan_tf.data import LOADERS, load_data
from infogan_tf.data import tfds as tfds_loader
from infogan_tf.data.images import Split
from infogan_tf.data.stream import _mapping, stream
from infogan_tf.data.tfds import find_builder, originals
from infogan_tf.errors import UserError
from infogan_tf.evaluation.feature_networks import FeatureNetwork, classifier, label_free
from infogan_tf.evaluation.metrics.sample_quality import nearest_neighbours

needs_mnist = pytest.mark.skipif(
    not Path(os.environ.get("TFDS_DATA_DIR", ""), "mnist").is_dir(),
    reason="prepared MNIST is not in TFDS_DATA_DIR",
)


def test_digits_are_real_bytes_of_the_right_split():
    data = load_data("digits")
    assert data.train.images.shape == (1437, 16, 16, 1)
    assert data.test.images.shape == (360, 16, 16, 1)
    assert data.train.images.dtype == np.uint8
    assert data.train.images.max() == 255
    assert data.image_shape == (16, 16, 1)
    together = np.concatenate([data.train.labels, data.test.labels])
    np.testing.assert_array_equal(np.bincount(together), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert np.bincount(data.test.labels).min() >= 34
    # No image stands in both parts.
    assert not {image.tobytes() for image in data.test.images} & {image.tobytes() for image in data.train.images}


def test_digits_look_like_the_original_when_made_small_again():
    from sklearn.datasets import load_digits

    original = {tuple(image.ravel()) for image in load_digits().images}
    data = load_data("digits")
    small = data.test.images.reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4)) * 16 / 255
    everything = np.array(list(original))
    distances = [np.abs(everything - image.ravel()).mean(axis=1).min() for image in small[:20]]
    assert max(distances) < 1.0  # of 16 grey levels; another image is 3 away or more


@needs_mnist
@pytest.mark.parametrize("name", ["mnist", pytest.param("fashion_mnist", marks=pytest.mark.slow)])
def test_mnist_from_prepared_data(name):
    data = load_data(name)
    assert data.train.images.shape == (60_000, 28, 28, 1)
    assert data.test.images.shape == (10_000, 28, 28, 1)
    assert data.train.images.dtype == np.uint8
    assert len(data.label_names) == 10
    assert np.bincount(data.test.labels).sum() == 10_000
    mean = {"mnist": 0.1307, "fashion_mnist": 0.2860}[name]  # as widely published
    assert data.train.images.mean() / 255 == pytest.approx(mean, abs=1e-4)


ORIGINALS = {
    "mnist": "train-images-idx3-ubyte.gz",
    "fashion_mnist": "t10k-labels-idx1-ubyte.gz",
    "dsprites": "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.hdf5",
    "shapes3d": "3dshapes.h5",
    "kmnist": "train-images-idx3-ubyte.gz",
    "cifar10": "cifar-10-binary.tar.gz",
    "svhn_cropped": "extra_32x32.mat",
    "celeb_a": "img_align_celeba.zip",
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_no_network_and_no_data_is_said(tmp_path, monkeypatch, name):
    # A proxy that refuses every connection is a machine without network.
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(urllib.request, "_opener", None)  # it would keep the proxies, for all tests to come
    done = run_here(f"--dataset={name}", "--data_dir=none", cwd=tmp_path, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    for part in (
        f"--dataset: no prepared {name} in {tmp_path}/none/{name}",
        "--data_dir",
        "TFDS_DATA_DIR",
        ORIGINALS[name],
        "--dataset=digits",
    ):
        assert part in line
    assert not (tmp_path / "runs").exists()


def test_original_files_are_prepared_without_network(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_loader, "reachable", lambda url: pytest.fail("the network was asked"))
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    for file in originals(find_builder("mnist", str(tmp_path))):
        (manual / file).write_bytes(b"not what was published")
    with pytest.raises(UserError, match=r"no prepared mnist in .*has wrong checksum.*--dataset=digits") as info:
        load_data("mnist", str(tmp_path))
    assert "\n" not in str(info.value)


def test_a_download_that_breaks_off_is_said_in_one_line(tmp_path, monkeypatch):
    def download(self, urls):
        raise OSError("connection reset\nand more")

    monkeypatch.setattr(tfds_loader, "reachable", lambda url: True)
    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", download)
    with pytest.raises(UserError, match=r"no prepared mnist in .*\(connection reset\).*--dataset=digits") as info:
        load_data("mnist", str(tmp_path))
    assert "\n" not in str(info.value)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="--data_dir: expected a folder"):
        load_data("mnist", str(tmp_path / "file"))


def test_a_data_folder_of_a_user_whom_there_is_not_is_refused():
    with pytest.raises(UserError, match=r"--data_dir: .*Received: '~nobody-here/data'"):
        load_data("mnist", "~nobody-here/data")


def test_an_unknown_data_set_is_refused():
    with pytest.raises(
        UserError, match=rf"expected one of {', '.join(LOADERS)}; or tfds:NAME; or a folder.*Received: 'mnits'"
    ):
        load_data("mnits")


NUMBERED = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)


def read(count, **arguments):
    return [batch.numpy().ravel() for batch in stream(NUMBERED, 4, **arguments).take(count)]


def test_every_pass_is_another_permutation_of_all_images():
    numbers = np.concatenate(read(10)).reshape(4, 10)
    assert all(sorted(row) == list(range(10)) for row in numbers)
    assert len({tuple(row) for row in numbers}) == 4


def test_the_stream_is_a_function_of_seed_and_position():
    whole = read(12, seed=3)
    np.testing.assert_array_equal(whole, read(12, seed=3))
    np.testing.assert_array_equal(whole[7:], read(5, seed=3, start_step=7))
    assert not np.array_equal(whole, read(12, seed=4))


def test_the_order_is_that_of_all_runs_so_far():
    # As the package's first version gave it; any other order would change what a run that is resumed goes on with.
    first = [[0, 1, 2, 4], [3, 5, 6, 7], [8, 9, 7, 9], [6, 2, 3, 5], [4, 8, 0, 1], [2, 4, 8, 0]]
    np.testing.assert_array_equal(read(6, seed=3), first)
    np.testing.assert_array_equal(read(2, seed=3, start_step=1000), [[3, 1, 2, 9], [6, 8, 5, 0]])


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_the_parts_of_a_batch_make_up_the_batch(parts):
    # Of ten images, so that the third batch straddles two passes.
    cut = [read(6, seed=3, start_step=1, part=part, parts=parts) for part in range(parts)]
    assert all(len(batch) == 4 // parts for batches in cut for batch in batches)
    np.testing.assert_array_equal(np.concatenate(cut, axis=1), read(6, seed=3, start_step=1))


@pytest.mark.parametrize("wrong", [{"parts": 3}, {"part": 2, "parts": 2}, {"part": -1}, {"parts": 0}])
def test_parts_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"expected a batch that can be cut into equal parts.*batch_size=4"):
        stream(NUMBERED, 4, **wrong)


@pytest.fixture
def noise_file(tmp_path):
    """An .npy file of 40 images whose rows begin and end anywhere in a page of memory."""
    path = tmp_path / "noise.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (40, 17, 19, 3), dtype=np.uint8))
    return path


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x[7:30], lambda x: x[::2], lambda x: x.transpose(0, 2, 1, 3)])
def test_a_file_is_read_as_an_array_in_memory_is(noise_file, view):
    mapped, memory = (view(np.load(noise_file, mmap_mode=mode)) for mode in ("r", None))
    assert isinstance(mapped, np.memmap)
    pairs = zip(stream(mapped, 6, seed=1).take(20), stream(memory, 6, seed=1).take(20), strict=True)
    assert all(np.array_equal(batch, other) for batch, other in pairs)


def test_floats_stay_floats():
    images = np.random.default_rng(0).random((10, 2, 2, 1), np.float32)
    (batch,) = stream(images, 10).take(1)
    np.testing.assert_array_equal(np.sort(batch.numpy().ravel()), np.sort(images.ravel()))


def test_where_in_its_file_an_image_lies_is_known(noise_file):
    images = np.load(noise_file, mmap_mode="r")
    for part in (images, images[7:], np.asarray(images)[39:]):
        memory, first = _mapping(part)
        assert memory[first : first + part[0].nbytes] == part[0].tobytes()
    assert _mapping(np.array(images)) == (None, 0)


# Reads every byte of a file of 24 images of 25 MB, and says by how much the memory grew that is the process's own. What
# is mapped of a file is not: it can be dropped at any time. It ends as scripts do, with an iterator that still lives.
READ_A_LARGE_FILE = """
import sys
import urllib.request
from pathlib import Path
import numpy as np
from infogan_tf.data.stream import stream

def own_megabytes():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) / 1e3

images = np.load(sys.argv[1], mmap_mode="r")
list(stream(np.zeros((4, 8, 8, 3), np.uint8), 2).take(2))  # TensorFlow's own threads and buffers
before, most, seen = own_megabytes(), 0.0, []
batches = iter(stream(images, 2))
for _ in range(12):
    batch = next(batches).numpy()
    most = max(most, own_megabytes() - before)
    seen += batch[:, -1, -1, -1].tolist()
print(most, *seen)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's own memory")
def test_a_file_of_four_times_the_budget_streams_within_it(tmp_path):
    path = tmp_path / "large.npy"
    images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(24, 2896, 2896, 3))
    assert images.nbytes == pytest.approx(600e6, rel=0.01)
    images[:, -1, -1, -1] = np.arange(24)  # the rest are holes, which take no room on disk
    del images
    command = [sys.executable, "-c", READ_A_LARGE_FILE, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    grown, *seen = done.stdout.split()
    assert float(grown) < 150.0
    assert sorted(map(int, seen)) == list(range(24))
    assert seen != sorted(seen, key=int)


def test_whatever_reads_training_images_takes_those_of_a_file(tmp_path):
    data = load_data("digits")
    np.save(tmp_path / "images.npy", data.train.images)
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    mapped = dataclasses.replace(data, train=Split(images, data.train.labels))
    network = FeatureNetwork("means", lambda images: (tf.reduce_mean(images, 1), tf.reduce_max(images, 1)))
    for read in (
        lambda data: classifier._path_of_labels(data, tmp_path),
        lambda data: classifier._Batches(data.train.images, data.train.labels)[3],
        lambda data: label_free._Copies(data.train.images)[3][0].numpy(),
        lambda data: network(data.train.images),
        lambda data: nearest_neighbours(data.test.images[:5], data.train.images),
        lambda data: make_model(image_shape=(16, 16, 1)).features(data.train.images),
    ):
        np.testing.assert_equal(read(mapped), read(data))


def test_the_shuffle_reaches_over_the_whole_set():
    images = np.zeros((5000, 1, 1, 1), np.uint8)
    images[2500:] = 1
    share = np.mean([batch.numpy().mean() for batch in stream(images, 100).take(5)])
    assert share == pytest.approx(0.5, abs=0.1)
