"""One self-contained page about one run: figures, curves, pictures, and how each came about."""

import dataclasses

import numpy as np

from infogan_tf import pictures
from infogan_tf.evaluation.figures import (
    ATTRIBUTES,
    CODES,
    FACTORS,
    FIGURES,
    HEADLINE,
    PUBLISHED,
    describe,
    title_of,
)
from infogan_tf.evaluation.groups.effects import LEAST_AUC
from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.metrics.attributes import GROUNDS
from infogan_tf.evaluation.metrics.directions import ALIKE, correlations, unlike
from infogan_tf.evaluation.metrics.sample_quality import nearest_neighbours
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.latents.codes import Caption, Code
from infogan_tf.latents.traversal import change_map, sample_grid, traversal_grid
from infogan_tf.reports import charts
from infogan_tf.reports.pages import Grid, grid
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.templates import render

# Samples are shown as they were at about these steps, which the literature shows too, and at the last.
PROGRESS_STEPS = (500, 3_000, 10_000)
PAIRS, TEST_IMAGES = 20, 10
# So many attributes are added to test images and taken away.
SHOWN = 5


def report_page(
    title: str, material: Material, found: Evaluation, run: RunDirectory, lines: list[dict[str, float]], record: dict
) -> str:
    """The page as HTML that needs no other file and no network.

    Args:
        title: The page's title.
        material: What was drawn, and the data.
        found: What was measured of it.
        run: The run's folder, from which pictures of earlier steps are read.
        lines: The lines of metrics.jsonl, one for each epoch.
        record: What config.json holds: the options, the commands, the versions.
    """
    correlations = {name: facts["correlations"] for name, facts in found.codes.items() if "correlations" in facts}
    shown = next(iter(correlations.values()), {})
    described, of_what = GROUNDS[material.ground]
    drawn = {code.name: _drawn(material, code.name) for code in material.layout.codes if not isinstance(code, Caption)}
    return render(
        "report.html",
        title=title,
        found=found,
        record=record,
        describe=describe,
        # A folder of one's own that is called as a data set is not that.
        headline=_headline(found, "" if material.data.own else material.data.name),
        codes=[_code_row(name, found) for name in found.codes],
        attributes={name: described[name] for name in shown},
        of_what=of_what,
        correlations={name: [f"{c['rho']:+.2f}" for c in row.values()] for name, row in correlations.items()},
        traversals=[_traversal(material, found, name, *images) for name, images in drawn.items()],
        change_maps=charts.change_maps({name: change_map(*images) for name, images in drawn.items()}) if drawn else "",
        matches=_matches(found),
        associations=_associations(found),
        curves=_curves(lines, found.codes),
        told=_told(material),
        samples=[
            *_captions(material),
            _samples(material),
            *_reconstructions(material),
            *_directions(material, found),
            _neighbours(material),
        ],
        progress=_progress(run),
        classes=_classes(material, found),
        confusion=_confusion(found),
        tables=_tables(found),
    )


def _told(material):
    """What training was told of labels, in a sentence."""
    if material.model.TOLD == "label":
        return "Training was told the labels of all its images."
    if material.model.TOLD == "caption":
        return (
            "Training was told captions of its images, made from their known factors; some combinations were left out."
        )
    if material.labelled:
        return f"Training was told the labels of {material.labelled:,} images."
    return "Labels, where there are any, were read for figures on this page, never for training."


def _headline(found, dataset):
    """Of the first figure of each kind in HEADLINE: title, value, direction, published value."""
    subjects = ("", *found.codes)
    own = [name for name in found.figures if name.partition("/")[2] in subjects]
    # Labels are no codes that are read, and published figures no model's own.
    own += [name for name in found.figures if name in HEADLINE or name.startswith("label_accuracy/")]
    names = [next((name for name in own if kind in (name, name.split("/")[0])), None) for kind in HEADLINE]
    return [
        {
            "title": title_of(name),
            "value": _text(name, found),
            "better": describe(name).better,
            "published": PUBLISHED.get((dataset, name), ""),
        }
        for name in names
        if name
    ]


def _text(name, found):
    """A figure's value in words; empty where it was not measured."""
    return describe(name).text(found.figures[name], found.stderrs.get(name)) if name in found.figures else ""


def _tables(found):
    """By heading: what was measured (columns), and a row for each metric; information has a table of its own."""
    perfect = {f"{name}/a perfect encoder": value for name, value in found.perfect.items()}
    found = dataclasses.replace(found, figures=found.figures | perfect)
    tables = {}
    for heading in dict.fromkeys(
        figure.group for figure in FIGURES.values() if figure.group not in (CODES, ATTRIBUTES)
    ):
        names = [name for name in found.figures if describe(name).group == heading]
        subjects = list(dict.fromkeys(name.partition("/")[2] for name in names))
        metrics = dict.fromkeys(name.partition("/")[0] for name in names)
        rows = [
            (FIGURES[metric], [_text(f"{metric}/{subject}".rstrip("/"), found) for subject in subjects])
            for metric in metrics
        ]
        if rows:
            own = ("this model" if heading == FACTORS else "generated") if any(subjects) else ""
            tables[heading] = ([subject or own for subject in subjects], rows)
    return tables


def _code_row(name, found):
    facts = found.codes[name]

    vacuous = found.figures.get(f"standardised_mutual_info/{name}", 1.0) <= 0.0
    return {
        "name": name,
        "kind": facts["kind"],
        "entropy": f"{facts['entropy']:.4f}",
        "mutual_info": _text(f"mutual_info/{name}", found),
        "share": _text(f"mutual_info_share/{name}", found),
        "standardised": _text(f"standardised_mutual_info/{name}", found) + (" (vacuous)" if vacuous else ""),
        "does": facts.get("does", ""),
    }


def _curves(lines, codes):
    """(title, SVG) of the training curves."""
    entropies = {f"H({name})": facts["entropy"] for name, facts in codes.items() if facts["kind"] == "categorical"}
    charted = {
        "Losses": (("d_loss", "g_loss", "q_loss"), {}),
        "Bound on the log-likelihood, nats": (("elbo", "reconstruction"), {}),
        "KL(q(z|x) || p(z)), nats": (("kl",), {}),
        "Distance of decoded images in D's features, nats": (("feature_loss",), {}),
        "Share of steps in which a player was updated": (("d_updated", "g_updated"), {}),
        "Error of D's rendering of real images, and the measure of convergence M": (("real_loss", "convergence"), {}),
        "k, the weight of generated images in D's loss": (("k",), {}),
        "Mutual information L_I, nats": (tuple(f"mutual_info/{name}" for name in codes), entropies),
        "Probability that D gives": (
            ("prob_real", "prob_fake", "prob_fake_before", "prob_fake_after", "prob_wrong"),
            {},
        ),
        "D's mean output": (("output_real", "output_fake_before", "output_fake_after", "output_wrong"), {}),
        "Error on the test split": (tuple(f"{name}_error" for name in codes), {}),
    }
    found = []
    for title, (keys, references) in charted.items():
        series = {key.split("/")[-1]: charts.curve(lines, key) for key in keys if any(key in line for line in lines)}
        if series:
            found.append((title, charts.line_chart(series, "step", title, references)))
    return found


def _drawn(material: Material, name: str) -> tuple[np.ndarray, int]:
    """The images of a code's traversal, and how many stand in a row."""
    latents = traversal_grid(material.layout, name, material.model.stream_seed("pictures"))
    return material.model.generate(latents.latents), latents.columns


def _traversal(material: Material, found: Evaluation, name: str, images: np.ndarray, across: int) -> Grid:
    layout, facts = material.layout, found.codes.get(name, {})
    code, first = layout[name], layout.first_categorical
    values = code.traversal(across)
    columns = _class_names(code, found) if code.discrete else [f"{value:.1f}" for value in values]
    rows = [] if first is None or code.discrete else _class_names(first, found)
    caption = f"{name}: {facts.get('does', type(code).__name__.lower())}"
    return grid(images, across, caption, columns, rows)


def _class_names(code: Code, found: Evaluation) -> list[str]:
    """The classes by number, each with what it is called."""
    names = found.codes.get(code.name, {}).get("classes", [""] * code.num_classes)
    return [f"{k} → {name}" if name else str(k) for k, name in enumerate(names)]


def _matches(found):
    """A row for each code and each class of one: its name, what goes with it best, both areas, whether this tells."""
    columns = iter(found.associations.get("columns", ()))
    rows = []
    for facts in found.codes.values():
        for match in facts.get("goes_with", ()):
            texts = (match["name"], f"{match['auc']:.2f}", f"{match['train_auc']:.2f}") if match else ("", "", "")
            rows.append((next(columns), *texts, bool(match) and match["auc"] >= LEAST_AUC))
    return rows


def _associations(found):
    """Columns, and for each attribute its name and the areas, each with how far it is from chance, 0 to 1."""
    if not found.associations:
        return None
    rows = [
        (name, [("", 0.0) if area is None else (f"{area:.2f}", abs(2 * area - 1)) for area in areas])
        for name, areas in zip(found.associations["names"], found.associations["auc"], strict=True)
    ]
    return found.associations["columns"], rows


def _samples(material):
    drawn = sample_grid(material.layout, material.model.stream_seed("pictures"))
    return grid(material.model.generate(drawn.latents), drawn.columns, "Latents drawn from their priors")


def _captions(material):
    """What is drawn for captions, seen ones and held-out ones: a row for each, other noise in each column."""
    code = material.layout.told
    if not isinstance(code, Caption):
        return []
    held_out = [code.language.read(text) for text in code.language.held_out]
    found = []
    for what, captions in {"": code.traversal(TEST_IMAGES), "never seen together in training": held_out}.items():
        noise, _ = material.layout.sample_parts(TEST_IMAGES, material.model.stream_seed("pictures"))
        values = {code.name: np.repeat(captions, TEST_IMAGES)}
        images = material.model.generate(material.layout.join(np.tile(noise, (len(captions), 1)), values))
        caption = f"What captions ask for{what and f', shape, size and place {what}'}; other noise in each column"
        found.append(grid(images, TEST_IMAGES, caption, rows=[code.language.write(number) for number in captions]))
    return found


def _reconstructions(material):
    """Pairs of rows: test images, and below each what an encoder and a decoder make of it; nothing without these."""
    if material.model.READS != "noise":
        return []
    images, labels = material.test_images[:PAIRS], material.data.test.labels
    decoded = pictures.to_bytes(material.model.reconstruct(images, None if labels is None else labels[:PAIRS]))
    caption = "Test images, and under each what the decoder makes of its mean z"
    return [_in_pairs(images, decoded, caption, ("image", "decoded"))]


def _directions(material, found):
    """Test images decoded, and with the directions of attributes taken from their z or added; of those that z tells."""
    if material.model.READS != "noise" or not found.associations:
        return []
    names = [name for name in material.directions if name in material.data.attribute_names]
    if not names:
        return []
    directions = np.stack([material.directions[name] for name in names])
    truths = material.training_truths[:, [material.known_names.index(name) for name in names]]
    z = material.test_posterior["noise"]["mean"][:TEST_IMAGES]
    moved = {"decoded": z}
    for place in unlike(directions, correlations(material.training_noise, truths, directions), SHOWN):
        moved |= {f"{sign} {names[place]}": z + by * directions[place] for sign, by in (("-", -1), ("+", 1))}
    images, labels = material.test_images[:TEST_IMAGES], material.data.test.labels
    told = None if labels is None else labels[:TEST_IMAGES]
    shown = [images, *(pictures.to_bytes(material.model.decode(each, told)) for each in moved.values())]
    caption = (
        "Test images, decoded from their mean z, and the same without and with an attribute: from z its direction is "
        "taken away, or added: the mean z of training images that have it less that of those that have not. Shown are "
        f"the attributes with which z along the direction correlates most in training images, {SHOWN} at most, but for "
        f"those whose direction is like that of one before (a cosine beyond {ALIKE} in size)"
    )
    return [grid(np.concatenate(shown), len(images), caption, rows=["image", *moved])]


def _in_pairs(images, others, caption, names):
    """Two rows of images, each with its other below it; of a single image one row."""
    columns, rows = max(1, len(images) // 2), min(2, len(images))
    pairs = np.stack([images, others])  # [2, N, H, W, C]
    starts = [row * columns for row in range(rows)]
    shown = np.concatenate([pairs[side, start : start + columns] for start in starts for side in (0, 1)])
    return grid(shown, columns, caption, rows=[*names] * rows)


def _neighbours(material):
    """Pairs of rows: samples, and below each its nearest training image."""
    images = pictures.to_bytes(material.images[:PAIRS])
    nearest, _ = nearest_neighbours(images, material.data.train.images)
    caption = "Samples, and under each the training image nearest to it (Euclidean): a copy would look the same"
    return _in_pairs(images, material.data.train.images[nearest[:, 0]], caption, ("sample", "nearest"))


def _progress(run):
    """Samples of the same latents at chosen steps, as training drew them."""
    found = run.pictures("samples")
    if not found:
        return []
    chosen = {min(found, key=lambda step: abs(step - wanted)) for wanted in PROGRESS_STEPS} | {max(found)}
    read = {step: pictures.read_png(found[step]) for step in sorted(chosen)}
    return [Grid(picture, f"Step {step:,}") for step, picture in read.items() if picture is not None]


def _classes(material, found):
    """Real test images by the class that the first categorical code gives them, a row each."""
    code = material.layout.classifier
    if code is None:
        return None
    classes = material.test_classes(code)
    shown = np.zeros((code.num_classes, TEST_IMAGES, *material.data.image_shape), np.uint8)
    for k, row in enumerate(shown):
        members = material.test_images[classes == k][:TEST_IMAGES]
        row[: len(members)] = members
    caption = f"The first test images that {code.name} puts into each of its classes"
    return grid(shown.reshape(-1, *material.data.image_shape), TEST_IMAGES, caption, rows=_class_names(code, found))


def _confusion(found):
    table = found.confusion
    if not table:
        return ""
    columns = [str(k) for k in table["classes"]]
    return charts.heat_map(table["counts"], table["labels"], columns, "label", f"class of {table['code']}")
