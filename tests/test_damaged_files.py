"""What people and disks make of a run's files: one line that names the file, or what is written there, and no more."""

import copy
import dataclasses
import json
import random
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import configs
from infogan_tf import command_line, pictures
from infogan_tf.command_line import recipe_of
from infogan_tf.commands.sweep import figures_of
from infogan_tf.commands.train import write_animation
from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.evaluation.record import read_evaluation
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.explorer.site import Site
from infogan_tf.export.metadata import make_metadata
from infogan_tf.export.model_card import model_card
from infogan_tf.files import as_json, newest_version, versions
from infogan_tf.latents.language import read_latents
from infogan_tf.models.choices import resolve, taken
from infogan_tf.reports import comparison, run_page
from infogan_tf.runs.choice import read_choice
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import read_lines
from infogan_tf.runs.records import begin, existing_run, folders_of_runs
from infogan_tf.training.starts import choice_note

LATENTS = "noise:6,cat:10,uniform:1,normal:1,bernoulli:1"  # those of conftest's live_model
CODES = read_latents(LATENTS).codes
EVALUATION = {
    "setting": "quick",
    "step": 2,
    "figures": {"accuracy/c1": 0.97, "mutual_info/c1": 2.3, "fid": 0.4, "fid/inception-2015": 7.5, "mig": 0.2},
    "stderrs": {"mutual_info/c1": 0.0008},
    "perfect": {"mig": 0.98},
    "codes": {
        "c1": {"kind": "categorical", "entropy": 2.3, "ceiling": 2.3, "does": "digit", "classes": [*"abcdefghij"],
               "goes_with": [None] * 9 + [{"name": "hat", "auc": 0.9, "train_auc": 0.8}]},
        "c2": {"kind": "uniform", "entropy": 0.7, "ceiling": 1.5, "does": "width, rho = 0.68",
               "correlations": {"width": {"rho": 0.68, "lowest": 0.5, "highest": 0.9}}},
    },
    "confusion": {"code": "c1", "labels": ["x", "y"], "classes": list(range(10)), "counts": [[3] * 10, [0] * 10],
                  "matched": ["x", "y", *[""] * 8], "shares": [0.5] * 10},
    "associations": {"names": ["hat"], "columns": [*(f"c1={k}" for k in range(10)), "c2", "c3", "c4"],
                     "auc": [[0.5] * 12 + [None]], "train_auc": [[0.5] * 13]},
    "notes": ["500 images drawn."],
    "features": {"": "a classifier"},
}  # fmt: skip
LINE = {"step": 2, "epoch": 1, "seconds": 0.5, "images_per_second": 32.0, "d_loss": 1.2, "g_loss": float("nan")}
METRICS = "".join(json.dumps(LINE | {"step": step, "epoch": step // 2}) + "\n" for step in (2, 4, 6))
STARTS = {"invariance_weight": 1.0, "starts": 2, "start_steps": 2}
CHOICE = {"steps": 2, "invariance_terms": [0.5, 0.25], "chosen": 1}
# What a hand, another program or a disk may put in a value's place.
VALUES = (
    None, True, False, 0, -1, 1, 2, 0.5, -0.0, 10**30, 10**400, 2**63, 1e39, 1e-50, float("nan"), float("inf"), "", "a",
    "\0", "\ud800", "x\ny", "$_\\<", "a" * 5000, "1", [], [[]], [None], [1, "a"], {}, {"": 0}, {"c1": None}, {"rho": 1},
    [16, 16, 1], ["a"] * 10, "noise:4,cat:10", "bernoulli:99999999999", "tfds:x", "/nowhere", ".",
)  # fmt: skip


def begin_run(folder):
    """A run's folder, as if it had been trained and evaluated; nothing looks into its checkpoint here."""
    options = taken(resolve(recipe_of(configs, "digits", "paper"), {"latents": LATENTS, "steps": 6, **STARTS}))
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "starts").mkdir()
    data = SimpleNamespace(image_shape=(8, 8, 1), digest="", skipped=())
    begin(RunDirectory(folder), options, data, ["main.py"])
    (folder / "checkpoints" / "step_00000006.npz").write_text("not looked into")
    (folder / "metrics.jsonl").write_text(METRICS)
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION))
    (folder / "starts" / "choice.json").write_text(json.dumps(CHOICE))
    return folder


def places(value, path=()):
    """Every place within a JSON value, itself among them."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def with_another_value(text, chance):
    """A JSON text in which something is replaced, renamed, taken away or added."""
    lines = [json.loads(line) for line in text.splitlines()] if text.count("\n{") else [json.loads(text)]
    value = copy.deepcopy(chance.choice(lines))
    place = chance.choice(list(places(value)))
    new, how = chance.choice(VALUES), chance.randrange(4)
    if not place:
        value = new
    else:
        around = value
        for key in place[:-1]:
            around = around[key]
        if how == 0:
            del around[place[-1]]
        elif how == 1 and isinstance(around, dict):
            around[chance.choice(["", "step", "c9", "figures", "no_such"])] = around.pop(place[-1])
        elif how == 2 and isinstance(around, list):
            around.append(new)
        else:
            around[place[-1]] = new
    lines[chance.randrange(len(lines))] = value
    return "\n".join(json.dumps(line) for line in lines) + "\n"


def with_other_bytes(text, chance):
    """A text in which bytes are flipped, lost, doubled or put in."""
    content = bytearray(text.encode())
    start = chance.randrange(len(content))
    end = min(len(content), start + chance.choice((1, 1, 2, 5, 40)))
    match chance.randrange(5):
        case 0:
            content[start] ^= 1 << chance.randrange(8)
        case 1:
            del content[start:end]
        case 2:
            content[start:start] = content[start:end]
        case 3:
            content[start:start] = chance.choice(
                [b"\0", b"\xff", b'"', b"{", b"]", b"9", b"e9", b"\n", b"-", b"[" * 20_000]
            )
        case 4:
            del content[start:]
    return bytes(content)


def damaged(text, count):
    """As many damaged versions of a JSON text, as bytes; the same ones every time."""
    chance = random.Random(24)
    for i in range(count):
        yield with_another_value(text, chance).encode("utf-8", "replace") if i % 2 else with_other_bytes(text, chance)


def answer_of(read, file):
    """What is read; None where that is refused in one line that names the file."""
    try:
        return read()
    except UserError as error:
        named = str(file) in str(error)
    assert named
    return None


def test_a_damaged_config_is_named_or_says_what_it_says(tmp_path):
    run = begin_run(tmp_path / "run")
    file, text = run / "config.json", (run / "config.json").read_text()
    refused = 0
    for content in damaged(text, 1500):
        file.write_bytes(content)

        def read():
            found, config = existing_run(str(run), {})
            return config, found.image_shape()

        found = answer_of(read, file)
        refused += found is None
        if found:
            record = json.loads(content)
            assert found[1] == tuple(record["image_shape"])
            defaults = Config().to_json()
            wanted = defaults | record["config"]
            assert found[0].to_json() == wanted
            assert all(
                type(wanted[name]) is type(value) or isinstance(value, float | None) for name, value in defaults.items()
            )
            taken(found[0])
            "".join(record.get("commands", []))
            "".join(f"{name}{version}" for name, version in record["versions"].items())
    assert 700 < refused < 1500


def test_damaged_metrics_are_named_or_read_to_the_end(tmp_path):
    file, refused = tmp_path / "metrics.jsonl", 0
    for content in damaged(METRICS, 1500):
        file.write_bytes(content)
        found = answer_of(lambda: read_lines(file), file)
        refused += found is None
        if found is not None:
            *whole, last = content.split(b"\n")
            assert len(found) - len(whole) in ((0, 1) if last else (0,))
            for line, text in zip(found, content.split(b"\n"), strict=False):
                assert repr(line) == repr(json.loads(text))
            assert [line["step"] for line in found] == sorted({line["step"] for line in found})
            assert all(isinstance(value, int | float) for line in found for value in line.values())
    assert 700 < refused < 1500


def test_every_attribute_of_an_evaluation_is_read_as_it_was_written(tmp_path):
    assert set(EVALUATION) == {field.name for field in dataclasses.fields(Evaluation)}
    for found in (Evaluation(**EVALUATION), Evaluation("full", 3)):
        (tmp_path / "evaluation.json").write_text(as_json(found.to_json()))
        assert read_evaluation(tmp_path / "evaluation.json", CODES) == found


def test_a_damaged_evaluation_is_named_or_serves_all_that_read_it(tmp_path, live_model):
    file, refused = tmp_path / "evaluation.json", 0
    config = Config(latents=LATENTS)
    for i, content in enumerate(damaged(json.dumps(EVALUATION), 2000)):
        file.write_bytes(content)
        found = answer_of(lambda: read_evaluation(file, CODES), file)
        refused += found is None
        if found:
            assert found.to_json() == {**type(found)("", None).to_json(), **json.loads(content)}
            run = comparison.Run("a", RunDirectory(tmp_path), config, [LINE], found)
            figures_of(run)
            comparison._notes([run, run], ["infogan"])
            comparison._effects([run])
            comparison._figure_rows([run], [[run]])
            json.dumps(found.to_json(), ensure_ascii=False).encode()  # as a page has it
            if i % 10 == 0:
                assert model_card(make_metadata(live_model, evaluation=found.to_json()))
    assert 700 < refused < 2000


def test_a_choice_with_agreements_of_other_starts_is_named(tmp_path):
    run = RunDirectory(tmp_path)
    run.choice_file.parent.mkdir()
    run.choice_file.write_text(json.dumps(CHOICE | {"agreements": [0.5]}))
    assert answer_of(lambda: read_choice(run.choice_file, 2), run.choice_file) is None


def test_a_damaged_choice_is_named_or_says_what_it_says(tmp_path):
    run, refused = RunDirectory(tmp_path), 0
    run.choice_file.parent.mkdir()
    for content in damaged(json.dumps(CHOICE), 1500):
        run.choice_file.write_bytes(content)
        found = answer_of(lambda: read_choice(run.choice_file, 2), run.choice_file)
        note = answer_of(lambda: choice_note(run, Config(starts=2)), run.choice_file)
        refused += found is None
        assert (found is None) == (note is None)
        if found:
            assert dataclasses.asdict(found) == {"agreements": None} | json.loads(content)
            assert note.startswith(f"Start {found.chosen + 1} of 2 was trained on")
            assert all(term >= found.invariance_terms[found.chosen] for term in found.invariance_terms)
    assert 700 < refused < 1500


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "evaluation.json", "starts/choice.json"])
@pytest.mark.parametrize(
    "content", [b"\0" * 9, b"[" * 100_000 + b"\n", b"{}\n", b"7\n", b'{"step": 1e999}\n', b'{"a": 1, "a": 2}\n']
)
def test_every_command_names_it_before_it_does_anything(tmp_path, monkeypatch, capsys, name, content):
    begin_run(tmp_path / "a"), begin_run(tmp_path / "b")
    (tmp_path / "b" / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    commands = [["--resume"], ["--mode=export"], ["--mode=encode"], ["--mode=explore"], ["--mode=evaluate"]]
    lines = [[*command, "--run_dir=b"] for command in commands] + [["--mode=compare", "--runs=a,b"]]
    for flags in lines:
        if name == "evaluation.json" and "--mode=evaluate" in flags:
            continue  # which writes it anew
        if name == "metrics.jsonl" and content.strip(b"\0") == b"":
            continue  # as a disk leaves a line that was not written to its end
        assert command_line.main(["main.py", *flags], configs) == 2
        complained = capsys.readouterr().err
        assert complained.count("\n") == 1
        assert f"b/{name}" in complained
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_pictures_of_ones_own_among_the_samples_are_left_alone(tmp_path, tiny_run, live_model):
    shutil.copytree(tiny_run[0], tmp_path / "run")
    samples = tmp_path / "run" / "samples"
    (samples / "c1_holiday.png").write_bytes((samples / "c1_00000002.png").read_bytes())
    for name in (
        "c1_007.png",
        "c1_١٢.png",
        "holiday.png",
        "samples_.png",
        "c9[_00000001.png",
        "samples_99999999999999.png",
    ):
        (samples / name).write_text("no picture")
    (samples / "c1_00000009.png").mkdir()
    run = RunDirectory(tmp_path / "run")
    assert list(run.pictures("c1")) == [2, 4]
    listed = json.loads(Site(SimpleNamespace(name="infogan"), "run", run).answer("GET", "/explorer.json", b"").body)
    assert set(listed["pictures"]) == {"samples", "c1", "c2", "c3", "c4"}
    # Of that name, and no picture, or not one that training drew.
    (samples / "samples_00000003.png").write_text("no picture")
    (samples / "c1_00000003.png").write_text("no picture")
    pictures.write_png(samples / "c1_00000001.png", np.zeros((3, 3, 1), np.uint8))
    (samples / "training.gif").unlink()
    write_animation(run, live_model)
    with Image.open(samples / "training.gif") as animation:
        assert animation.n_frames == 2
    assert [grid.caption for grid in run_page._progress(run)] == ["Step 4"]
    assert comparison._newest_picture(SimpleNamespace(name="a", folder=run)).caption == "a: c1 varied, step 4"


@pytest.mark.parametrize("name", ["notes", "007", "١٢", "²", "99999999999999999999", "-1", "1.5", "1 ", "+3"])
def test_a_folder_of_ones_own_among_the_exports_is_no_version(tmp_path, name):
    (tmp_path / "2").mkdir()
    (tmp_path / "3").write_text("a file")
    (tmp_path / name).mkdir()
    assert versions(tmp_path) == [2]
    assert newest_version(tmp_path) == tmp_path / "2"


def test_what_else_lies_among_runs_is_left_alone(tmp_path):
    runs = [begin_run(tmp_path / "runs" / "digits" / name) for name in ("a", "$x_<b>", "١٢")]
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "notes" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "runs" / "folder" / "config.json").mkdir(parents=True)
    shutil.copytree(runs[0], tmp_path / "runs" / ".trash" / "a")
    shutil.copytree(runs[0], runs[0] / "export" / "infogan" / "1")
    assert set(folders_of_runs(str(tmp_path / "runs"))) == set(runs)
    (runs[1] / "config.json").write_text("{")
    assert runs[1] in folders_of_runs(str(tmp_path / "runs"))  # which is then refused by its name
