"""--mode=evaluate and --mode=compare: what they write, and what they say of bad input."""

import dataclasses
import html.parser
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY, run_here, run_main
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from infogan_tf import load_data
from infogan_tf.config.options import Config
from infogan_tf.evaluation.metrics.clustering import matched_error
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.reports import comparison, pages
from infogan_tf.reports.results import results_text
from infogan_tf.reports.run_page import _headline
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import existing_run, folders_of_runs
from infogan_tf.runs.restored import restored_model


class Page(html.parser.HTMLParser):
    """What a page refers to, its headings, and the pictures in it."""

    def __init__(self, text):
        super().__init__()
        self.references, self.headings, self.images, self._open = [], [], 0, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._open = tag
        self.images += tag == "img"
        self.references += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action")]

    def handle_data(self, text):
        if self._open in ("h1", "h2") and text.strip():
            self.headings.append(text.strip())

    def handle_endtag(self, tag):
        self._open = None


@pytest.fixture(scope="module")
def evaluated(tiny_run, tmp_path_factory):
    """A copy of the tiny run that was evaluated, and what that printed."""
    folder = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(tiny_run[0], folder / "run")
    done = run_here("--mode=evaluate", "--run_dir=run", "--evaluation=quick", cwd=folder)
    return folder / "run", done.stdout


def test_a_class_is_called_after_the_label_that_most_of_it_has(evaluated):
    confusion = json.loads((evaluated[0] / "evaluation.json").read_text())["confusion"]
    page = (evaluated[0] / "report.html").read_text()
    for k, (label, share) in enumerate(zip(confusion["matched"], confusion["shares"], strict=True)):
        column = [row[confusion["classes"].index(k)] for row in confusion["counts"]]
        own = column[confusion["labels"].index(label)] if label else 0
        assert share == pytest.approx(own / max(1, sum(column)))
        assert (f"{k} → {label}" in page) is (share > 0.5)


@pytest.fixture(scope="module")
def three_runs(evaluated, tmp_path_factory):
    """A folder of the evaluated run and two that were not, of other seeds."""
    folder = tmp_path_factory.mktemp("three")
    shutil.copytree(evaluated[0], folder / "runs" / "seed0")
    for seed in (1, 2):
        run_here(*TINY, f"--seed={seed}", f"--run_dir=runs/seed{seed}", cwd=folder, exporting=False)
    return folder


def test_the_figures_are_those_of_the_run(evaluated):
    found = json.loads((evaluated[0] / "evaluation.json").read_text())
    assert found["step"] == 4
    groups = {name.split("/")[0] for name in found["figures"]}
    assert {"mutual_info", "accuracy", "nmi", "fid", "kid", "precision", "recall", "log_likelihood"} <= groups
    assert all(np.isfinite(value) for value in found["figures"].values())
    run, config = existing_run(str(evaluated[0]), {})
    data = load_data("digits")
    classes = restored_model(run, config).encode(data.test.images)["c1"]["probabilities"].argmax(axis=-1)
    assert found["figures"]["accuracy/c1"] == pytest.approx(1 - matched_error(classes, data.test.labels))
    assert "main.py --mode=export --run_dir=run\n" in evaluated[1]  # the model card is older than these figures
    # Real test images are nearer to the training images than those of four steps of training.
    assert found["figures"]["fid/real test images"] < found["figures"]["fid"]


def test_each_figure_says_in_which_features_it_is(evaluated):
    found = json.loads((evaluated[0] / "evaluation.json").read_text())
    assert list(found["features"]) == [""]  # a grey data set by name, measured quickly: in its own network alone
    assert found["features"][""].startswith("a classifier of digits with a test accuracy of ")
    assert found["features"][""] in (evaluated[0] / "report.html").read_text()


def test_a_published_fid_stands_beside_the_one_that_compares_with_it():
    found = Evaluation("full", 1, figures={"fid": 3.0, "fid/real test images": 1.0, "fid/inception-2015": 40.0})
    shown = {row["title"]: (row["value"], row["published"]) for row in _headline(found, "cifar10")}
    assert shown == {"FID": ("3.00", ""), "FID, inception-2015": ("40.00", "48.3 (DCGAN), 16.8 (SNGAN)")}


def test_the_figures_reach_tensorboard(evaluated):
    events = EventAccumulator(str(evaluated[0] / "tensorboard")).Reload()
    figures = json.loads((evaluated[0] / "evaluation.json").read_text())["figures"]
    event = events.Tensors("evaluation/mutual_info/c1")[0]
    assert event.step == 4
    assert tensor_util.make_ndarray(event.tensor_proto).item() == pytest.approx(figures["mutual_info/c1"], rel=1e-5)


def test_the_report_holds_all_it_shows(evaluated):
    text = (evaluated[0] / "report.html").read_text()
    page = Page(text)
    assert page.references
    assert all(reference.startswith(("data:", "#")) for reference in page.references)
    assert {"What each code carries and does", "Training", "Samples", "Classes against labels"} <= set(page.headings)
    assert "Disentanglement" not in page.headings  # the digits have no factors
    # A grid for each of the four codes, samples, neighbours, samples by step, classes.
    assert page.images >= 8
    # A map of each code, in one chart.
    assert "Where in the image each code acts" in text
    assert text.count("<image ") >= 4
    # The digits' labels: one each for the classes of c1, the other codes, and every label in the table of all.
    assert "Codes against attributes" in page.headings
    assert text.count("--strength:") == 10 * (10 + 3)
    assert "main.py --steps=4" in text
    assert "keras" in text


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium on the PATH")
def test_the_report_opens_without_a_word_from_the_browser(evaluated):
    # The page forbids itself every request (Content-Security-Policy), and chromium would report one that was tried.
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    page = (evaluated[0] / "report.html").resolve().as_uri()
    done = subprocess.run([*command, page], capture_output=True, text=True, timeout=900, check=True)
    assert "What each code carries and does" in done.stdout
    assert "CONSOLE" not in done.stderr


def test_an_unfinished_run_and_one_of_several_starts_are_said_to_be_such(evaluated, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(evaluated[0], run)
    (run / "starts").mkdir()
    (run / "starts" / "choice.json").write_text('{"steps": 2, "invariance_terms": [0.5, 0.25], "chosen": 1}')
    record = json.loads((run / "config.json").read_text())
    record["config"] |= {"steps": 900, "starts": 2}
    (run / "config.json").write_text(json.dumps(record))
    done = run_here("--mode=evaluate", "--run_dir=run", "--evaluation=quick", cwd=tmp_path)
    for note in ("not finished: this is step 4 of 900", "Start 2 of 2 was trained on"):
        assert note in done.stdout
        assert note in (run / "report.html").read_text()


def test_a_training_run_ends_with_a_report(tmp_path):
    done = run_here(*TINY, "--evaluation=quick", "--run_dir=run", cwd=tmp_path)
    assert (tmp_path / "run" / "report.html").is_file()
    assert "fresh samples" in done.stdout
    # And with an export that says what was found.
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    (exported,) = (tmp_path / "run" / "export" / "infogan").iterdir()
    metadata = json.loads((exported / "assets.extra" / "metadata.json").read_text())
    assert metadata["figures"] == found["figures"] != {}
    assert [code["does"] for code in metadata["codes"]] == [facts.get("does", "") for facts in found["codes"].values()]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: shutil.rmtree(run / "checkpoints"), "a run with a checkpoint"),
        (lambda run: _edit(run, image_shape=[28, 28, 1]), "it is of another model"),
        (lambda run: _edit(run, image_shape="wide"), "an image_shape of height and width"),
        (lambda run: (run / "config.json").unlink(), "with a config.json"),
    ],
)
def test_a_run_that_cannot_be_evaluated_is_refused_in_one_line(tiny_run, tmp_path, spoil, message):
    shutil.copytree(tiny_run[0], tmp_path / "run")
    spoil(tmp_path / "run")
    done = run_here("--mode=evaluate", "--run_dir=run", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run" / "report.html").exists()


def _edit(run, **changes):
    record = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(record | changes))


@pytest.mark.slow
@pytest.mark.parametrize(("setting", "images"), [("quick", "2,000"), ("full", "10,000")])
def test_as_much_is_measured_as_help_says(tiny_run, tmp_path, setting, images):
    shutil.copytree(tiny_run[0], tmp_path / "run")
    done = run_main("--mode=evaluate", "--run_dir=run", f"--evaluation={setting}", cwd=tmp_path)
    assert f"{images} images drawn" in done.stdout
    field = next(field for field in dataclasses.fields(Config) if field.name == "evaluation")
    assert f"{setting} measures {images}" in field.metadata["help"] or f"{setting} {images}" in field.metadata["help"]


def test_evaluating_nothing_is_refused(tiny_run):
    done = run_here("--mode=evaluate", f"--run_dir={tiny_run[0]}", "--evaluation=none", cwd=".", check=False)
    assert done.returncode == 2
    assert done.stderr == "main.py: --evaluation: expected quick or full with --mode=evaluate. Received: 'none'\n"


def test_runs_stand_side_by_side(three_runs):
    done = run_here("--mode=compare", "--runs=runs", "--output=three.html", cwd=three_runs)
    text = (three_runs / "three.html").read_text()
    page = Page(text)
    assert all(reference.startswith(("data:", "#")) for reference in page.references)
    assert "seed1: no evaluation yet" in done.stdout
    assert page.images == 3
    assert "ModelCentrality" in text
    assert "To choose one run without labels" in text


def test_runs_whose_checkpoints_are_gone_are_compared_without_centrality(three_runs, tmp_path):
    shutil.copytree(three_runs / "runs", tmp_path / "runs")
    shutil.rmtree(tmp_path / "runs" / "seed1" / "checkpoints")
    done = run_here("--mode=compare", "--runs=runs", cwd=tmp_path)
    assert "ModelCentrality: not measured; not all runs can be restored" in done.stdout
    assert Page((tmp_path / "compare.html").read_text()).images == 3


def test_runs_are_written_as_data(three_runs):
    done = run_here("--mode=compare", "--runs=runs", "--output=three.json", cwd=three_runs)
    assert done.stdout == "Wrote three.json.\n"
    text = (three_runs / "three.json").read_text()
    found = json.loads(text)
    assert found["options"]["batch_size"] == 8
    assert "seed" not in found["options"]
    assert found["image_shape"] == [16, 16, 1]
    assert [run["options"]["seed"] for run in found["runs"]] == [0, 1, 2]
    lines = [json.loads(line) for line in (three_runs / "runs" / "seed0" / "metrics.jsonl").read_text().splitlines()]
    first = found["runs"][0]
    assert first["curve"]["step"] == [line["step"] for line in lines]
    assert first["curve"]["d_loss"] == [pytest.approx(line["d_loss"], rel=1e-5) for line in lines]
    measured = json.loads((three_runs / "runs" / "seed0" / "evaluation.json").read_text())
    assert first["figures"] == {name: pytest.approx(value, rel=1e-5) for name, value in measured["figures"].items()}
    assert (first["setting"], first["notes"]) == (measured["setting"], measured["notes"])
    assert "figures" not in found["runs"][1]  # which was not measured
    assert '"image_shape": [16, 16, 1]' in text


def test_folders_of_runs_may_have_commas_in_their_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b,c", "latents=noise:62,cat:10-seed=1"):
        (tmp_path / name).mkdir()
    assert folders_of_runs("latents=noise:62,cat:10-seed=1,a, b,c") == [
        Path("latents=noise:62,cat:10-seed=1"), Path("a"), Path("b,c"),
    ]  # fmt: skip
    assert folders_of_runs("a,missing") == [Path("a"), Path("missing")]


def test_data_of_runs_say_what_they_share_and_what_a_broken_one_logged(tmp_path):
    runs = []
    for name, loss in (("a", 0.12345678), ("b", float("nan"))):
        folder = RunDirectory(tmp_path / name)
        folder.path.mkdir()
        folder.config_file.write_text(json.dumps({"versions": {"python": name}, "image_shape": [4, 4, 1]}))
        config = Config(steps=2, latents="noise:6,cat:3", seed=3)
        found = Evaluation("quick", 2, notes=["FID: not measured; [ B ] images."])
        runs.append(comparison.Run(name, folder, config, [{"step": 1}, {"step": 2, "g_loss": loss}], found))
    found = json.loads(results_text(runs))
    assert found["image_shape"] == [4, 4, 1]
    assert found["options"]["seed"] == 3
    assert found["runs"][0] == {
        "name": "a", "versions": {"python": "a"}, "curve": {"step": [1, 2], "g_loss": [None, 0.123457]},
        "setting": "quick", "step": 2, "notes": ["FID: not measured; [ B ] images."],
    }  # fmt: skip
    assert found["runs"][1]["curve"]["g_loss"] == [None, None]


def test_runs_of_one_configuration_are_averaged(three_runs, tmp_path):
    shutil.copytree(three_runs / "runs", tmp_path / "runs")
    found = json.loads((tmp_path / "runs" / "seed0" / "evaluation.json").read_text())
    for seed, fid in ((0, 10.0), (1, 12.0), (2, 17.0)):
        found["figures"]["fid"] = fid
        found["setting"] = "full" if seed else "quick"
        found["features"] = {"": "one classifier" if seed else "another classifier"}
        (tmp_path / "runs" / f"seed{seed}" / "evaluation.json").write_text(json.dumps(found))
    done = run_here("--mode=compare", "--runs=runs/seed0,runs/seed1,runs/seed2", cwd=tmp_path)
    assert "(seed0 quick, seed1 full, seed2 full)" in done.stdout
    assert (
        "different networks (seed0 in another classifier; seed1, seed2 in one classifier): FID and KID" in done.stdout
    )
    # The mean of 10, 12 and 17 and their standard deviation, the square root of (9 + 1 + 16) / 2.
    assert "13.00 ± 3.61 (n = 3)" in (tmp_path / "compare.html").read_text()


def test_two_runs_of_other_layouts_are_compared_without_centrality(evaluated, tmp_path):
    shutil.copytree(evaluated[0], tmp_path / "a")
    run_here(*TINY, "--latents=noise:6,cat:10", "--run_dir=b", cwd=tmp_path, exporting=False)
    done = run_here("--mode=compare", "--runs=a,b", cwd=tmp_path)
    assert "From three runs on" in done.stdout
    assert "noise:6,cat:10" in (tmp_path / "compare.html").read_text()


def test_of_runs_with_other_numbers_of_classes_the_silhouette_decides(monkeypatch, tmp_path):
    monkeypatch.setattr(comparison, "_agreements", lambda runs: np.eye(len(runs)))
    silhouettes = {"a": (8, 0.3), "b": (8, 0.31), "c": (10, 0.2), "d": (10, 0.5), "e": (12, 0.4)}
    runs = []
    for name, (classes, value) in silhouettes.items():
        found = Evaluation("quick", 2, figures={"silhouette/c1": value, "silhouette/c3": 1 - value})
        config = Config(steps=2, latents=f"noise:6,cat:{classes},uniform:1,cat:2")
        runs.append(comparison.Run(name, RunDirectory(tmp_path / name), config, [{"step": 2}], found))
    _, (criterion,) = comparison.compare_runs(runs)
    assert criterion.title == "silhouette, whose mean is highest with 12 classes"
    assert (criterion.best, criterion.values["d"]) == ("e", 0.5)
    # Of as many classes, and without an evaluation of each, nothing is said of it.
    assert comparison.compare_runs(runs[:2])[1] == []
    assert comparison.compare_runs([*runs[:3], dataclasses.replace(runs[3], found=None)])[1] == []


def test_runs_of_several_models_are_told_apart_and_the_best_of_each_figure_is_bold(monkeypatch, tmp_path):
    monkeypatch.setattr(comparison, "_centrality", lambda runs: comparison.Criterion("c", "", {}, runs[0].name))
    of_model = {
        "infogan": ("cat:3", {"fid": 3.0, "mutual_info/c1": 1.0, "accuracy/k-means": 0.9}),
        "cgan": ("noise:6,label:3", {"fid": 2.0, "label_accuracy/c1": 0.99}),
        "cvae": ("normal_noise:6,label:3", {"fid": 2.001, "elbo": -90.0, "kl": 7.0, "label_accuracy/c1": 1.0}),
        "vae": ("normal_noise:6", {"fid": 4.0, "elbo": -95.0, "kl": 9.0}),
        "semi_supervised": ("noise:6,class:3", {"label_error/c1": 0.02, "accuracy/k-means": 0.5}),
    }
    runs = []
    for model, (latents, figures) in of_model.items():
        config = Config(model=model, steps=2, latents=latents, labelled=6 if model == "semi_supervised" else 0)
        found = Evaluation("quick", 2, figures=figures, features={"": "a network"})
        runs.append(comparison.Run(model, RunDirectory(tmp_path / model), config, [{"step": 2}], found))
    page, _ = comparison.compare_runs(runs)
    rows = comparison._figure_rows(runs, [[run] for run in runs])
    best = {row.name: sorted(row.best) for row in rows}
    # Of what only one has, none is the best; of two that are written alike, both; of KL neither way is better.
    assert best["fid"] == [1, 2]
    assert best["elbo"] == [2]
    assert best["accuracy/k-means"] == [0]
    assert best["kl"] == best["label_error/c1"] == best["mutual_info/c1"] == []
    told = {name: (labels, reads, first) for name, _, labels, reads, first in comparison._models(runs, rows)}
    assert told["infogan"] == ("none", "its codes", [])
    assert told["cgan"] == ("all", "", ["FID"])
    assert told["cvae"][2] == ["FID", "Labels asked for, read back, c1", "ELBO, nats"]
    assert told["semi_supervised"][:2] == ("6", "its class")
    assert "<b>2.00</b>" in page
    assert "a classifier that learns from few labels" in page
    # In other features samples do not compare.
    other = dataclasses.replace(runs[1].found, features={"": "another network"})
    runs[1] = dataclasses.replace(runs[1], found=other)
    best = {row.name: row.best for row in comparison._figure_rows(runs, [[run] for run in runs])}
    assert not best["fid"]
    assert best["elbo"]
    assert comparison._models([runs[1], runs[1]], rows) == []


def test_runs_that_are_told_captions_are_compared_by_no_codes(tmp_path):
    runs = []
    for name in "abc":
        found = Evaluation("quick", 2, figures={"fid": 3.0})
        config = Config(dataset="sprites", model="text", steps=2, latents="noise:6,caption:sprites")
        runs.append(comparison.Run(name, RunDirectory(tmp_path / name), config, [{"step": 2}], found))
    page, criteria = comparison.compare_runs(runs)
    assert "3 runs on sprites" in page
    assert criteria == []


def test_runs_that_are_not_finished_are_not_chosen_and_may_have_no_checkpoint(three_runs, tmp_path):
    shutil.copytree(three_runs / "runs", tmp_path / "runs")
    shutil.rmtree(tmp_path / "runs" / "seed1" / "checkpoints")
    metrics = tmp_path / "runs" / "seed1" / "metrics.jsonl"
    metrics.write_text("")
    done = run_here("--mode=compare", "--runs=runs", cwd=tmp_path)
    assert "seed1: not finished, 0 of " in done.stdout
    assert "From three runs on that are finished" in done.stdout


def test_an_evaluation_of_an_earlier_step_is_said(tmp_path):
    config, lines = Config(steps=4, latents="noise:6,cat:10"), [{"step": 2, "d_loss": 1.0}, {"step": 4, "d_loss": 1.0}]
    runs = [
        comparison.Run(name, RunDirectory(tmp_path / name), config, lines, Evaluation("quick", step))
        for name, step in (("a", 2), ("b", 4))
    ]
    page, _ = comparison.compare_runs(runs)
    assert "a: its evaluation is of step 2, and the run is at 4." in page
    assert "b: its evaluation" not in page


def test_of_runs_that_read_nothing_of_each_other_none_is_named(monkeypatch, three_runs):
    monkeypatch.setattr(comparison, "_agreements", lambda runs: np.eye(3))
    done = run_here("--mode=compare", "--runs=runs", "--output=dead.html", cwd=three_runs)
    assert "ModelCentrality: not measured; no run reads anything of another's codes." in done.stdout
    assert "To choose one" not in done.stdout


@pytest.mark.parametrize(
    ("weights", "step", "best"),
    [((1.0, 1.0, 1.0), 2, ["b"]), ((1.0, 1.0, 2.0), 2, []), ((1.0, 1.0, 1.0), 1, ["a"])],
    ids=["one term", "other weights", "the lowest not finished"],
)
def test_of_runs_that_minimised_one_invariance_term_the_lowest_is_named(monkeypatch, tmp_path, weights, step, best):
    monkeypatch.setattr(comparison, "_agreements", lambda runs: np.eye(3))
    monkeypatch.setattr(comparison, "model_centrality", lambda agreements: np.array([0.1, 0.2, 0.3]))
    runs = [
        comparison.Run(
            name=name,
            folder=RunDirectory(tmp_path / name),
            config=Config(steps=2, seed=seed, invariance_weight=weight, latents="noise:6,cat:10"),
            lines=[{"step": 1, "d_invariance": first}, {"step": step if name == "b" else 2, "d_invariance": last}],
            found=None,
        )
        for seed, (name, weight, first, last) in enumerate(
            zip("abc", weights, (0.9, 0.8, 0.1), (0.3, 0.2, 0.4), strict=True)
        )
    ]
    page, criteria = comparison.compare_runs(runs)
    # Of two that are finished each is as central as the other.
    assert [criterion.best for criterion in criteria] == best + ["c"] * (step == 2)
    assert f"take <b>{criteria[0].best}</b>" in page


@pytest.mark.parametrize(("side", "width"), [(16, 513), (28, 582), (32, 662), (64, 651), (128, 1291)])
def test_grids_of_ten_are_shown_at_about_one_width(side, width):
    assert pages.grid(np.zeros((10, side, side, 3), np.uint8), 10, "").width == width


def test_codes_are_called_by_what_each_run_found_of_them(tmp_path):
    def run(name, latents, found):
        lines = [{"step": 2, "d_loss": 1.0}]
        return comparison.Run(name, RunDirectory(tmp_path / name), Config(steps=2, latents=latents), lines, found)

    codes = {"c1": {"does": "Blond_Hair (class 6), AUC 0.76"}, "c2": {"does": "warmth, rho = -0.41"}}
    runs = [
        run("faces", "noise:6,cat:10,uniform:1", Evaluation("quick", 2, codes=codes)),
        run("others", "noise:6,cat:10", Evaluation("quick", 2, codes={"c1": {"does": "not Bald, AUC 0.73"}})),
        run("new", "noise:6,cat:10,uniform:1", None),
    ]
    page, _ = comparison.compare_runs(runs[:2])
    rows = ["".join(row.split()) for row in re.findall(r"<tr><td>c\d</td>.*?</tr>", page, re.DOTALL)]
    assert rows == [
        "<tr><td>c1</td><td>Blond_Hair(class6),AUC0.76</td><td>notBald,AUC0.73</td></tr>",
        "<tr><td>c2</td><td>warmth,rho=-0.41</td><td></td></tr>",
    ]
    assert comparison._effects(runs[::2])["c1"] == ["Blond_Hair (class 6), AUC 0.76", ""]
    assert comparison._effects(runs[2:]) == {}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "--runs: expected two folders"),
        (("--runs=nowhere",), "--runs: expected two folders"),
        (("--runs=runs/seed0,nowhere",), "with a config.json"),
        (("--runs=runs", "--output=page.txt"), "a new .html or .json file"),
        (("--runs=runs", "--output=taken.html"), "which exists"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(three_runs, flags, message):
    (three_runs / "taken.html").write_text("mine")
    done = run_here("--mode=compare", *flags, cwd=three_runs, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert (three_runs / "taken.html").read_text() == "mine"


def test_every_figure_says_what_it_is():
    from infogan_tf.evaluation.figures import FIGURES, PUBLISHED, describe

    for name, figure in FIGURES.items():
        assert figure.title, name
        assert figure.how.endswith("."), name
        assert figure.better in ("higher is better", "lower is better") or name == "kl", name
    assert all(describe(name) for _, name in PUBLISHED)
