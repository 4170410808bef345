"""The layer between a model and the measures, on a stand-in for a model whose codes are known."""

import json
import types

import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.data.images import Factors, ImageData, Split
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.feature_networks import label_free
from infogan_tf.evaluation.groups import (
    GROUPS,
    classes,
    disentanglement,
    effects,
    information,
    k_means,
    number_of_classes,
)
from infogan_tf.evaluation.material import SETTINGS, Material, Setting
from infogan_tf.evaluation.measure import measure
from infogan_tf.evaluation.result import Evaluation, attempt
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.reports import run_page
from infogan_tf.training.watching import MetricsFile

COUNT = 300
SIZE = 16


class Model:
    """Draws a bar whose length is c1 and whose slant is c2; c3 changes nothing. Q reads what is there."""

    READS = "codes"

    def __init__(self):
        self.layout = LatentLayout.parse("noise:2,cat:3,uniform:2")
        self.read_codes = self.layout.read_codes

    def stream_seed(self, stream, position=0):
        return (0, 4)

    def read(self, latents):
        _, blocks = self.layout.split(latents)
        kinds, slants = blocks["c1"].numpy().argmax(axis=1), blocks["c2"].numpy()[:, 0]
        log_probs = {
            "c1": np.full(len(kinds), np.log(0.99)),
            "c2": np.full(len(kinds), -0.7),
            "c3": np.full(len(kinds), -0.87),  # that of the prior's own Gaussian: Q knows nothing
        }
        rng = np.random.default_rng(0)
        posterior = self.encode_classes(kinds) | {
            "c2": {"mean": slants + 0.05 * rng.normal(size=len(slants))},
            "c3": {"mean": rng.normal(size=len(slants))},
        }
        return self.draw(kinds, slants), log_probs, posterior

    def draw(self, kinds, slants):
        across = np.arange(SIZE) - (SIZE - 1) / 2
        right, down = np.meshgrid(across, across)
        lengths = 3 + 2 * kinds[:, np.newaxis, np.newaxis]
        distance = np.abs(right + 0.5 * slants[:, np.newaxis, np.newaxis] * down)
        inside = np.clip(2 - distance, 0, 1) * (np.abs(down) < lengths)
        return inside[..., np.newaxis].astype(np.float32)

    def encode_classes(self, kinds):
        return {"c1": {"probabilities": np.eye(3)[kinds]}}

    def encode(self, images):
        rows = (np.asarray(images)[..., 0].max(axis=2) > 0).sum(axis=1)
        return self.encode_classes((rows - 4) // 4)

    def features(self, images):
        return np.asarray(images, np.float32).reshape(len(images), -1).sum(axis=1, keepdims=True)


def bars():
    """Bars of each length, upright, and their lengths in words."""
    labels = np.arange(COUNT) % 3
    images = Model().draw((labels + 1) % 3, np.zeros(COUNT))
    images = np.round(255 * images).astype(np.uint8)
    return ImageData("bars", Split(images, labels), Split(images, labels), ("long", "short", "middle"))


@pytest.fixture
def material():
    return Material(Model(), bars(), Setting("quick", images=2_000, votes=(1_000, 500)))


def test_the_ground_is_that_of_images_from_everywhere():
    figures, photos = bars().train.images, np.random.default_rng(0).integers(0, 256, (1_400, SIZE, SIZE, 1), np.uint8)
    images = np.concatenate([figures, figures[:250], photos])  # as of a folder of two folders
    data = ImageData("own", Split(images), Split(photos[:10]))
    assert Material(Model(), data, Setting("quick", images=2_000, votes=(10, 10))).ground == "varied"


def test_information_is_that_of_the_draws(material):
    found = Evaluation("quick", 1)
    information(material, found)
    assert found.figures["mutual_info/c1"] == pytest.approx(np.log(3) + np.log(0.99))
    assert found.figures["mutual_info_share/c1"] == pytest.approx(1 + np.log(0.99) / np.log(3))
    # c2 is read with an error of 0.05: the bound of that Gaussian, whatever Q's own says.
    exact = np.log(2) - 0.5 * np.log(2 * np.pi * np.e * 0.05**2)
    assert found.figures["standardised_mutual_info/c2"] == pytest.approx(exact, abs=0.1)
    assert found.figures["standardised_mutual_info/c3"] < 0


def test_codes_are_named_by_what_they_change_and_a_dead_one_dead(material):
    found = Evaluation("quick", 1)
    information(material, found)
    effects(material, found)
    # Positive c2 moves the foot of the bar to the left.
    assert found.codes["c2"]["does"].startswith("slant, rho = 0.9") or found.codes["c2"]["does"] == "slant, rho = 1.00"
    assert found.codes["c3"]["does"].startswith("dead")
    assert abs(found.codes["c3"]["correlations"]["slant"]["rho"]) < 0.1
    assert "correlations" not in found.codes["c1"]


def test_classes_are_matched_to_labels(material):
    found = Evaluation("quick", 1)
    classes(material, found)
    assert found.figures["accuracy/c1"] == found.figures["nmi/c1"] == pytest.approx(1.0)
    assert found.confusion["matched"] == ["middle", "long", "short"]
    assert found.confusion["classes"] == [1, 2, 0]
    assert found.confusion["shares"] == [1.0, 1.0, 1.0]
    np.testing.assert_array_equal(found.confusion["counts"], 100 * np.eye(3))


def test_classes_that_are_too_many_are_named(material):
    found = Evaluation("quick", 1)
    number_of_classes(material, found)
    assert found.notes == []
    assert found.figures["silhouette/c1"] > 0.9
    rng = np.random.default_rng(0)
    lengths = material.data.test.labels
    # The short ones and half of the others, drawn by chance, are in class 0; hardly any are in class 2.
    of_classes = np.where(lengths == 1, 0, np.where(rng.random(COUNT) < 0.5, 0, 1))
    of_classes[np.flatnonzero(lengths == 0)[:3]] = 2
    material.test_posterior = {"c1": {"probabilities": np.eye(3)[of_classes]}}
    material.trunk_features = np.eye(3)[lengths] + 0.01 * rng.normal(size=(COUNT, 3))
    number_of_classes(material, found)
    (note,) = found.notes
    assert note.startswith("c1 may have too many classes: class 2 has 1.0% of the test images, of 33.3% drawn; ")
    assert "classes 0 and 1 may be one (overlap 0." in note


def test_k_means_is_a_second_opinion(material):
    found = Evaluation("quick", 1)
    k_means(material, found)
    assert found.figures["accuracy/k-means"] == pytest.approx(1.0)


def test_without_labels_all_else_is_measured(material, monkeypatch):
    monkeypatch.setattr(label_free, "_train", lambda model, images: None)
    data = ImageData("bars", Split(material.data.train.images), Split(material.data.test.images))
    found = measure(Material(Model(), data, SETTINGS["quick"]), step=7)
    assert "mutual_info/c1" in found.figures
    assert found.codes["c3"]["does"].startswith("dead")
    assert np.isfinite(found.figures["log_likelihood"])
    # The test images are among those drawn: the narrower the window, the likelier they are.
    assert [note for note in found.notes if note.endswith("(an end of those tried).")]
    assert "accuracy/c1" not in found.figures
    assert [note for note in found.notes if "no labels" in note and note.startswith("Codes against labels")]
    assert np.isfinite(found.figures["fid"])
    assert found.features[""].startswith("a network trained without labels on the images of bars")
    assert [note for note in found.notes if note.startswith("Inception score: not measured")]


def test_codes_that_are_the_factors_are_disentangled(material):
    class Perfect(Model):
        def encode(self, images):
            return {"c1": {"mean": images[:, 0, 0, 0] / 10.0}, "c2": {"mean": images[:, 0, 1, 0] / 10.0}}

    grid = np.zeros((80, 4, 4, 1), np.uint8)
    grid[:, 0, 0, 0], grid[:, 0, 1, 0] = np.unravel_index(np.arange(80), (8, 10))
    material.model = Perfect()
    material.data = ImageData.of_grid("grid", Factors(("a", "b"), (8, 10), (True, True), grid), ())
    found = Evaluation("quick", 1)
    disentanglement(material, found)
    assert found.figures["mig"] > 0.97
    assert found.figures["factor_vae"] == 1.0
    assert found.figures["dci_disentanglement"] > 0.97


def test_a_code_of_classes_counts_as_one_and_a_perfect_encoder_is_beside_it(material):
    class Perfect(Model):
        def encode(self, images):
            return {
                "c1": {"probabilities": np.eye(3)[images[:, 0, 0, 0]]},
                "c2": {"mean": images[:, 0, 1, 0] / 2.0 - 1.0, "stddev": np.ones(len(images))},
            }

    images = np.zeros((15, 4, 4, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = np.unravel_index(np.arange(15), (3, 5))
    material.model = Perfect()
    factors = Factors(("shape", "place"), (3, 5), (False, True), images)
    material.data = ImageData.of_grid("grid", factors, ("square", "ellipse", "heart"))
    material.setting = Setting("quick", images=2_000, votes=(300, 200))
    found = Evaluation("quick", 1)
    disentanglement(material, found)
    assert set(found.perfect) == set(found.figures)
    for name in ("mig", "sap", "factor_vae", "dci_completeness", "modularity"):
        assert found.figures[name] > 0.95, name
        assert found.figures[name] == pytest.approx(found.perfect[name], abs=1e-9), name
    (draws,) = (note for note in found.notes if "Ordered are place; without an order: shape." in note)
    assert "300 training and 200 evaluation draws" in draws
    assert [note for note in found.notes if "of c1 MIG, SAP, modularity" in note]
    # In the report the two stand side by side.
    subjects, rows = run_page._tables(found)["Disentanglement"]
    assert subjects == ["this model", "a perfect encoder"]
    mig = f"{found.figures['mig']:.3f}"
    assert ("MIG", mig, mig) in [(figure.title, *texts) for figure, texts in rows]


def test_what_a_model_reads_as_nan_is_a_note_and_all_else_is_measured(material):
    material.log_probs["c1"] = np.full(len(material.images), np.nan)
    material.posterior["c2"]["mean"][3] = np.inf
    found = Evaluation("quick", 1)
    for title in ("Mutual information", "What each code does"):
        attempt(title, GROUPS[title], material, found)
    assert "mutual_info/c1" not in found.figures
    assert "mutual_info/c2" in found.figures
    assert "standardised_mutual_info/c2" not in found.figures
    assert np.isfinite(found.figures["standardised_mutual_info/c3"])
    assert found.codes["c1"]["does"] == "unknown: its L_I was not measured"
    assert found.codes["c2"]["does"].startswith("slant")
    notes = "\n".join(found.notes)
    assert "Mutual information of c1: not measured; log_prob: expected finite numbers. Received: nan." in notes
    assert "Mutual information of c2: not measured; means: expected finite numbers. Received: inf." in notes
    json.dumps(found.to_json(), allow_nan=False)


def test_no_figure_is_nan():
    def broken(_, found):
        found.figures |= {"fid": np.nan, "kid": 1.0, "mig": 0.5}
        found.stderrs |= {"kid": np.inf, "fid": 0.1}

    found = Evaluation("quick", 1)
    attempt("Samples", broken, None, found)
    assert found.figures == {"kid": 1.0, "mig": 0.5}
    assert not found.stderrs
    assert found.notes == [
        "fid: not measured; it came out as nan.",
        "standard error of kid: not measured; it came out as inf.",
    ]


def test_only_what_cannot_be_measured_becomes_a_note(material, monkeypatch):
    def broken(*_):
        return np.zeros(3) @ np.zeros(4)

    def singular(*_):
        return np.linalg.inv(np.zeros((2, 2)))

    def unmeasured(*_):
        raise NotMeasuredError("three images are too few.")

    found = Evaluation("quick", 1)
    attempt("Bars", unmeasured, material, found)
    assert found.notes == ["Bars: not measured; three images are too few."]
    # A mistake of the program's is no note, though NumPy's errors are ValueErrors as well.
    for mistake in (broken, singular):
        with pytest.raises(ValueError, match=r"matmul|Singular"):
            attempt("Bars", mistake, material, found)
        monkeypatch.setitem(GROUPS, "Mutual information", mistake)
        with pytest.raises(ValueError, match=r"matmul|Singular"):
            measure(material, step=1)
    assert len(found.notes) == 1


def test_images_of_ordered_factors_alone_have_no_labels_and_all_else_is_measured(material, monkeypatch):
    monkeypatch.setattr(label_free, "_train", lambda model, images: None)
    images = material.data.train.images
    data = ImageData.of_grid("ordered", Factors(("a", "b"), (30, 10), (True, True), images), ())
    assert data.train.labels is data.test.labels is None
    found = measure(Material(Model(), data, Setting("quick", images=2_000, votes=(200, 100))), step=1)
    assert "mutual_info/c1" in found.figures
    assert np.isfinite(found.figures["mig"])
    assert [note for note in found.notes if "the data set ordered has no labels" in note]


@pytest.mark.parametrize(("count", "rows"), [(1, 2), (2, 4), (7, 4)])
def test_pairs_of_few_images_are_shown(count, rows):
    images = np.zeros((count, 8, 8, 1), np.uint8)
    shown = run_page._in_pairs(images, images, "pairs", ("image", "decoded"))
    assert len(shown.rows) == rows


def test_lines_of_metrics_leave_out_what_is_no_number(tmp_path):
    metrics_file = MetricsFile(tmp_path / "metrics.jsonl", batch_size=64)
    metrics_file.set_model(types.SimpleNamespace(step=tf.constant(7)))
    # One of an older version.
    metrics_file.path.write_text('{"step": 5, "epoch": 1, "d_loss": NaN, "g_loss": 2.0}\n')
    metrics_file.on_train_begin()
    metrics_file.on_epoch_begin(1)
    metrics_file.on_epoch_end(1, {"d_loss": np.float32(1.5), "g_loss": np.inf, "c1_error": np.nan})

    def strict(name):
        raise AssertionError(name)

    first, second = (json.loads(line, parse_constant=strict) for line in metrics_file.path.read_text().splitlines())
    assert first == {"step": 5, "epoch": 1, "g_loss": 2.0}
    assert (second["step"], second["d_loss"]) == (7, 1.5)
    assert not {"g_loss", "c1_error"} & set(second)
