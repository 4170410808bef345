"""The data sets and the stream of batches."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import run_here

from infogan_tf.data import LOADERS, load_data, stream
from infogan_tf.data import tfds as tfds_loader
from infogan_tf.data.tfds import ORIGINALS
from infogan_tf.errors import UserError

needs_mnist = pytest.mark.skipif(
    not Path(os.environ.get("TFDS_DATA_DIR", ""), "mnist").is_dir(),
    reason="prepared MNIST is not in TFDS_DATA_DIR",
)


def test_digits_are_real_bytes_of_the_right_split():
    data = load_data("digits")
    assert data.train_images.shape == (1437, 16, 16, 1)
    assert data.test_images.shape == (360, 16, 16, 1)
    assert data.train_images.dtype == np.uint8
    assert data.train_images.max() == 255
    assert data.image_shape == (16, 16, 1)
    together = np.concatenate([data.train_labels, data.test_labels])
    np.testing.assert_array_equal(np.bincount(together), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert np.bincount(data.test_labels).min() >= 34
    # No image stands in both parts.
    assert not {image.tobytes() for image in data.test_images} & {image.tobytes() for image in data.train_images}


def test_digits_look_like_the_original_when_made_small_again():
    from sklearn.datasets import load_digits

    original = {tuple(image.ravel()) for image in load_digits().images}
    data = load_data("digits")
    small = data.test_images.reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4)) * 16 / 255
    everything = np.array(list(original))
    distances = [np.abs(everything - image.ravel()).mean(axis=1).min() for image in small[:20]]
    assert max(distances) < 1.0  # of 16 grey levels; another image is 3 away or more


@needs_mnist
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_mnist_from_prepared_data(name):
    data = load_data(name)
    assert data.train_images.shape == (60_000, 28, 28, 1)
    assert data.test_images.shape == (10_000, 28, 28, 1)
    assert data.train_images.dtype == np.uint8
    assert len(data.label_names) == 10
    assert np.bincount(data.test_labels).sum() == 10_000
    mean = {"mnist": 0.1307, "fashion_mnist": 0.2860}[name]  # as widely published
    assert data.train_images.mean() / 255 == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_no_network_and_no_data_is_said_within_seconds(tmp_path, monkeypatch, name):
    # A proxy that refuses every connection is a machine without network.
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    started = time.monotonic()
    done = run_here(f"--dataset={name}", "--data_dir=none", cwd=tmp_path, check=False)
    assert time.monotonic() - started < 30
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    for part in (
        f"--dataset={name}",
        f"none/{name}",
        "--data_dir",
        "TFDS_DATA_DIR",
        *ORIGINALS[name],
        "--dataset=digits",
    ):
        assert part in line
    assert not (tmp_path / "runs").exists()


class Builder:
    """Stands for tensorflow-datasets' builder of data that is not prepared."""

    def __init__(self, error=None):
        self.error, self.asked = error, False

    def download_and_prepare(self):
        self.asked = True
        if self.error:
            raise self.error


def test_original_files_are_prepared_without_network(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_loader, "reachable", lambda url: pytest.fail("the network was asked"))
    originals = tmp_path / "downloads" / "manual"
    originals.mkdir(parents=True)
    for file in ORIGINALS["mnist"]:
        (originals / file).write_bytes(b"")
    builder = Builder()
    tfds_loader._prepare(builder, "mnist", tmp_path)
    assert builder.asked


def test_a_download_that_breaks_off_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_loader, "reachable", lambda url: True)
    with pytest.raises(UserError, match=r"--dataset=mnist: .*\(checksum of train\).*--dataset=digits") as info:
        tfds_loader._prepare(Builder(OSError("checksum of train\nand more")), "mnist", tmp_path)
    assert "\n" not in str(info.value)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="--data_dir: expected a folder"):
        load_data("mnist", str(tmp_path / "file"))


def test_an_unknown_data_set_is_refused():
    with pytest.raises(UserError, match=rf"expected one of {', '.join(LOADERS)}\. Received: 'mnits'"):
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


def test_the_shuffle_reaches_over_the_whole_set():
    images = np.zeros((5000, 1, 1, 1), np.uint8)
    images[2500:] = 1
    share = np.mean([batch.numpy().mean() for batch in stream(images, 100).take(5)])
    assert share == pytest.approx(0.5, abs=0.1)
