"""Pictures that any program drew: their figures are those of the same arrays, whatever they lie in."""

import json
import zipfile

import numpy as np
import pytest
from conftest import run_here
from PIL import Image

from infogan_tf.commands.images import pictures_of
from infogan_tf.config.options import Config
from infogan_tf.data import load_data
from infogan_tf.data.images import choice_of
from infogan_tf.evaluation.feature_networks import feature_network
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.evaluation.sample_figures import compare, measure_samples

COUNT = 300  # more than the classifier has features


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder with pictures as drawn/, drawn.zip and drawn.npy: digits, of which the upper half is dark."""
    folder = tmp_path_factory.mktemp("pictures")
    images = load_data("digits").train.images[-COUNT:].copy()
    images[:, :8] //= 2
    np.save(folder / "drawn.npy", images)
    (folder / "drawn").mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(folder / "drawn" / f"{i:03d}.png")
    with zipfile.ZipFile(folder / "drawn.zip", "w") as archive:
        for path in sorted((folder / "drawn").iterdir()):
            archive.write(path, path.name)
    (folder / "drawn" / "text.png").write_text("just text")
    return folder


def evaluate(folder, *flags, check=True):
    return run_here("--mode=evaluate", "--evaluation=quick", *flags, cwd=folder, check=check)


@pytest.fixture(scope="module")
def measured(pictures, tmp_path_factory):
    """What was written of each."""
    found = {}
    for name in ("drawn", "drawn.zip", "drawn.npy"):
        folder = tmp_path_factory.mktemp("measured")
        done = evaluate(folder, f"--samples={pictures / name}", "--dataset=digits")
        found[name] = json.loads((folder / "samples.json").read_text())
        assert "Wrote samples.json." in done.stdout
        assert "FID: " in done.stdout
    return found


def test_figures_are_those_of_the_arrays(pictures, measured):
    data, images = load_data("digits"), np.load(pictures / "drawn.npy")
    expected = Evaluation("quick", None)
    real = data.train.images[choice_of(len(data.train.images), COUNT)]
    assert len(np.unique(real, axis=0)) > COUNT - 10  # a choice without repetition
    rng = np.random.default_rng(0)
    rng.permutation(COUNT)  # by which those that are read are chosen, here all
    shuffled = images[rng.permutation(COUNT)]
    measure_samples(compare(feature_network(data), real, shuffled, data.test.images), expected)
    found = measured["drawn.npy"]
    for name, value in expected.figures.items():
        assert found["figures"][name] == pytest.approx(value, rel=1e-5), name
    assert {"fid", "kid", "precision", "recall", "density", "coverage", "log_likelihood"} < set(found["figures"])
    assert found["figures"]["fid"] > found["figures"]["fid/real test images"]
    assert found["samples"] == str(pictures / "drawn.npy")
    assert (found["dataset"], found["setting"], found["step"]) == ("digits", "quick", None)


def test_what_they_lie_in_changes_nothing_but_what_cannot_be_read_is_said(measured):
    assert measured["drawn.zip"]["figures"] == pytest.approx(measured["drawn.npy"]["figures"], rel=1e-5)
    assert measured["drawn"]["figures"] == pytest.approx(measured["drawn.npy"]["figures"], rel=1e-5)
    assert measured["drawn.npy"]["notes"][0] == "300 of 300 pictures, 16 x 16, grey."
    assert measured["drawn"]["notes"][0] == "300 of 301 pictures, 16 x 16, grey; 1 could not be read."


def test_pictures_that_lie_by_class_are_measured_in_random_order(tmp_path):
    for label in range(2):
        (tmp_path / "drawn" / str(label)).mkdir(parents=True)
        for i in range(100):
            Image.new("L", (16, 16), 100 * label + i).save(tmp_path / "drawn" / str(label) / f"{i}.png")
    config = Config(dataset="digits", samples=str(tmp_path / "drawn"))
    found, count, _ = pictures_of(config, (16, 16, 1), 200)
    assert count == 200
    assert sorted(found[:, 0, 0, 0]) == list(range(200))
    assert 30 < np.sum(found[:100, 0, 0, 0] < 100) < 70


def test_of_many_a_fixed_choice_is_measured(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (700, 16, 16), dtype=np.uint8)
    np.save(tmp_path / "noise.npy", images)
    found = []
    for name in ("a.json", "b.json"):
        evaluate(tmp_path, "--samples=noise.npy", f"--output={name}")
        found.append(json.loads((tmp_path / name).read_text()))
    assert found[0] == found[1]
    assert found[0]["notes"][0] == "500 of 700 pictures, 16 x 16, grey."
    assert max(found[0]["figures"]["precision"], found[0]["figures"]["recall"]) < 0.1  # noise looks like no digit


def test_the_part_of_each_image_that_is_trained_on_is_not_taken_of_samples_once_more(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), dtype=np.uint8)
    np.save(tmp_path / "drawn.npy", images)
    config = Config(dataset=str(tmp_path), samples=str(tmp_path / "drawn.npy"), crop="8,8,16,16")
    pictures, count, unread = pictures_of(config, (16, 16, 1), 10)
    assert sorted(picture.tobytes() for picture in pictures) == sorted(image.tobytes() for image in images)
    assert (count, unread) == (5, 0)


def test_few_pictures_leave_notes_and_no_pictures_are_refused(tmp_path):
    (tmp_path / "few").mkdir()
    (tmp_path / "few" / "text.png").write_text("just text")
    done = evaluate(tmp_path, "--samples=few", check=False)
    assert done.returncode == 2
    assert "--samples: expected images that can be read" in done.stderr
    Image.new("RGB", (40, 30)).save(tmp_path / "few" / "1.png")
    evaluate(tmp_path, "--samples=few")
    found = json.loads((tmp_path / "samples.json").read_text())
    assert "fid" not in found["figures"]
    assert any(note.startswith("FID: not measured; expected more generated") for note in found["notes"])
    done = evaluate(tmp_path, "--samples=few", check=False)
    assert done.returncode == 2
    assert "'samples.json', which exists" in done.stderr
