"""Averages of samples that are added and subtracted: what is summed, which class a sum has, what is shown."""

import csv
from fractions import Fraction

import numpy as np
import pytest
from conftest import run_here

from infogan_tf.config.options import Config
from infogan_tf.files import read_json
from infogan_tf.latents.arithmetic import elected
from infogan_tf.latents.language import read_arithmetic
from infogan_tf.pictures import GROUND, labelled, read_png
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.restored import restored_model

SUM = "3,17,25 - 4,8 + 1,2,6"
# What is shown of it: the samples of each group, and its average as the numbers of samples; at last the result.
SAMPLES = [3, 17, 25, None, 4, 8, None, 1, 2, 6, None, None]
PARTS = {3: [3, 17, 25], 6: [4, 8], 10: [1, 2, 6]}


def draw(run, folder, *flags):
    return run_here("--mode=sample", f"--run_dir={run}", *flags, cwd=folder).stdout


def read_table(path):
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, np.array(rows, np.float64)


@pytest.fixture(scope="module")
def summed(tmp_path_factory, tiny_run):
    """A folder with the samples to choose from, and with what the sum shows; what was printed of the latter."""
    folder = tmp_path_factory.mktemp("summed")
    draw(tiny_run[0], folder, "--seed=5", "--output=all.npy")
    said = draw(tiny_run[0], folder, "--seed=5", f"--arithmetic={SUM}", "--output=sum.npy")
    assert "8 samples, the averages of 3 groups, and the result, uint8 [12, 16, 16, 1]" in said
    return folder


def test_noise_and_numbers_are_averaged_added_and_subtracted(summed):
    header, every = read_table(summed / "all.csv")
    found_header, found = read_table(summed / "sum.csv")
    assert found_header == header
    numbers = [i for i, name in enumerate(header) if name not in ("c1", "c4")]
    a, b, c = (every[group].mean(axis=0) for group in PARTS.values())
    averages = dict(zip(PARTS, (a, b, c), strict=True))
    averages = dict(zip(PARTS, (a, b, c), strict=True))
    for row, sample in enumerate(SAMPLES):
        expected = averages.get(row, a - b + c) if sample is None else every[sample]
        np.testing.assert_allclose(found[row, numbers], expected[numbers], rtol=0, atol=1e-6)
        if sample is not None:
            np.testing.assert_array_equal(found[row], expected)  # codes of classes too, and every digit


def test_images_are_those_of_their_latents(summed, tiny_run, tmp_path):
    every, found = np.load(summed / "all.npy").astype(int), np.load(summed / "sum.npy").astype(int)
    for row, sample in enumerate(SAMPLES):
        if sample is not None:
            assert np.abs(found[row] - every[sample]).max() <= 1
    draw(tiny_run[0], tmp_path, f"--latents_file={summed / 'sum.csv'}", "--output=again.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "again.npy"), found)
    run = RunDirectory(tiny_run[0])
    model = restored_model(run, Config.from_json(read_json(run.config_file)["config"], run.config_file))
    header, latents = read_table(summed / "sum.csv")
    values = {name: latents[-1:, i].astype(np.float32) for i, name in enumerate(header) if name.startswith("c")}
    values |= {name: values[name].astype(np.int32) for name in ("c1", "c4")}
    image = model(model.layout.join(latents[-1:, 4:], values))[0].numpy()
    assert np.abs(found[-1] - image * 255).max() < 0.51


@pytest.mark.parametrize(
    ("classes", "text", "expected"),
    [
        ([7, 3, 3], "0 - 1 + 2", 7),  # what A has and B has not stays
        ([3, 3, 7], "0 - 1 + 2", 7),
        ([3, 3, 3], "0 - 1 + 2", 3),
        ([7, 3, 5], "0 - 1 + 2", 7),  # as much of 7 as of 5: the first
        ([5, 3, 7], "2 - 1 + 0", 7),
        ([1, 2, 2], "0,1,2", 2),  # the commonest
        ([1, 2, 3], "2,0,1", 3),
        ([1, 1, 1, 2], "0,1,2 + 3", 1),  # a third three times is as much as one
        ([2, 1, 1, 1], "0 + 1,2,3", 2),
        ([4, 9, 9, 9], "0,1 - 2,3 + 0", 4),
    ],
)
def test_a_class_is_that_whose_weights_add_up_to_most(classes, text, expected):
    signs, groups = read_arithmetic(text, len(classes))
    term = [(n, Fraction(sign, len(group))) for sign, group in zip(signs, groups, strict=True) for n in group]
    assert elected(dict(enumerate(classes)), [term]).tolist() == [expected]
    # It is the nearest one-hot vector to the plain sum of them.
    plain = sum(float(weight) * np.eye(10)[classes[number]] for number, weight in term)
    distances = np.linalg.norm(plain - np.eye(10), axis=1)
    assert distances[expected] == pytest.approx(distances.min())


def test_the_picture_is_written_as_a_sum(summed, tiny_run, tmp_path):
    said = draw(tiny_run[0], tmp_path, "--seed=5", f"--arithmetic={SUM}", "--output=sum.png")
    assert said.startswith("Wrote sum.png: 8 samples, the averages of 3 groups, and the result, in rows of 4.")
    picture, images = read_png(tmp_path / "sum.png"), np.load(summed / "sum.npy")
    down, across = (picture.shape[0] - 1) // 4, (picture.shape[1] - 1) // 4
    corners = [(1 + down * row, 1 + across * column) for row in range(4) for column in range(4)]
    corners = [(1 + down * row, 1 + across * column) for row in range(4) for column in range(4)]
    cells = [picture[top : top + down - 1, left : left + across - 1] for top, left in corners]
    left = (across - 1 - 16) // 2
    for cell, row in zip((0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 15), range(12), strict=True):
        np.testing.assert_array_equal(cells[cell][:16, left : left + 16], images[row])
        assert (cells[cell][16:] > GROUND).any()  # a label
    for cell in (6, 12, 13, 14):
        assert (cells[cell] == GROUND).all()


def test_a_numbered_grid_has_the_number_under_each_sample(summed, tiny_run, tmp_path):
    draw(tiny_run[0], tmp_path, "--seed=5", "--numbered", "--output=grid.png")
    picture, images = read_png(tmp_path / "grid.png"), np.load(summed / "all.npy")
    cell = labelled(images[:1], ["37"])[0]  # the widest label has two digits
    down, across = cell.shape[0] + 1, (picture.shape[1] - 1) // 10
    found = picture[3 * down + 1 : 4 * down, 7 * across + 1 : 8 * across]
    left = (across - 1 - 16) // 2
    np.testing.assert_array_equal(found[:16, left : left + 16], images[37])
    np.testing.assert_array_equal(found[16:, left : left + 16], cell[16:])


def test_samples_of_a_table_and_of_codes_that_vary(summed, tiny_run, tmp_path):
    flags = (f"--latents_file={summed / 'all.csv'}", "--codes=c1=2,c3=-1:1:3")
    draw(tiny_run[0], tmp_path, *flags, "--arithmetic=299 - 0", "--output=sum.npy")
    header, every = read_table(summed / "all.csv")
    found = read_table(tmp_path / "sum.csv")[1]
    assert found[:, 0].tolist() == [2.0] * 5
    assert found[:, header.index("c3")].tolist() == [1.0, 1.0, -1.0, -1.0, 2.0]
    np.testing.assert_allclose(found[-1, 4:], every[99, 4:] - every[0, 4:], atol=1e-6)
