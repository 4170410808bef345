"""Codes of any images: each row is what the model reads in that image, and sorted images are where the table says."""

import csv
import json
import os
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import run_here
from PIL import Image

from infogan_tf.config.options import Config
from infogan_tf.data import load_data
from infogan_tf.data.decoding import Form, decode
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.files import read_json
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.pictures import read_png
from infogan_tf.reports import class_folders, reading
from infogan_tf.reports.reading import cell, quoted
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.restored import restored_model

FORM = Form(16, 16, 1)  # of tiny_run's digits
COLUMNS = ["c1", "c1_probability", "c2", "c2_stddev", "c3", "c3_stddev", "c4", "c4_probability"]
# As the table has them, in its order; all of them images.
NAMES = ["./=1+1.png", 'a, "b".png', "cats/1.png", "cats/2.png", "dogs/1.png", "dogs_1.png", "x\ny.png", "\\xff.png"]


def encode(run, folder, *flags, check=True):
    return run_here("--mode=encode", f"--run_dir={run}", *flags, cwd=folder, check=check)


def table(path):
    """The rows of a table, by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def content_of(folder):
    """Everything that lies there, and when it was changed."""
    return {path: (path.lstat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in folder.rglob("*")}


def original(photos, name):
    """The file that a table calls so."""
    return photos / os.fsdecode(b"\xff.png") if name == "\\xff.png" else photos / name


@pytest.fixture(scope="module")
def model(tiny_run):
    run = RunDirectory(tiny_run[0])
    return restored_model(run, Config.from_json(read_json(run.config_file)["config"], run.config_file))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Pictures of several sizes, in colour, under awkward names; one file that is none."""
    folder = tmp_path_factory.mktemp("own") / "photos"
    rng = np.random.default_rng(0)
    for name in NAMES:
        path = original(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        size = rng.integers(20, 40, 2)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
    (folder / "dogs" / "text.png").write_text("just text")
    (folder / "notes.txt").write_text("no matter")
    return folder


@pytest.fixture(scope="module")
def encoded(tmp_path_factory, tiny_run, photos):
    """A folder with the codes of the photos as codes.csv and as sorted/, and what was printed."""
    folder, before = tmp_path_factory.mktemp("encoded"), content_of(photos)
    done = [encode(tiny_run[0], folder, f"--dataset={photos}", *more) for more in ([], ["--output=sorted/"])]
    assert content_of(photos) == before
    return folder, done


def assert_row(row, posterior):
    """A row of a table says what Q(c|x) of one image does."""
    probabilities = posterior["c1"]["probabilities"][0]
    assert int(row["c1"]) == probabilities.argmax()
    assert float(row["c1_probability"]) == pytest.approx(probabilities.max(), rel=1e-4)
    for name in ("c2", "c3"):
        assert float(row[name]) == pytest.approx(posterior[name]["mean"][0], rel=1e-3, abs=1e-5)
        assert float(row[f"{name}_stddev"]) == pytest.approx(posterior[name]["stddev"][0], rel=1e-4)
    one = posterior["c4"]["probability"][0]
    assert int(row["c4"]) == (one > 0.5)
    assert float(row["c4_probability"]) == pytest.approx(max(one, 1 - one), rel=1e-4)


def test_every_row_is_what_the_model_reads_in_that_file(encoded, photos, model):
    folder, done = encoded
    rows = table(folder / "codes.csv")
    assert list(rows[0]) == ["file", *COLUMNS]
    assert [row["file"] for row in rows] == NAMES
    for row in rows:
        image = decode(original(photos, row["file"]).read_bytes(), FORM)
        assert_row(row, model.encode(image[np.newaxis]))
    assert (folder / "codes_skipped.txt").read_text() == "dogs/text.png: no image of a kind that is read\n"
    assert "codes.csv: the codes of 8 images; left out are 1" in done[0].stdout


@pytest.mark.parametrize("step", [4, 2])
def test_classes_have_the_names_that_an_evaluation_of_these_weights_gave_them(photos, tiny_run, tmp_path, step):
    shutil.copytree(tiny_run[0], tmp_path / "run")
    names = [f"kind {k}, or so" for k in range(9)] + [""]
    classes = {"c1": names, "c2": [], "c4": ["", ""]}
    found = Evaluation("quick", step)
    for name, code in classes.items():
        found.codes[name] = {"kind": "categorical", "entropy": 1.0, "ceiling": 1.0, "classes": code}
    (tmp_path / "run" / "evaluation.json").write_text(json.dumps(found.to_json()))
    encode(tmp_path / "run", tmp_path, f"--dataset={photos}")
    rows = table(tmp_path / "codes.csv")
    if step == 4:
        assert [row["c1_name"] for row in rows] == [names[int(row["c1"])] for row in rows]
        done = encode(tmp_path / "run", tmp_path, f"--dataset={photos}", "--output=sorted/")
        named = next(k for k in (int(row["c1"]) for row in rows) if names[k])
        assert f"{named} {names[named]}: " in done.stdout
        assert (tmp_path / "sorted" / "codes.csv").read_bytes() == (tmp_path / "codes.csv").read_bytes()
    else:
        assert list(rows[0]) == ["file", *COLUMNS]


def test_what_is_read_in_an_image_does_not_depend_on_the_others(encoded, photos, tiny_run, tmp_path):
    (tmp_path / "alone").mkdir()
    shutil.copy(photos / "dogs_1.png", tmp_path / "alone")
    encode(tiny_run[0], tmp_path, "--dataset=alone")
    assert not (tmp_path / "codes_skipped.txt").exists()
    (row,) = table(tmp_path / "codes.csv")
    assert row == table(encoded[0] / "codes.csv")[NAMES.index("dogs_1.png")]


def test_blocks_change_nothing(monkeypatch, encoded, photos, tiny_run, tmp_path):
    monkeypatch.setattr(reading, "BLOCK", 3)
    encode(tiny_run[0], tmp_path, f"--dataset={photos}")
    for one, other in zip(table(tmp_path / "codes.csv"), table(encoded[0] / "codes.csv"), strict=True):
        assert one["file"] == other["file"]
        values, others = ([float(row[name]) for name in COLUMNS] for row in (one, other))
        np.testing.assert_allclose(values, others, rtol=1e-4, atol=1e-6)


# === Sorted by class ===


def class_of(path):
    """The code and the class of an image in a sorted folder."""
    code, _, number = path.parent.name.partition("-")
    return code, int(number)


def test_links_lie_in_the_folder_of_their_class(encoded, photos):
    folder = encoded[0] / "sorted"
    rows = {original(photos, row["file"]): row for row in table(folder / "codes.csv")}
    links = [path for path in folder.glob("*/*") if path.is_symlink()]
    assert len(links) == len(list(folder.glob("*/*"))) == 2 * len(NAMES)  # c1 and c4
    for code in ("c1", "c4"):
        found = {path.readlink(): class_of(path)[1] for path in links if class_of(path)[0] == code}
        assert found == {path: int(row[code]) for path, row in rows.items()}
    assert (folder / "codes.csv").read_bytes() == (encoded[0] / "codes.csv").read_bytes()
    assert (folder / "skipped_files.txt").read_bytes() == (encoded[0] / "codes_skipped.txt").read_bytes()
    assert "links to 8 images by class (c1 " in encoded[1][1].stdout


def test_sheets_show_the_surest_first(encoded, photos):
    folder = encoded[0] / "sorted"
    rows = table(folder / "codes.csv")
    for code, classes in (("c1", 10), ("c4", 2)):
        overview = Image.open(folder / f"{code}.png")
        assert overview.height == classes * 65 + 1
        for k in range(classes):
            here = [row for row in rows if int(row[code]) == k]
            assert (folder / f"{code}-{k}.png").exists() == (folder / f"{code}-{k}").exists() == bool(here)
            if not here:
                continue
            # Of equal ones, the first.
            surest = max(here, key=lambda row: float(row[f"{code}_probability"]))
            image = decode(original(photos, surest["file"]).read_bytes(), FORM)
            large = image.repeat(4, axis=0).repeat(4, axis=1)
            sheet = read_png(folder / f"{code}-{k}.png")
            assert sheet.shape == (66, 65 * len(here) + 1, 1)
            np.testing.assert_array_equal(sheet[1:65, 1:65], large)
            first = overview.width - 8 * 65  # after the margin
            np.testing.assert_array_equal(
                np.asarray(overview)[65 * k + 1 : 65 * k + 65, first : first + 64], large[..., 0]
            )


def test_a_sheet_keeps_only_the_surest(monkeypatch, photos, tiny_run, tmp_path):
    monkeypatch.setattr(class_folders, "SHEET", 2)
    encode(tiny_run[0], tmp_path, "--output=sorted/")  # the digits
    folder = tmp_path / "sorted"
    data = load_data("digits")
    rows = [row for row in table(folder / "codes.csv") if row["c4"] == "0"]
    assert len(rows) > 8
    rows.sort(key=lambda row: -float(row["c4_probability"]))
    sheet = read_png(folder / "c4-0.png")
    assert sheet.shape == (2 * 65 + 1, 2 * 65 + 1, 1)
    for i, row in enumerate(rows[:4]):
        image = getattr(data, row["split"]).images[int(row["index"])]
        top, left = 65 * (i // 2) + 1, 65 * (i % 2) + 1
        np.testing.assert_array_equal(sheet[top : top + 64 : 4, left : left + 64 : 4], image)
    # And the images themselves are PNG files there.
    row = rows[0]
    copy = read_png(folder / "c4-0" / f"{row['split']}-{int(row['index']):06d}.png")
    np.testing.assert_array_equal(copy, getattr(data, row["split"]).images[int(row["index"])])


@pytest.mark.parametrize("kind", ["archive", "no links"])
def test_where_there_can_be_no_links_there_are_copies(monkeypatch, encoded, photos, tiny_run, tmp_path, kind):
    source = photos
    names = [name for name in NAMES if not name.startswith("\\")]
    if kind == "archive":
        source = tmp_path / "photos.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for name in names:
                archive.write(photos / name, name.removeprefix("./"))
    else:
        monkeypatch.setattr(Path, "symlink_to", lambda *_: (_ for _ in ()).throw(PermissionError()))
    done = encode(tiny_run[0], tmp_path, f"--dataset={source}", "--output=sorted/")
    assert "copies of" in done.stdout
    rows = {row["file"]: row for row in table(encoded[0] / "codes.csv")}
    copies = list((tmp_path / "sorted").glob("c1-*/*"))
    assert not any(path.is_symlink() for path in copies)
    for name in names:
        same = [path for path in copies if path.read_bytes() == (photos / name).read_bytes()]
        assert [class_of(path)[1] for path in same] == [int(rows[name]["c1"])]


def test_names_of_different_folders_do_not_meet(tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    found = []
    for name in ("a_1.png", "a_1.png", "a_1.png", "b" * 300 + "1.png", "c" + "b" * 299 + "1.png", "ö" * 200 + ".png"):
        path = class_folders._free(folder, name)
        path.touch()
        found.append(path.name)
    assert found[:3] == ["a_1.png", "a_1-2.png", "a_1-3.png"]
    assert len(set(found)) == 6
    assert all(name.endswith(".png") and len(os.fsencode(name)) < 255 for name in found)
    assert found[5].encode() == os.fsencode(found[5])  # no half of a letter


# === Arrays and data sets by name ===


def test_rows_of_an_array_are_called_by_split_and_index(tiny_run, model, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 20, 28, 3), dtype=np.uint8)
    np.save(tmp_path / "a.npy", images)
    encode(tiny_run[0], tmp_path, "--dataset=a.npy")
    rows = table(tmp_path / "codes.csv")
    assert list(rows[0]) == ["split", "index", *COLUMNS]
    assert [row["index"] for row in rows] == [str(i) for i in range(30)]
    data = load_data(str(tmp_path / "a.npy"), cache_dir=str(tmp_path / "cache"), image_size="16", channels="1")
    assert sum(row["split"] == "test" for row in rows) == len(data.test.images)
    train = (row for row in rows if row["split"] == "train")
    for row, image in zip(train, data.train.images, strict=True):
        assert_row(row, model.encode(image[np.newaxis]))


def test_arrays_of_a_split_are_counted_apart(tiny_run, tmp_path):
    one, other = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x_train=one, x_test=other[:2])
    encode(tiny_run[0], tmp_path, "--dataset=a.npz", "--output=sorted/")
    rows = table(tmp_path / "sorted" / "codes.csv")
    names = [(row["split"], row["index"]) for row in rows]
    assert names == [("train", "0"), ("train", "1"), ("train", "2"), ("test", "0"), ("test", "1")]
    copy = tmp_path / "sorted" / f"c1-{rows[4]['c1']}" / "test-000001.png"
    np.testing.assert_array_equal(read_png(copy)[..., 0], other[1])


def test_without_a_data_set_it_is_the_runs_own(tiny_run, model, tmp_path):
    encode(tiny_run[0], tmp_path, "--output=own.csv")
    rows = table(tmp_path / "own.csv")
    data = load_data("digits")
    assert [row["split"] for row in rows] == ["train"] * len(data.train.images) + ["test"] * len(data.test.images)
    assert_row(rows[3], model.encode(data.train.images[3:4]))
    assert_row(rows[-1], model.encode(data.test.images[-1:]))


def test_a_data_set_that_is_as_it_is_has_no_crop_of_the_runs(tiny_run, model, tmp_path):
    shutil.copytree(tiny_run[0], tmp_path / "run")
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    record["config"] |= {"dataset": str(tmp_path / "photos"), "crop": "none", "background": "black"}
    (tmp_path / "run" / "config.json").write_text(json.dumps(record))
    encode(tmp_path / "run", tmp_path, "--dataset=digits", "--output=own.csv")
    assert_row(table(tmp_path / "own.csv")[3], model.encode(load_data("digits").train.images[3:4]))
    done = run_here("--mode=encode", "--run_dir=run", "--dataset=digits", "--crop=none", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--crop: --dataset=digits is as it is" in done.stderr


# === What is refused, and what is left ===


def test_a_folder_without_images_is_refused(tiny_run, tmp_path):
    (tmp_path / "empty").mkdir()
    done = encode(tiny_run[0], tmp_path, "--dataset=empty", check=False)
    assert done.returncode == 2
    assert "--dataset: expected a folder or archive with images" in done.stderr
    (tmp_path / "empty" / "1.png").write_text("just text")
    for output in ("codes.csv", "sorted/"):
        done = encode(tiny_run[0], tmp_path, "--dataset=empty", f"--output={output}", check=False)
        assert done.returncode == 2
        assert "that can be read. Received: none, such as 1.png: no image of a kind that is read" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_disk_without_room_is_refused_beforehand(monkeypatch, photos, tiny_run, tmp_path):
    monkeypatch.setattr(InfoGAN, "encode", lambda *args, **kwargs: pytest.fail("work was done"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=9 * 2 * 4096))
    done = encode(tiny_run[0], tmp_path, f"--dataset={photos}", "--output=sorted/", check=False)
    assert done.returncode == 2
    assert "--output: expected at least 0.1 MB free" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("output", ["codes.csv", "sorted"])
def test_an_error_on_the_way_leaves_nothing(monkeypatch, photos, tiny_run, tmp_path, output):
    monkeypatch.setattr(reading, "BLOCK", 3)
    own, seen = InfoGAN.encode, []

    def fails(self, images, batch_size):
        seen.append(list(tmp_path.iterdir()))
        if len(seen) == 2:
            raise OSError(28, "No space left on device")
        return own(self, images, batch_size)

    # Of blocks alone; the header asks for none.
    monkeypatch.setattr(
        InfoGAN, "encode", lambda self, images, **kwargs: (fails if kwargs else own)(self, images, **kwargs)
    )
    name = output if output.endswith(".csv") else f"{output}/"
    done = encode(tiny_run[0], tmp_path, f"--dataset={photos}", f"--output={name}", check=False)
    assert done.returncode == 2
    assert "--output: cannot write there ([Errno 28] No space left" in done.stderr
    assert len(seen) == 2
    assert all(path.name.startswith(".") for path in seen[1])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", "a.png"),
        ("=cmd.png", "./=cmd.png"),
        ("@x", "./@x"),
        ("+1", "./+1"),
        ("-1", "./-1"),
        ("\tx", "./\tx"),
        ('=a",b', '"./=a"",b"'),
        ("a\rb", '"a\rb"'),
        ("a/=1.png", "a/=1.png"),
    ],
)
def test_a_name_is_never_a_formula_and_reads_back(name, expected):
    assert cell(name) == expected
    (read,) = next(csv.reader([expected]))
    assert read.removeprefix("./") == name


def test_of_a_model_that_reads_the_noise_the_table_has_the_noise(tmp_path, photos):
    flags = ("--model=vae", "--latents=normal_noise:3", "--networks=mlp", "--steps=2", "--batch_size=8", "--seed=1")
    run_here(*flags, "--precision=float32", "--evaluation=none", "--run_dir=vae", cwd=tmp_path)
    encode("vae", tmp_path, f"--dataset={photos}")
    rows = table(tmp_path / "codes.csv")
    assert list(rows[0]) == ["file", *(f"z{i}{ending}" for i in (1, 2, 3) for ending in ("", "_stddev"))]
    run = RunDirectory(tmp_path / "vae")
    vae = restored_model(run, Config.from_json(read_json(run.config_file)["config"], run.config_file))
    for row, name in zip(rows, NAMES, strict=True):
        read = vae.encode(decode(original(photos, name).read_bytes(), FORM)[np.newaxis])["noise"]
        assert [float(row[f"z{i}"]) for i in (1, 2, 3)] == pytest.approx(read["mean"][0], rel=1e-3, abs=1e-5)
        assert [float(row[f"z{i}_stddev"]) for i in (1, 2, 3)] == pytest.approx(read["stddev"][0], rel=1e-4)
    done = encode("vae", tmp_path, f"--dataset={photos}", "--output=sorted/", check=False)
    assert done.returncode == 2
    assert "--output: expected a .csv file" in done.stderr


def test_a_model_that_reads_nothing_is_refused(tmp_path):
    flags = ("--model=gan", "--latents=noise:3", "--networks=mlp", "--steps=1", "--batch_size=8", "--precision=float32")
    run_here(*flags, "--evaluation=none", "--run_dir=gan", cwd=tmp_path)
    done = encode("gan", tmp_path, check=False)
    assert done.returncode == 2
    assert "--run_dir: expected a run that reads something in images" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [("-1", "-1"), ("+1.5", "+1.5"), ("=1", "'=1"), ("-x", "'-x"), ("a,b", '"a,b"'), ("cat", "cat")],
)
def test_a_class_keeps_its_name(name, expected):
    assert quoted(name) == expected
