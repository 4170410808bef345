"""Labels that one has: tables of them, how they are joined to images, and what is measured by them."""

import json

import numpy as np
import pytest
from conftest import run_here
from PIL import Image

from infogan_tf.data import folder as folder_loader
from infogan_tf.data import load_data
from infogan_tf.data.images import ImageData, Split
from infogan_tf.data.labels import MOST_CLASSES, read_table
from infogan_tf.errors import UserError
from infogan_tf.evaluation.groups import association, effects, information
from infogan_tf.evaluation.material import LEAST_IMAGES, Material, Setting
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.latents.layout import LatentLayout

COUNT = 40


@pytest.fixture
def photos(tmp_path):
    """A folder of 40 pictures, "i.png" in the class folder that i's parity names; picture i has the grey level 5 i."""
    for i in range(COUNT):
        path = tmp_path / "photos" / ("odd" if i % 2 else "even") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 5 * i).save(path)
    return tmp_path / "photos"


def table(tmp_path, text, encoding="utf-8", name="labels.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return str(path)


def load(path, tmp_path, labels, **options):
    return load_data(str(path), cache_dir=str(tmp_path / "cache"), labels=labels, **options)


def numbers(split):
    """Which picture each image is."""
    return np.asarray(split.images)[:, 0, 0, 0].astype(int) // 5


# === The table ===


def test_columns_are_attributes_or_classes(tmp_path):
    text = (
        "file,Male,Smiling,Young,hair,digit,constant,when\n"
        '1.png,1,-1,True,"blond, long",10,7,08:00\n'
        "2.png,0,1,false,dark,9,7,08:01\n"
        "\n"
        "3.png,,1, true ,dark,NaN,7,n/a\n"
    )
    found = read_table(table(tmp_path, text))
    assert found.names == ("1.png", "2.png", "3.png")
    assert {name: values.tolist() for name, values in found.attributes.items()} == {
        "Male": [1, 0, -1],
        "Smiling": [0, 1, 1],
        "Young": [1, 0, 1],
    }
    assert {name: (names, values.tolist()) for name, (names, values) in found.classes.items()} == {
        "hair": (("blond, long", "dark"), [0, 1, 1]),
        "digit": (("9", "10"), [1, 0, -1]),  # in the order of numbers
        "when": (("08:00", "08:01"), [0, 1, -1]),
    }
    assert found.notes == ("labels.csv: the column constant is left out; it has one value, '7'.",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_delimiters_are_told(tmp_path, encoding, delimiter, end):
    lines = [("Datei", "größer", "Farbe"), ("ä.png", "1", "rot"), ("b.png", "0", "blau")]
    text = "".join(delimiter.join(line) + end for line in lines)
    found = read_table(table(tmp_path, text, encoding))
    assert found.names == ("ä.png", "b.png")
    assert found.attributes["größer"].tolist() == [1, 0]
    assert found.classes["Farbe"][0] == ("blau", "rot")


def test_a_column_of_too_many_values_is_left_out(tmp_path):
    lines = [f"{i}.png,{i % 2},name {i}" for i in range(MOST_CLASSES + 1)]
    found = read_table(table(tmp_path, "\n".join(["file,a,b", *lines])))
    assert (set(found.attributes), found.classes) == ({"a"}, {})
    assert "column b is left out; it has more than 200 values" in found.notes[0]


BAD_TABLES = {
    "empty": ("", "a column of 0 and 1|a line for each file"),
    "no header": ("1.png,1\n2.png,0\n", "columns' names in its first line"),
    "no header, by index": ("0,1\n1,0\n", "columns' names in its first line"),
    "no column": ("file\n1.png\n", "a header: the file's name"),
    "a column without a name": ("file,a,\n1.png,1,\n", "a header: the file's name"),
    "header alone": ("file,a\n", "a line for each file"),
    "two columns of one name": ("file,a,a\n1.png,1,0\n", "'a' twice"),
    "a short line": ("file,a,b\n1.png,1,0\n2.png,1\n", "3 cells in each line.*2 in line 3"),
    "a long line": ("file,a\n1.png,1,0\n", "3 in line 2"),
    "no name": ("file,a\n,1\n", "none in line 2"),
    "a file twice": ("file,a\n1.png,1\n2.png,0\n1.png,0\n", "2 for '1.png'"),
    "nothing known": ("file,a,b\n1.png,1,\n2.png,1,\n", "a is left out; it has one value.*b is left out; it has no v"),
    "an open quote": ('file,a\n"1.png,1\n2.png,0\n', "can be read"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_table_that_is_none_is_refused_in_one_line(tmp_path, name):
    text, words = BAD_TABLES[name]
    with pytest.raises(UserError, match=f"--labels: expected .*({words})") as info:
        read_table(table(tmp_path, text))
    assert len(str(info.value).splitlines()) == 1
    assert "labels.csv" in str(info.value)


@pytest.mark.parametrize(
    "content", ["file,größe\n1.png,1\n".encode("latin-1"), b"PK\x03\x04\xff\xfe\x9d", b"\xff\xfea"]
)
def test_what_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"--labels: expected a \.csv in UTF-8"):
        read_table(str(tmp_path / "labels.csv"))


def test_what_is_not_there_or_no_file_is_refused(tmp_path):
    for path in (tmp_path / "nowhere.csv", tmp_path, "~nobody-of-this-name/a.csv"):
        with pytest.raises(UserError, match=r"--labels: expected a \.csv that"):
            read_table(str(path))


# === Joined to images ===


@pytest.mark.parametrize("name", ["odd/{}.png", "even/{}.png", "{}.png", "./{}.png", "{}"])
def test_rows_name_files_by_path_by_bare_name_and_without_suffix(photos, tmp_path, name):
    texts = [f"{name.format(i)},{int(i > 20)}" for i in range(COUNT)]
    data = load(photos, tmp_path, table(tmp_path, "\n".join(["file,late", *texts])))
    assert data.attribute_names == ("late",)
    for split in (data.train, data.test):
        which = numbers(split)
        named = np.isin(which % 2, {"odd": [1], "even": [0]}.get(name.split("/")[0], [0, 1]))
        assert split.attributes.dtype == np.int8
        assert split.attributes[:, 0].tolist() == np.where(named, which > 20, -1).tolist()


def test_what_is_missing_is_said(photos, tmp_path):
    data = load(photos, tmp_path, table(tmp_path, "file,a\n1.png,1\n2.png,0\n3.png,1\nother.png,1\n"))
    assert data.notes == ("labels.csv has no row for 37 of 40 images.", "labels.csv has 1 rows that name no image.")
    assert load(photos, tmp_path, "").notes == ()


def test_rows_of_no_image_of_several_or_of_one_twice_are_refused_before_anything_is_decoded(photos, tmp_path):
    Image.new("L", (16, 16)).save(photos / "odd" / "2.png")
    for text, words in (
        ("a/1.png,1\nb.png,0", "names of the images in its first column, such as .*others, such as 'a/1.png'"),
        ("1.png,1\n2.png,0", "each file's path within the folder.*'2.png', which is .*/2.png and .*/2.png"),
        ("1.png,1\nodd/1.png,0", "one row for each file.*two for odd/1.png"),
    ):
        with pytest.raises(UserError, match=f"--labels: expected {words}"):
            load(photos, tmp_path, table(tmp_path, f"file,a\n{text}\n"))
    assert not (tmp_path / "cache").exists()


def test_a_file_that_cannot_be_read_moves_no_row(photos, tmp_path):
    for name in ("15.png", "16.png"):
        (photos / "odd" / f"0{name}").write_bytes(b"just text")
    texts = [f"{i}.png,{int(i > 20)}" for i in range(COUNT)]
    data = load(photos, tmp_path, table(tmp_path, "\n".join(["file,late", *texts, "015.png,1"])))
    assert len(data.skipped) == 2
    for split in (data.train, data.test):
        assert split.attributes[:, 0].tolist() == (numbers(split) > 20).tolist()


def test_a_changed_table_decodes_nothing_anew(photos, tmp_path, monkeypatch):
    first = load(photos, tmp_path, table(tmp_path, "file,a\n1.png,1\n2.png,0\n"))
    monkeypatch.setattr(folder_loader, "decode", lambda *_: pytest.fail("decoded anew"))
    other = load(photos, tmp_path, table(tmp_path, "file,b\n1.png,1\n2.png,0\n3.png,0\n"))
    assert (first.digest, other.attribute_names) == (other.digest, ("b",))


def test_the_one_column_of_classes_is_the_label_in_place_of_folders(photos, tmp_path):
    assert load(photos, tmp_path, "").label_names == ("even", "odd")
    rows = [f"{i}.png,{'abc'[i % 3]},{i % 2}" for i in range(COUNT)]
    data = load(photos, tmp_path, table(tmp_path, "\n".join(["file,kind,odd", *rows])))
    assert (data.label_names, data.attribute_names) == (("a", "b", "c"), ("odd",))
    for split in (data.train, data.test):
        assert split.labels.dtype == np.int64
        assert split.labels.tolist() == (numbers(split) % 3).tolist()
    # Where an image has none, they are attributes; and so are several columns of classes.
    data = load(photos, tmp_path, table(tmp_path, "\n".join(["file,kind,odd", *rows[1:]])))
    assert data.label_names == ("even", "odd")
    assert data.attribute_names == ("odd", "kind=a", "kind=b", "kind=c")
    assert any(note.startswith("kind is no label, as 1 images have none") for note in data.notes)
    for split in (data.train, data.test):
        which = numbers(split)
        assert split.attributes[:, 2].tolist() == np.where(which > 0, which % 3 == 1, -1).tolist()
    rows = [f"{i}.png,{'abc'[i % 3]},{'xyz'[i % 3]}" for i in range(COUNT)]
    data = load(photos, tmp_path, table(tmp_path, "\n".join(["file,one,other", *rows])))
    assert data.label_names == ("even", "odd")
    assert data.attribute_names == ("one=a", "one=b", "one=c", "other=x", "other=y", "other=z")


def test_images_of_an_array_are_named_by_their_index(tmp_path):
    images = np.broadcast_to(5 * np.arange(COUNT, dtype=np.uint8)[:, None, None], (COUNT, 16, 16))
    text = "\n".join(["index,late", *(f"{i},{int(i > 20)}" for i in range(COUNT))])
    np.save(tmp_path / "a.npy", images)
    np.savez(tmp_path / "b.npz", x_train=images[:30], y_train=np.arange(30), x_test=images[30:], y_test=np.arange(10))
    for name in ("a.npy", "b.npz"):
        data = load(tmp_path / name, tmp_path, table(tmp_path, text))
        for split in (data.train, data.test):
            assert split.attributes[:, 0].tolist() == (numbers(split) > 20).tolist()
    assert set(data.train.labels) == set(range(30))
    with pytest.raises(UserError, match=r"names of the images in its first column, such as \d+\. Received"):
        load(tmp_path / "a.npy", tmp_path, table(tmp_path, "file,a\n1.png,1\n2.png,0\n"))


# === What is measured ===


class Model:
    """Q reads the brightness as c2, which it takes for the more probable class 1 of c1; c3 is noise."""

    READS = "codes"
    layout = LatentLayout.parse("noise:2,cat:2,uniform:2")
    read_codes = layout.read_codes

    def stream_seed(self, stream, position=0):
        return (0, 4)

    def read(self, latents):
        images = np.random.default_rng(1).random((len(latents), 8, 8, 1)).astype(np.float32)
        means = images.mean(axis=(1, 2, 3))
        log_probs = {"c1": np.full(len(means), -0.1), "c2": np.full(len(means), -0.5), "c3": np.full(len(means), -0.5)}
        return images, log_probs, self.encode(images)

    def encode(self, images):
        means = np.asarray(images, np.float64).mean(axis=(1, 2, 3)) / 255
        noise = np.random.default_rng(0).normal(size=len(means))
        return {
            "c1": {"probabilities": np.stack([1 - means, means], axis=1)},
            "c2": {"mean": means, "stddev": np.ones(len(means))},
            "c3": {"mean": noise, "stddev": np.ones(len(means))},
        }


def material(**known):
    """200 images, of brightness 0 to 199, of which every second is for evaluation."""
    levels = np.arange(200)
    images = np.broadcast_to(levels[:, None, None, None].astype(np.uint8), (200, 8, 8, 1))
    facts = np.stack([values(levels) for values in known.values()], axis=1).astype(np.int8)
    train, test = (Split(images[part::2], attributes=facts[part::2]) for part in (0, 1))
    data = ImageData("levels", train, test, attribute_names=tuple(known), notes=("of levels",))
    return Material(Model(), data, Setting("quick", images=150, votes=(10, 10)))


def measured(of):
    found = Evaluation("quick", 1)
    for group in (information, association, effects):
        group(of, found)
    return found


def test_codes_are_called_by_the_attribute_that_goes_with_them_best():
    of = material(
        dark=lambda levels: levels < 100,
        # In its order, but for ten of each hundred: the area is known.
        bright=lambda levels: (levels >= 150) | (levels % 10 == 0),
        rare=lambda levels: levels >= 200 - LEAST_IMAGES,
        unknown=lambda levels: np.where(levels < 50, 1, -1),
    )
    found = measured(of)
    assert found.codes["c2"]["goes_with"] == [{"name": "not dark", "train_auc": 1.0, "auc": 1.0}]
    assert found.codes["c2"]["does"] == "not dark, AUC 1.00"
    assert [match["name"] for match in found.codes["c1"]["goes_with"]] == ["dark", "not dark"]
    assert found.codes["c1"]["does"] == "dark (class 0), AUC 1.00"
    assert found.codes["c1"]["classes"] == ["dark", "not dark"]
    assert found.figures["attribute_auc/c2"] == 1.0
    # Noise goes with nothing: it is called by what it changes in drawn images, or nothing.
    assert found.codes["c3"]["goes_with"][0]["auc"] < 0.6
    assert "AUC" not in found.codes["c3"]["does"]
    table = found.associations
    assert table["columns"] == ["c1=0", "c1=1", "c2", "c3"]
    assert table["names"] == ["dark", "bright", "rare", "unknown"]
    assert np.shape(table["auc"]) == np.shape(table["train_auc"]) == (4, 4)
    assert table["auc"][0][:3] == [1.0, 0.0, 0.0]
    assert table["auc"][2] == table["train_auc"][3] == [None] * 4
    assert json.loads(json.dumps(found.to_json()))["associations"] == table
    assert found.notes[0] == "of levels"
    assert "100 training images, AUC on 100 others" in found.notes[1]


def test_labels_are_in_the_table_and_name_no_code():
    of = material(dark=lambda levels: levels < 100)
    labels = (of.data.train.images[:, 0, 0, 0] >= 100).astype(np.int64)
    splits = (Split(split.images, labels) for split in (of.data.train, of.data.test))
    of = Material(Model(), ImageData("levels", *splits, label_names=("dark", "7")), of.setting)
    found = measured(of)
    assert found.associations["names"] == ["dark", "label 7"]
    assert [match["name"] for match in found.codes["c1"]["goes_with"]] == ["dark", "label 7"]
    assert found.codes["c1"]["does"] == "classes"  # which were not held against the labels
    assert "AUC" not in found.codes["c2"]["does"]


def test_nothing_known_is_nothing_measured():
    of = material(dark=lambda levels: levels < 100)
    splits = (Split(split.images) for split in (of.data.train, of.data.test))
    found = measured(Material(Model(), ImageData("levels", *splits), of.setting))
    assert found.associations == {}
    assert "goes_with" not in found.codes["c1"]
    assert found.codes["c1"]["classes"] == ["", ""]
    assert not [note for note in found.notes if "Attributes" in note]


# === A run ===


def test_a_run_is_measured_by_a_table_that_may_be_another_later(photos, tmp_path):
    rows = [f"{i}.png,{'abc'[i % 3]},{int(i >= 20)}" for i in range(COUNT)]
    table(tmp_path, "\n".join(["file,kind,late", *rows]))
    flags = ("--batch_size=8", "--latents=noise:4,cat:3,uniform:1", "--precision=float32", "--eval_every=2",
             "--image_size=16", f"--cache_dir={tmp_path / 'cache'}", "--run_dir=run")  # fmt: skip
    done = run_here("--dataset=photos", "--labels=labels.csv", "--steps=2", "--evaluation=quick", *flags, cwd=tmp_path)
    record = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert record["labels"] == str(tmp_path / "labels.csv")
    assert "c1_error" in (tmp_path / "run" / "metrics.jsonl").read_text()
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert found["associations"]["names"] == ["late", "a", "b", "c"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<th>late</th>" in page
    assert "of light, colour and composition" in page
    metadata = json.loads((tmp_path / "run" / "export/infogan/1/assets.extra/metadata.json").read_text())
    assert "labels" not in metadata["options"]
    # A table that is gone is said, and another one taken.
    (tmp_path / "labels.csv").rename(tmp_path / "other.csv")
    done = run_here("--resume", "--run_dir=run", "--steps=3", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--labels: expected a .csv that is there" in done.stderr
    run_here("--resume", "--run_dir=run", "--labels=other.csv", "--evaluation=none", cwd=tmp_path, exporting=False)
    record = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert record["labels"] == str(tmp_path / "other.csv")


def test_a_run_that_is_told_labels_goes_on_with_no_others(photos, tmp_path):
    flags = ("--batch_size=8", "--latents=noise:4,cat:2", "--precision=float32", "--image_size=16", "--labelled=4",
             f"--cache_dir={tmp_path / 'cache'}", "--run_dir=run", "--evaluation=none")  # fmt: skip
    run_here("--dataset=photos", "--steps=1", *flags, cwd=tmp_path, exporting=False)
    same, other = ([f"{i}.png,{names[i % 2]}" for i in range(COUNT)] for names in (("even", "odd"), ("odd", "even")))
    for name, rows in (("same.csv", same), ("other.csv", other)):
        table(tmp_path, "\n".join(["file,kind", *rows]), name=name)
    again = ("--resume", "--run_dir=run", "--steps=2", "--evaluation=none")
    done = run_here(*again, "--labels=other.csv", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--labels: expected the labels that run is trained with. Received: others" in done.stderr
    # Nor is it measured by others, which would be taken for those that it was told.
    done = run_here("--mode=evaluate", "--run_dir=run", "--labels=other.csv", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--labels: expected the labels that run is trained with. Received: others" in done.stderr
    assert not (tmp_path / "run" / "evaluation.json").exists()
    run_here(*again, "--labels=same.csv", cwd=tmp_path, exporting=False)


def test_labels_of_a_data_set_by_name_are_refused(tiny_run, tmp_path):
    table(tmp_path, "file,a\n1.png,1\n2.png,0\n")
    for flags in (("--dataset=digits",), ("--mode=evaluate", f"--run_dir={tiny_run[0]}")):
        done = run_here(*flags, "--labels=labels.csv", cwd=tmp_path, check=False)
        assert done.returncode == 2
        assert "--labels: --dataset=digits is as it is" in done.stderr


@pytest.mark.parametrize(
    ("shares", "accuracy", "does"),
    [
        (10 * [0.1], 0.8, "the class of the image"),
        (10 * [0.1], 0.2, "classes, which are not those of the labels"),
        # What is right of as many by chance.
        ([0.5, 0.5], 0.6, "classes, which are not those of the labels"),
        ([0.5, 0.5], 0.9, "the class of the image"),
        ([0.6, 0.2, 0.2], 0.65, "classes, which are not those of the labels"),
    ],
)
def test_a_code_is_the_images_class_only_where_the_labels_say_so(shares, accuracy, does):
    of = material(dark=lambda levels: levels < 100)
    labels = np.repeat(np.arange(len(shares)), [round(100 * share) for share in shares])
    splits = (Split(split.images, labels) for split in (of.data.train, of.data.test))
    of = Material(Model(), ImageData("levels", *splits), of.setting)
    found = measured(of)
    found.figures["accuracy/c1"] = accuracy
    effects(of, found)
    assert found.codes["c1"]["does"] == does
