"""Every public measure refuses what it cannot measure, by a ValueError of one line that says what was received."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation import metrics
from infogan_tf.evaluation.metrics import (
    agreement,
    attributes,
    captions,
    clustering,
    directions,
    disentanglement,
    information,
    overlap,
    parzen,
    roc,
    sample_quality,
)
from infogan_tf.latents.captions import GRAMMARS

RNG = np.random.default_rng(0)
FACTORS = np.array(list(np.ndindex(3, 2, 2)))
CODES = FACTORS + 0.1 * RNG.normal(size=FACTORS.shape)
ORDERED = [False, True, True]
SIZES = (3, 2, 2)
FEATURES = RNG.normal(size=(20, 3))
IMAGES = RNG.random((12, 4, 4, 3))
CLASSES = np.arange(20) % 3
VALUES = RNG.uniform(-1, 1, 20)
SURE = np.eye(3)[CLASSES]
STATISTICS = sample_quality.feature_statistics(FEATURES)
AREAS = RNG.random((2, 3))


def spoilt(array, value):
    """`array` with one value in place of its last."""
    copy = np.array(array, np.float64)
    copy.flat[-1] = value
    return copy


def statistics(**changed):
    parts = {"mean": STATISTICS.mean, "covariance": STATISTICS.covariance, "count": 20} | changed
    return sample_quality.FeatureStatistics(**parts)


NUMBERS, WHOLE, PICTURES, COUNT = "numbers", "integers from 0", "pictures", "a count"


def bad_values(good, kind):
    """What spoils an argument of a kind."""
    if not isinstance(kind, str):
        return kind
    if kind == COUNT:
        return [0, -1, 2.5, np.nan, None, "5", True]
    if kind == "codes":
        return [[], [good[0], good[1][:5]], [spoilt(VALUES, np.nan)], [good[0][:0], good[1][:0]], [SURE], [CLASSES - 1]]
    if kind == "square":
        return [good[:2], good[:2, :2], good[0], good[:0], spoilt(good[::-1], 1.0) * np.nan, spoilt(good, 0.0)[:, :2]]
    half, text = good[: len(good) // 2], np.full(good.shape, "a")
    shared = [half, good[:0], text, good[..., :0], spoilt(good, np.nan), spoilt(good, np.inf), spoilt(good, -np.inf)]
    if kind == PICTURES:
        return [
            good[:0],
            text,
            good + 1.0,
            -good,
            np.full(good.shape, 7),
            *[spoilt(good, bad) for bad in (np.nan, np.inf)],
        ]
    if kind == WHOLE:
        return [*shared, good - 1, good.astype(np.float64), good + 0.5]
    return [*shared, good * 1j, good[np.newaxis]]


# By function, good arguments; by argument, what is refused there beside what spoils any array of its kind.
TAKEN = {
    agreement.code_agreement: {"drawn": ([CLASSES, VALUES], "codes"), "read": ([VALUES, CLASSES], "codes")},
    agreement.model_centrality: {"agreements": (RNG.random((3, 3)), "square")},
    attributes.ground_of: {"images": (IMAGES, PICTURES)},
    attributes.likeness: {"images": (IMAGES, PICTURES)},
    attributes.attributes: {"images": (IMAGES, PICTURES), "ground": ("dark", ["light", None, ""])},
    attributes.rank_correlations: {
        "values": (VALUES, NUMBERS),
        "measured": ({"slant": VALUES}, [{}, {"slant": VALUES[:9]}, {"slant": spoilt(VALUES, np.nan)}]),
        "groups": (CLASSES * 0, WHOLE),
    },
    attributes.strongest: {"correlations": ({"slant": {"rho": 0.5}}, [{}, {"slant": {"rho": np.nan}}])},
    captions.right_words: {
        "grammar": (GRAMMARS["sprites"], []),
        "captions": (CLASSES, [*bad_values(CLASSES, WHOLE), CLASSES + 1_022]),
        "values": (np.zeros((20, 5), int), [*bad_values(np.zeros((20, 5), int), WHOLE), np.zeros((20, 4), int)]),
    },
    clustering.matched_error: {"classes": (CLASSES, WHOLE), "labels": (CLASSES, WHOLE)},
    clustering.clustering_scores: {"classes": (CLASSES, WHOLE), "labels": (CLASSES, WHOLE)},
    clustering.confusion: {"classes": (CLASSES, WHOLE), "labels": (CLASSES, WHOLE)},
    clustering.match: {"counts": (np.arange(6).reshape(2, 3), WHOLE)},
    clustering.silhouette: {
        "features": (FEATURES, NUMBERS),
        "classes": (CLASSES, WHOLE),
    },
    clustering.joint_classes: {
        "classes": ([CLASSES, CLASSES], [[], [CLASSES, CLASSES[:5]], [CLASSES - 1], [VALUES], [CLASSES[:0]]])
    },
    directions.mean_directions: {
        "codes": (FEATURES, NUMBERS),
        "truths": (CLASSES[:, np.newaxis] - 1, [CLASSES, SURE, SURE.astype(int) + 1, CLASSES[:5, np.newaxis] - 1]),
        "least": (1, COUNT),
    },
    directions.correlations: {
        "codes": (FEATURES, NUMBERS),
        "truths": (SURE.astype(int), [CLASSES, SURE, SURE.astype(int) + 1, SURE[:5].astype(int), SURE.astype(int) * 0]),
        "directions": (FEATURES[:3], NUMBERS),
    },
    directions.unlike: {"directions": (FEATURES, NUMBERS), "strengths": (VALUES, NUMBERS), "most": (3, COUNT)},
    disentanglement.concentration: {"weights": (RNG.random((2, 3)), [*map(np.asarray, ([[1.0, -0.1]], [1.0, 2.0]))])},
    disentanglement.mig: {"codes": (CODES, NUMBERS), "factors": (FACTORS, WHOLE), "bins": (20, COUNT)},
    disentanglement.sap: {
        "train_codes": (CODES, NUMBERS),
        "train_factors": (FACTORS, WHOLE),
        "test_codes": (CODES, NUMBERS),
        "test_factors": (FACTORS, WHOLE),
        "ordered": (ORDERED, [[], [True]]),
        "widths": (None, [(1, 1), (3,), (1, 2), (0, 3), (1.0, 1, 1)]),
    },
    disentanglement.dci: {
        "train_codes": (CODES, NUMBERS),
        "train_factors": (FACTORS, WHOLE),
        "test_codes": (CODES, NUMBERS),
        "test_factors": (FACTORS, WHOLE),
        "widths": (None, [(1, 1), (3,)]),
    },
    disentanglement.modularity_explicitness: {
        "train_codes": (CODES, NUMBERS),
        "train_factors": (FACTORS, WHOLE),
        "test_codes": (CODES, NUMBERS),
        "test_factors": (FACTORS, WHOLE),
        "bins": (20, COUNT),
        "widths": (None, [(1, 1), (3,)]),
    },
    information.mutual_info: {"log_prob": (-np.abs(VALUES), NUMBERS), "entropy": (1.0, [np.nan, np.inf, "1", None])},
    information.standardised_mutual_info: {
        "values": (VALUES, NUMBERS),
        "means": (VALUES, NUMBERS),
        "entropy": (1.0, [np.nan, -np.inf]),
        "support": ((-1.0, 1.0), [(1.0, -1.0), (np.nan, 1.0), (0.0, 0.1)]),
    },
    overlap.class_overlaps: {
        "features": (FEATURES, NUMBERS),
        "classes": (CLASSES, WHOLE),
        "num_classes": (int(CLASSES.max()) + 1, COUNT),
        "k": (2, COUNT),
    },
    parzen.parzen_log_likelihood: {
        "samples": (IMAGES, PICTURES),
        "validation": (IMAGES, PICTURES),
        "test": (IMAGES, PICTURES),
        "bandwidths": ([0.1], [[], [0.0], [-1.0], [np.nan], [np.inf], 0.1]),
    },
    roc.roc_areas: {
        "scores": (FEATURES, NUMBERS),
        "truths": (CLASSES[:, np.newaxis] - 1, [CLASSES, SURE, SURE.astype(int) + 1, CLASSES[:5, np.newaxis] - 1]),
        "least": (1, [0, -1, np.nan]),
    },
    roc.best_attributes: {
        "names": (["a", "b"], [[], ["a"]]),
        "train": (AREAS, [AREAS + 1, -AREAS, AREAS[0], AREAS[:, :2], spoilt(AREAS, np.inf)]),
        "test": (AREAS, [AREAS + 1, -AREAS, AREAS[0], AREAS[:, :2], spoilt(AREAS, np.inf)]),
    },
    sample_quality.feature_statistics: {"features": (FEATURES, NUMBERS)},
    sample_quality.frechet_distance: {
        name: (
            STATISTICS,
            [
                statistics(mean=spoilt(STATISTICS.mean, np.nan)),
                statistics(covariance=spoilt(STATISTICS.covariance, np.inf)),
                statistics(covariance=STATISTICS.covariance[:2]),
                statistics(mean=STATISTICS.mean[:2]),
                statistics(mean=1e200 + STATISTICS.mean),
            ],
        )
        for name in ("a", "b")
    },
    sample_quality.kernel_distance: {
        "real": (FEATURES, NUMBERS),
        "fake": (
            FEATURES,
            [*[spoilt(FEATURES, bad) for bad in (np.nan, np.inf, 1e200)], FEATURES[:0], FEATURES[:, :2]],
        ),
        "seed": (0, [-1, 0.5, None]),
        "subsets": (5, [1, 0, -3, 2.5]),
        "subset_size": (5, [1, 0, -3, 2.5]),
    },
    sample_quality.inception_score: {
        "probabilities": (
            SURE,
            [
                *[spoilt(SURE, bad) for bad in (np.nan, np.inf, 0.0 if SURE[-1, -1] else 1.0, -1.0, 2.0)],
                SURE * 2.0,
                np.log(SURE + 0.1),
                SURE[:0],
                SURE[:9],
                CLASSES,
                np.full((20, 2), [1.5, -0.5]),
            ],
        ),
        "splits": (10, [1, 0, -2, 2.5]),
    },
    sample_quality.precision_recall_density_coverage: {
        "real": (FEATURES, NUMBERS),
        "fake": (FEATURES, NUMBERS),
        "k": (5, COUNT),
    },
    sample_quality.nearest_neighbours: {
        "samples": (IMAGES, PICTURES),
        "training": (IMAGES, PICTURES),
        "count": (1, COUNT),
    },
    sample_quality.unit_rows: {"name": ("images", []), "images": (IMAGES, PICTURES)},
    sample_quality.same_shape: {"images": (IMAGES, []), "others": (IMAGES, [IMAGES[:, :2]])},
}
CHECKED_BY_DRAWS = (
    disentanglement.factor_vae,
    disentanglement.beta_vae,
    disentanglement.disentanglement_scores,
    disentanglement.perfect_scores,
)
# What works below the measures: they are given what was checked.
BELOW = ("checks", "distances", "kernel_variance", "factor_samples")


# Of arrays that stand alone half of the rows, or none of the columns, is as good.
FITS = {"features", "counts", "log_prob", "real", "fake"}
CASES = [
    pytest.param(function, name, bad, id=f"{function.__name__}-{name}-{i}")
    for function, arguments in TAKEN.items()
    for name, (good, kind) in arguments.items()
    for i, bad in enumerate(bad_values(good, kind))
    if not (name in FITS and i == 0 and isinstance(kind, str))
]


def test_every_public_measure_is_here():
    modules = [
        importlib.import_module(f"{metrics.__name__}.{found.name}") for found in pkgutil.iter_modules(metrics.__path__)
    ]
    public = {
        function
        for module in modules
        if module.__name__.rpartition(".")[2] not in BELOW
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    }
    assert public == {*TAKEN, *CHECKED_BY_DRAWS}


@pytest.mark.parametrize("function", TAKEN, ids=lambda function: function.__name__)
def test_good_arguments_are_measured(function):
    function(**{name: good for name, (good, _) in TAKEN[function].items()})


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers of the size of 1e200
@pytest.mark.parametrize(("function", "name", "bad"), CASES)
def test_bad_arguments_are_refused_in_one_line(function, name, bad):
    arguments = {name: good for name, (good, _) in TAKEN[function].items()} | {name: bad}
    with pytest.raises(ValueError, match=r": expected .*\. Received:? ") as info:
        function(**arguments)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("function", CHECKED_BY_DRAWS, ids=lambda function: function.__name__)
def test_draws_are_checked(function):
    def call(represent=lambda factors: 1.0 * factors, sizes=SIZES, seed=0, train=60, test=40, **more):
        arguments = {"represent": represent, "ordered": ORDERED} | more
        arguments = {name: each for name, each in arguments.items() if name in inspect.signature(function).parameters}
        return function(factor_sizes=sizes, seed=seed, train=train, test=test, **arguments)

    call()
    bad = [{"sizes": sizes} for sizes in ((), (3, 1, 2), (3, 2.5, 2), (0, 2, 2), (-3, 2, 2), (3, np.nan, 2))]
    bad += [{"seed": -1}, {"seed": 0.5}, {"train": 0}, {"train": -5}, {"train": 9.5}, {"test": 0}, {"test": None}]
    if "represent" in inspect.signature(function).parameters:
        bad += [
            {"represent": wrong}
            for wrong in (
                lambda factors: spoilt(factors, np.nan),
                lambda factors: spoilt(factors, np.inf),
                lambda factors: factors[:, 0],
                lambda factors: factors[:-1],
                lambda factors: factors[:, :0],
                lambda factors: factors.astype(str),
            )
        ]
    if "widths" in inspect.signature(function).parameters:
        bad += [{"widths": (1, 1)}, {"widths": (3,)}, {"widths": (2, -1, 2)}]
    for arguments in bad:
        with pytest.raises(ValueError, match=r": expected .*\. Received: ") as info:
            call(**arguments)
        assert "\n" not in str(info.value)


def test_what_data_or_a_model_bring_about_becomes_a_note_and_what_a_caller_does_is_an_error():
    for not_measured in (
        lambda: information.mutual_info(spoilt(VALUES, np.nan), 1.0),
        lambda: disentanglement.mig(spoilt(CODES, np.inf), FACTORS),
        lambda: disentanglement.factor_vae(lambda factors: factors * np.nan, SIZES, 0, 10, 10),
        lambda: sample_quality.precision_recall_density_coverage(FEATURES[:5], FEATURES),
        lambda: sample_quality.precision_recall_density_coverage(spoilt(FEATURES, 1e200), FEATURES),
        lambda: sample_quality.precision_recall_density_coverage(FEATURES, FEATURES + 1e308),
        lambda: attributes.rank_correlations(VALUES[:5], {"slant": VALUES[:5]}, CLASSES[:5]),
    ):
        with pytest.raises(NotMeasuredError):
            not_measured()
    for mistaken in (
        lambda: clustering.confusion(CLASSES - 1, CLASSES),
        lambda: disentanglement.mig(CODES, FACTORS.astype(float)),
        lambda: sample_quality.inception_score(2 * SURE),
    ):
        with pytest.raises(ValueError, match="Received") as info:
            mistaken()
        assert not isinstance(info.value, NotMeasuredError)
