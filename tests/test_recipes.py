"""Every recipe trains two steps on images of its data set's shape, and has the paper's latents and rates."""

import dataclasses

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from stored import store

import configs
from configs.images import BY_FACTS
from infogan_tf.command_line import recipe_of
from infogan_tf.commands.images import images_of
from infogan_tf.commands.train import fitted_to
from infogan_tf.data import LOADERS
from infogan_tf.data.facts import ImageFacts
from infogan_tf.data.images import Factors, ImageData, Split
from infogan_tf.data.stream import stream
from infogan_tf.latents.language import read_latents
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.build import build_model
from infogan_tf.models.choices import check_options, resolve

SHAPES = {
    "digits": (16, 16, 1),
    "mnist": (28, 28, 1),
    "fashion_mnist": (28, 28, 1),
    "kmnist": (28, 28, 1),
    "emnist": (28, 28, 1),
    "sprites": (32, 32, 1),
    "sprites64": (64, 64, 1),
    "dsprites": (64, 64, 1),
    "shapes3d": (64, 64, 3),
    "svhn_cropped": (32, 32, 3),
    "cifar10": (32, 32, 3),
    "celeb_a": (32, 32, 3),
    "celeb_a talk": (28, 28, 3),
    "lsun": (64, 64, 3),
    "smallnorb": (64, 64, 1),
    "images": (28, 28, 3),
    "images faces": (32, 32, 1),
    "images faces_elevation": (32, 32, 1),
    "images faces_lighting": (32, 32, 1),
    "images chairs": (64, 64, 1),
    "images chairs_width": (64, 64, 1),
    "images celeb_a": (32, 32, 3),
    "images lsun": (64, 64, 3),
}
# These hold an image of each combination of factors, and are too large to be read or made here.
OF_FACTORS = ("sprites", "sprites64", "dsprites", "shapes3d")


def recipes_of(dataset):
    return __import__(f"configs.{dataset}", fromlist=["RECIPES"]).RECIPES


def every_recipe():
    return [(dataset, recipe) for dataset in (*LOADERS, "images") for recipe in recipes_of(dataset)]


def few_images(dataset, config, folder):
    """Stand-ins of a data set's own shape, by the loader that reads the real ones."""
    if dataset in OF_FACTORS:
        images = np.random.default_rng(0).integers(0, 256, (12, *SHAPES[dataset]), dtype=np.uint8)
        return ImageData.of_grid(dataset, Factors(("shape", "x"), (3, 4), (False, True), images), tuple("abc"))
    return images_of(config)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data_dir with a few images of each data set of tensorflow-datasets, a cache, and a folder of pictures."""
    folder = tmp_path_factory.mktemp("data")
    for name in (place[5:] for place in LOADERS.values() if place.startswith("tfds:")):
        store(name, folder / "data", {"train": 12, "test": 6})
    (folder / "pictures").mkdir()
    for i, image in enumerate(np.random.default_rng(0).integers(0, 256, (12, 30, 40, 3), dtype=np.uint8)):
        Image.fromarray(image).save(folder / "pictures" / f"{i}.png")
    return folder


@pytest.mark.parametrize(("dataset", "recipe"), every_recipe())
def test_every_recipe_trains(folder, dataset, recipe):
    source = str(folder / "pictures") if dataset == "images" else dataset
    given = {"data_dir": str(folder / "data"), "batch_size": 4, "precision": "float32"}
    given |= {"cache_dir": str(folder / "cache")} if dataset == "images" or LOADERS[dataset].startswith("tfds:") else {}
    config = resolve(recipe_of(configs, source, recipe), given)
    check_options(config)
    data = few_images(dataset, config, folder)
    assert data.image_shape == SHAPES.get(f"{dataset} {recipe}", SHAPES[dataset])
    model = build_model(fitted_to(data, config), data.image_shape)
    networks = [getattr(model, role) for role in model.roles()]
    before = [variable.numpy() for network in networks for variable in network.trainable_variables]
    model.run_eagerly = True  # tracing takes longer than two steps
    model.fit(stream(data.train.images, 4), steps_per_epoch=2, shuffle=False, verbose=0)
    assert int(model.step.numpy()) == 2
    after = [variable.numpy() for network in networks for variable in network.trainable_variables]
    assert all(np.isfinite(values).all() for values in after)
    assert all((one != other).any() for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("recipe", BY_FACTS)
def test_every_recipe_for_figures_trains(recipe):
    config = resolve(
        BY_FACTS[recipe](ImageFacts(12, 20, 16, figures=True)),
        {"precision": "float32", "dataset": "mine", "batch_size": 4},
    )
    images = np.zeros((12, 20, 16, 1), np.uint8)
    images[:, 5:9, 6:8] = np.random.default_rng(0).integers(128, 256, (12, 4, 2, 1))
    data = ImageData("mine", Split(images), Split(images))
    model = build_model(fitted_to(data, config), data.image_shape)
    model.run_eagerly = True
    model.fit(stream(images, 4), steps_per_epoch=2, shuffle=False, verbose=0)
    assert int(model.step.numpy()) == 2


@pytest.mark.parametrize(
    ("facts", "networks", "steps"),
    [
        (ImageFacts(60_000, 28, 28, figures=True), "paper", 5_000),
        (ImageFacts(1_437, 16, 16, figures=True), "paper", 1_500),
        (ImageFacts(3_000, 32, 32, figures=True), "paper", 3_000),
        (ImageFacts(60_000, 96, 96, figures=True), "dcgan", 2_500),
        (ImageFacts(50_000, 32, 32, figures=False), "dcgan", 10_000),
        (ImageFacts(50_000, 64, 64, figures=False), "dcgan", 2_500),
        (ImageFacts(200, 64, 48, figures=False), "dcgan", 1_500),
        (ImageFacts(8_972, 32, 32, figures=False, framed=True), "dcgan", 8_972),
    ],
)
def test_the_invariant_recipe_goes_by_what_the_images_are(facts, networks, steps):
    config = BY_FACTS["invariant"](facts)
    assert (config.networks, config.steps) == (networks, steps)
    assert config.trunk_batch_norm is config.spectral_norm is (networks == "dcgan")
    assert config.starts == (6 if networks == "paper" else 1)
    assert config.marginal_tolerance == (0.04 if networks == "paper" else 0.08)
    assert config.invariance_weight == (5 if networks == "paper" else 1 if facts.framed else 2)
    assert BY_FACTS["invariant"](facts, 300).lambda_warmup == 100
    assert BY_FACTS["invariant"](facts, 5_000).average_decay == 0.999
    assert BY_FACTS["invariant"](facts, 1).average_decay == 0.0
    equal = BY_FACTS["invariant"](dataclasses.replace(facts, equal=True))
    assert equal.marginal_tolerance == (0.0 if networks == "paper" else 0.08)
    assert max(config.lambda_warmup, config.start_steps, config.feature_matching_start) <= steps // 2


@pytest.mark.parametrize(
    ("facts", "steps", "haste_steps"),
    [
        (ImageFacts(60_000, 28, 28, figures=True, equal=True), 1_500, 375),
        (ImageFacts(1_437, 16, 16, figures=True), 1_000, 250),
        (ImageFacts(50_000, 32, 32, figures=False), 3_000, 0),
    ],
)
def test_the_quick_recipe_is_the_invariant_one_of_fewer_steps_and_one_start(facts, steps, haste_steps):
    config, invariant = BY_FACTS["quick"](facts), BY_FACTS["invariant"](facts, steps)
    assert (config.steps, config.starts, config.haste_steps) == (steps, 1, haste_steps)
    assert dataclasses.replace(config, starts=invariant.starts, haste_steps=invariant.haste_steps) == invariant
    assert BY_FACTS["quick"](facts, 3).haste_steps == (1 if haste_steps else 0)


@pytest.mark.parametrize(("labelled", "starts"), [(0, 6), (20, 1)])
def test_labels_leave_nothing_to_several_starts(labelled, starts):
    assert resolve(recipe_of(configs, "digits", "invariant"), {"labelled": labelled}).starts == starts


@pytest.mark.parametrize(
    ("count", "figures", "size"), [(3, True, 2), (64, True, 64), (127, True, 64), (128, True, 128), (70, False, 64)]
)
def test_the_invariant_recipes_batch_is_no_larger_than_the_images_are_many(count, figures, size):
    assert BY_FACTS["invariant"](ImageFacts(count, 28, 28, figures=figures)).batch_size == size


def test_every_file_of_recipes_is_one_that_can_be_asked_for():
    files = {path.stem for path in (ROOT / "configs").glob("[a-z]*.py")}
    assert files == {*LOADERS, "images", "faces", "chairs", "invariant"}
    for gathered in ("faces", "chairs"):
        assert recipes_of(gathered).items() <= recipes_of("images").items()


# Appendix C of the paper: the networks, how many latents there are, the rates of D with Q and of G, and lambda by kind
# of code.
PAPER = {
    ("mnist", "paper"): ("mnist", 74, 2e-4, 1e-3, 1.0, 1.0),
    ("svhn_cropped", "paper"): ("svhn", 168, 2e-4, 1e-3, 1.0, 1.0),
    ("celeb_a", "paper"): ("celeb_a", 228, 2e-4, 1e-3, 1.0, None),
    ("images", "faces"): ("faces", 133, 2e-4, 5e-4, None, 0.2),
    ("images", "faces_elevation"): ("faces", 133, 4e-4, 3e-4, None, 0.1),
    ("images", "faces_lighting"): ("faces", 133, 8e-4, 3e-4, None, 0.1),
    ("images", "chairs"): ("chairs", 189, 2e-4, 1e-3, 1.0, 10.0),
    ("images", "chairs_width"): ("chairs", 189, 2e-4, 1e-3, 2.0, 0.05),
}


@pytest.mark.parametrize(("dataset", "recipe"), PAPER)
def test_the_papers_settings(dataset, recipe):
    config = resolve(recipes_of(dataset)[recipe], {})
    layout = LatentLayout.parse(config.latents)
    weights = {True: config.lambda_cat, False: config.lambda_cont}
    weights = {kind: config.lambda_info if weight is None else weight for kind, weight in weights.items()}
    has = {bool(classes) for _, classes in read_latents(config.latents).codes.values()}
    found = [weights[kind] if kind in has else None for kind in (True, False)]
    assert config.networks == "paper"
    assert (config.preset, layout.width, config.d_learning_rate, config.g_learning_rate, *found) == PAPER[
        dataset, recipe
    ]


def test_the_settings_of_infogan_cr():
    config = recipes_of("dsprites")["contrastive"]
    passes = config.steps * config.batch_size / 737_280
    assert (passes, config.contrast_start / config.steps, config.g_updates) == (28, 0.9, 2)
    assert (config.networks, config.preset, config.spectral_norm) == ("paper", "infogan_cr", True)
    assert (config.lambda_info, config.contrast_weight, config.g_learning_rate, config.d_learning_rate) == (
        0.05, 2.0, 1e-3, 2e-3,
    )  # fmt: skip
    assert LatentLayout.parse(config.latents).width == 10


def test_celeb_a_of_the_talk_takes_smaller_steps_on_the_way():
    config = recipes_of("celeb_a")["talk"]
    assert config.learning_rate_boundaries() == [20_000]
    assert config.steps == 40_000
