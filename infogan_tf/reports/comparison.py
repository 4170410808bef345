"""One page about several runs: side by side, averaged over seeds of the same configuration, curves overlaid."""

import collections
import dataclasses
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from infogan_tf import pictures
from infogan_tf.config.options import Config
from infogan_tf.config.source import constant
from infogan_tf.data.listing import written
from infogan_tf.data.sources import name_of
from infogan_tf.errors import NotMeasuredError, UserError, printable
from infogan_tf.evaluation.figures import FIGURES, HIGHER, SAMPLES, Figure, describe, is_headline, title_of
from infogan_tf.evaluation.metrics.agreement import code_agreement, model_centrality
from infogan_tf.evaluation.record import read_evaluation
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.latents.language import TOLD, read_latents
from infogan_tf.models import MODELS, labels_told
from infogan_tf.models.choices import taken
from infogan_tf.objectives.invariance import INVARIANCE_TERM
from infogan_tf.reports import charts
from infogan_tf.reports.pages import Grid
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import last_step, read_lines
from infogan_tf.runs.records import existing_run, folders_of_runs
from infogan_tf.runs.restored import restored_model
from infogan_tf.templates import render

# Images that each run draws for every other to read.
AGREEMENT_IMAGES = 2_000
# Options in which runs of one configuration may differ.
_CHANCE = ("seed", "data_dir", "cache_dir", "labels", "precision")
_CURVES = (
    "d_loss", "g_loss", "elbo", "prob_real", "prob_fake_before", "output_real", "output_fake_before", "convergence",
)  # fmt: skip
# By what a model reads, in words.
_READS = {
    "codes": "its codes",
    "noise": "its noise, and what the decoder makes of that",
    "classes": "its class",
    "": "",
}


@dataclasses.dataclass
class Run:
    """One of the runs compared.

    Attributes:
        name: Its name, unlike the others'.
        folder: Its run directory.
        config: Its options.
        lines: The lines of its metrics.jsonl, one for each epoch.
        found: What its evaluation.json holds, or None without one.
    """

    name: str
    folder: RunDirectory
    config: Config
    lines: list[dict[str, float]]
    found: Evaluation | None

    @property
    def configuration(self) -> str:
        """Its options but for those of chance, as text that is equal for runs of one configuration."""
        return json.dumps({name: value for name, value in self.config.to_json().items() if name not in _CHANCE})

    @property
    def has_codes(self) -> bool:
        """Whether there are codes that its model draws images from and reads in them."""
        kinds = {kind for kind, _ in read_latents(self.config.latents).all_codes.values()}
        return bool(kinds - {*TOLD, "class"})

    @property
    def finished(self) -> bool:
        """Whether it was trained to its last step."""
        return last_step(self.lines) >= self.config.steps


@dataclasses.dataclass(frozen=True)
class FigureRow:
    """A figure beside one another in several runs, or groups of runs.

    Attributes:
        name: The figure's name.
        texts: Its value in each column, empty where it was not measured.
        best: The numbers of the columns that are the best; none where nothing says which is.
    """

    name: str
    texts: list[str]
    best: frozenset[int]

    @property
    def title(self) -> str:
        """Its name for a reader."""
        return title_of(self.name)

    @property
    def figure(self) -> Figure:
        """What it is."""
        return describe(self.name)


@dataclasses.dataclass(frozen=True)
class Criterion:
    """A figure by which to choose a run without labels.

    Attributes:
        title: The figure's name.
        how: What it is, and which way is better.
        values: The figure of each run, by the run's name.
        best: The name of the run to choose by it.
    """

    title: str
    how: str
    values: dict[str, float]
    best: str


def find_runs(text: str) -> list[Run]:
    """Reads the runs that --runs names: folders separated by commas, or one folder with runs in it.

    Raises:
        UserError: Where there are fewer than two, or one is no run.
    """
    return read_runs(folders_of_runs(text))


def read_runs(folders: list[Path]) -> list[Run]:
    """The runs in these folders.

    Raises:
        UserError: Where one is no run.
    """
    names = [(folder if folder.name not in ("", "..") else folder.resolve()).name for folder in folders]
    runs = []
    for folder, own in zip(folders, names, strict=True):
        directory, config = existing_run(str(folder), {}, flag="runs")
        name = written(own if names.count(own) == 1 else str(folder))
        found = read_evaluation(directory.evaluation_file, read_latents(config.latents).all_codes)
        runs.append(Run(name, directory, config, read_lines(directory.metrics_file), found))
    return runs


def compare_runs(runs: list[Run], program: Sequence[str] = ()) -> tuple[str, list[Criterion]]:
    """A page as HTML that needs no other file and no network; and by what to choose a run, the first one first.

    Args:
        runs: The runs to compare, two or more.
        program: the words that call this program, for the commands that the page names.
    """
    groups = collections.defaultdict(list)
    for run in runs:
        groups[run.configuration].append(run)
    notes, criteria = _notes(runs, program), []
    finished = [run for run in runs if run.finished]
    if len(groups) == 1 and len(finished) > 1 and all(INVARIANCE_TERM in run.lines[-1] for run in finished):
        criteria.append(_invariance(finished))
    if len({_first_classes(run)[1] for run in finished}) > 1 and all(_silhouette(run) is not None for run in finished):
        criteria.append(_number_of_classes(finished))
    if len(finished) < 3 and all(run.has_codes for run in runs):
        notes.append(
            "From three runs on that are finished, this page also says which one is the most central (ModelCentrality)."
        )
    elif len(finished) >= 3 and any(run.has_codes for run in finished):
        try:
            criteria.append(_centrality(finished))
        except NotMeasuredError as reason:
            notes.append(f"ModelCentrality: not measured; {str(reason).rstrip('.')}.")
    for note in notes:
        print(f"  {printable(note)}")
    figures = _figure_rows(runs, [[run] for run in runs])
    page = render(
        "comparison.html",
        title=f"{len(runs)} runs on {', '.join(dict.fromkeys(name_of(run.config.dataset) for run in runs))}",
        runs=runs,
        models=_models(runs, figures),
        options=_differing_options(runs),
        columns=[run.name for run in runs],
        figures=figures,
        group_columns=[", ".join(run.name for run in group) for group in groups.values()],
        group_figures=_figure_rows(runs, list(groups.values())) if len(groups) < len(runs) else [],
        curves=_curves(runs),
        pictures=list(filter(None, map(_newest_picture, runs))),
        effects=_effects(runs),
        criteria=criteria,
        notes=notes,
    )
    return page, criteria


def _invariance(runs):
    values = {run.name: run.lines[-1][INVARIANCE_TERM] for run in runs}
    return Criterion(
        "invariance term",
        "what Q minimised on real images, before its weight, mean over the last epoch, lower is better; runs that "
        "differ in the seed alone find different minima of it.",
        values,
        min(values, key=values.get),
    )


def _first_classes(run):
    """The name of the first code of classes, and how many it has; an empty name and 0 without one."""
    codes = read_latents(run.config.latents).all_codes.items()
    return next(((name, classes) for name, (kind, classes) in codes if kind == "cat"), ("", 0))


def _silhouette(run):
    """That of the first code of classes, where it was measured."""
    return run.found.figures.get(f"silhouette/{_first_classes(run)[0]}") if run.found else None


def _number_of_classes(runs):
    """The silhouette, in the mean over runs with as many classes."""
    by_count = collections.defaultdict(list)
    for run in runs:
        by_count[_first_classes(run)[1]].append(_silhouette(run))
    best = max(by_count, key=lambda count: np.mean(by_count[count]))
    return Criterion(
        f"silhouette, whose mean is highest with {best} classes",
        "how much nearer test images are to others of their class than to the next class, -1 to 1, higher is better; "
        "named is the best run with the number of classes whose runs have the highest in the mean.",
        {run.name: _silhouette(run) for run in runs},
        max((run for run in runs if _first_classes(run)[1] == best), key=_silhouette).name,
    )


def _centrality(runs):
    """Raises a NotMeasuredError where runs cannot read each other's codes, or read nothing."""
    values = dict(zip((run.name for run in runs), model_centrality(_agreements(runs)), strict=True))
    if not any(values.values()):
        raise NotMeasuredError("no run reads anything of another's codes")
    return Criterion(
        "ModelCentrality",
        "mean agreement with the other runs, 0 to 1, higher is better. Each run draws images for each other to read; "
        "codes are paired one-to-one, classes by adjusted mutual information, continuous codes by rank correlation.",
        values,
        max(values, key=values.get),
    )


def _notes(runs, program):
    """What a reader has to know before comparing: what is missing, unfinished, or measured otherwise."""
    notes = [
        f"{run.name}: no evaluation yet; to measure it: "
        + written(shlex.join([*program, "--mode=evaluate", f"--run_dir={run.folder}"]))
        for run in runs
        if run.found is None
    ]
    notes += [
        f"{run.name}: not finished, {last_step(run.lines):,} of {run.config.steps:,} steps."
        for run in runs
        if not run.finished
    ]
    notes += [
        f"{run.name}: its evaluation is of step {run.found.step:,}, and the run is at {last_step(run.lines):,}."
        for run in runs
        if run.found and run.found.step is not None and run.found.step < last_step(run.lines)
    ]
    if len({run.found.setting for run in runs if run.found}) > 1:
        settings = ", ".join(f"{run.name} {run.found.setting}" for run in runs if run.found)
        notes.append(f"The evaluations differ in the number of images ({settings}): FID and likelihood do not compare.")
    # One data set's network, trained anew on another machine, is another network.
    networks = collections.defaultdict(list)
    for run in runs:
        if run.found and "" in run.found.features:
            networks[run.found.features[""]].append(run.name)
    if len(networks) > 1:
        which = "; ".join(f"{', '.join(names)} in {network}" for network, names in networks.items())
        notes.append(f"Samples were measured in features of different networks ({which}): FID and KID do not compare.")
    return notes


def _differing_options(runs):
    """The options in which the runs differ: {option: [value of each run, "" where nothing in it reads the option]}."""
    options, read = [run.config.to_json() for run in runs], [taken(run.config) for run in runs]
    differing = [name for name in options[0] if len({str(own[name]) for own in options}) > 1]
    return {name: [own.get(name, "") for own in read] for name in differing}


def _models(runs, rows):
    """Of each run, where the models differ: the model, which labels it was told, what it reads, what it is best at."""
    if len({run.config.model for run in runs}) == 1:
        return []
    found = []
    for i, run in enumerate(runs):
        model = MODELS[run.config.model]
        told = labels_told(constant(f"{model.path}.TOLD"), run.config.labelled)
        best = [row.title for row in rows if i in row.best and is_headline(row.name)]
        found.append((run.name, model, told, _READS[constant(f"{model.path}.READS")], best))
    return found


def _figure_rows(runs, groups):
    """A FigureRow for each figure that any run has."""
    names = dict.fromkeys(name for run in runs if run.found for name in run.found.figures)
    # Samples compare where as many were measured in the same features.
    measured = {(run.found.setting, run.found.features.get("")) for run in runs if run.found}
    rows = []
    for name in sorted(names, key=lambda name: list(FIGURES).index(name.split("/")[0])):
        evaluations = [[run.found for run in group if run.found] for group in groups]
        texts = [figure_of_group(name, each) for each in evaluations]
        compares = len(measured) == 1 or describe(name).group != SAMPLES
        rows.append(FigureRow(name, texts, _best(name, evaluations) if compares else frozenset()))
    return rows


def _best(name, evaluations):
    """The numbers of the groups whose mean of a figure is the best as it is written, where there are others."""
    figure = describe(name)
    means = {i: np.mean(values) for i, each in enumerate(evaluations) if (values := _values(name, each))}
    if not figure.better or len({figure.text(mean) for mean in means.values()}) < 2:
        return frozenset()
    best = (max if figure.better == HIGHER else min)(means.values())
    return frozenset(i for i, mean in means.items() if figure.text(mean) == figure.text(best))


def _values(name, evaluations):
    return [found.figures[name] for found in evaluations if name in found.figures]


def figure_of_group(name: str, evaluations: list[Evaluation]) -> str:
    """The mean of a figure over runs and, where there are several, its standard deviation and their number."""
    values = _values(name, evaluations)
    if not values:
        return ""
    text = describe(name).text(float(np.mean(values)))
    if len(values) == 1:
        return text
    return f"{text} ± {describe(name).text(float(np.std(values, ddof=1)))} (n = {len(values)})"


def _curves(runs):
    names = dict.fromkeys(name for run in runs for line in run.lines[-1:] for name in line)
    wanted = [name for name in names if name.startswith("mutual_info/") or name.endswith("_error") or name in _CURVES]
    return [
        (name, charts.line_chart({run.name: charts.curve(run.lines, name) for run in runs}, "step", name))
        for name in wanted
    ]


def _effects(runs):
    """By code, what each run's evaluation says that it does; empty where that says nothing of it."""
    codes = dict.fromkeys(name for run in runs if run.found for name in run.found.codes)
    found = [run.found.codes if run.found else {} for run in runs]
    return {name: [own.get(name, {}).get("does", "") for own in found] for name in codes}


def _newest_picture(run):
    """What the run's first code does; of a run without codes, samples; None where there is no picture yet."""
    for name, what in (("c1", "c1 varied"), ("samples", "samples")):
        for step, path in reversed(run.folder.pictures(name).items()):
            picture = pictures.read_png(path)
            if picture is not None:
                return Grid(picture, f"{run.name}: {what}, step {step:,}")
    return None


def _agreements(runs):
    """How well each run's Q reads the codes of each other run: [runs, runs], row i drawn by run i."""
    if len({run.config.dataset for run in runs}) > 1:
        raise NotMeasuredError("the runs are of different data sets")
    if len({run.folder.image_shape() for run in runs}) > 1:
        raise NotMeasuredError("the runs draw images of different sizes")
    if not all(run.has_codes for run in runs):
        raise NotMeasuredError("not all runs have codes that are read from images")
    try:
        models = [restored_model(run.folder, run.config) for run in runs]
    except UserError as error:  # of checkpoints that were deleted, say, to save space
        raise NotMeasuredError(f"not all runs can be restored ({error})") from error
    agreements = np.eye(len(runs))
    for i, artist in enumerate(tqdm(models, desc="Agreement between runs", unit="run")):
        noise, values = artist.layout.sample_parts(AGREEMENT_IMAGES, artist.stream_seed("measure"))
        images = artist.generate(artist.layout.join(noise, values))
        drawn = [values[code.name].numpy() for code in artist.read_codes]
        for j, reader in enumerate(models):
            if i != j:
                agreements[i, j] = code_agreement(drawn, list(reader.most_probable(images).values()))
    return agreements
