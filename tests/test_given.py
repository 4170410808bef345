"""What a model's methods are given: every form that Keras takes works, and what does not fit is said in one line."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import make_model, small_model

from infogan_tf.data.given import checked, image_rows
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.gan import GAN, parts_of
from infogan_tf.networks.mlp import mlp_networks
from infogan_tf.networks.paper import paper_networks

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), dtype=np.uint8)
LABELS = np.arange(12)
SHAPE = r"images: expected shape \[B, 8, 8, 1\]\. Received: "


@pytest.fixture(scope="module")
def model():
    return small_model()


def batches(of, size=4):
    return tf.data.Dataset.from_tensor_slices(of).batch(size)


class Batches(keras.utils.PyDataset):
    """Three batches, or as many as are given."""

    def __init__(self, item=lambda i: IMAGES[4 * i : 4 * i + 4], count=3):
        super().__init__()
        self.item, self.count = item, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.item(index)


def none_of(images):
    """A data set that shows only when it is read that it is empty."""
    return tf.data.Dataset.from_tensor_slices(images).filter(lambda image: tf.size(image) == 0).batch(4)


def of_unknown_length(images, size=4):
    return tf.data.Dataset.from_tensor_slices(images).filter(lambda image: tf.size(image) > 0).batch(size)


# === What works ===

ROWS = {
    "array": lambda: IMAGES,
    "list": lambda: list(IMAGES),
    "nested lists": lambda: IMAGES.tolist(),
    "tensor": lambda: tf.constant(IMAGES),
    "pair": lambda: (IMAGES, LABELS),
    "dict": lambda: {"image": IMAGES, "label": LABELS},
    "dict of lists": lambda: {"images": list(IMAGES)},
}
BATCHES = {
    "data set": lambda: batches(IMAGES),
    "of pairs": lambda: batches((IMAGES, LABELS)),
    "of dicts": lambda: batches({"image": IMAGES, "label": LABELS, "id": LABELS.astype(str)}),
    "of dicts and labels": lambda: batches(({"image": IMAGES}, LABELS)),
    "another size at the end": lambda: batches(IMAGES, 5),
    "length not known": lambda: of_unknown_length(IMAGES),
    "shapes not known": lambda: tf.data.Dataset.from_generator(
        lambda: iter(np.split(IMAGES, 3)), output_types=tf.uint8
    ),
    "PyDataset": Batches,
    "PyDataset of dicts": lambda: Batches(lambda i: {"image": IMAGES[4 * i : 4 * i + 4]}),
    "generator": lambda: (batch for batch in np.split(IMAGES, 3)),
    "generator of pairs": lambda: ([batch, LABELS[:4]] for batch in np.split(IMAGES, 3)),
    "generator of dicts": lambda: ({"image": batch} for batch in np.split(IMAGES, 3)),
}


@pytest.mark.parametrize("name", [*ROWS, *BATCHES])
def test_what_is_read_is_the_same_in_every_form(model, name):
    given = (ROWS | BATCHES)[name]
    np.testing.assert_allclose(model.features(given()), model.features(IMAGES), atol=1e-6)
    expected, found = (model.encode(images) for images in (IMAGES, given()))
    np.testing.assert_allclose(found["c1"]["probabilities"], expected["c1"]["probabilities"], atol=1e-6)
    assert found["c2"]["mean"].shape == (12,)


@pytest.fixture(scope="module")
def eager():
    """Not traced anew for each form of what it is given."""
    return small_model(run_eagerly=True)


@pytest.mark.parametrize("name", [*ROWS, *BATCHES])
def test_training_and_evaluation_take_every_form(eager, name):
    model, given, before = eager, (ROWS | BATCHES)[name], int(eager.step)
    history = model.fit(given(), batch_size=4, verbose=0).history
    assert int(model.step) == before + 3
    assert np.isfinite(history["d_loss"]).all()
    size = 5 if name == "another size at the end" else 4
    expected = model.evaluate(IMAGES, batch_size=size, verbose=0, return_dict=True)
    assert model.evaluate(given(), batch_size=4, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    if name in ROWS:
        assert np.isfinite(model.train_on_batch(given())).all()
        assert np.isfinite(model.test_on_batch(given())).all()


@pytest.mark.parametrize(
    "validation",
    [
        {"validation_split": 0.25},
        {"validation_data": IMAGES},
        {"validation_data": (IMAGES, LABELS)},
        {"validation_data": [IMAGES, LABELS]},
        {"validation_data": {"image": IMAGES}},
        {"validation_data": batches({"image": IMAGES, "label": LABELS})},
        {"validation_data": batches(IMAGES).repeat(), "validation_steps": 2},
    ],
    ids=str,
)
def test_validation_takes_the_same(model, validation):
    history = model.fit(IMAGES, batch_size=4, verbose=0, **validation).history
    assert np.isfinite(history["val_d_loss"]).all()


@pytest.mark.parametrize("arguments", [{}, {"run_eagerly": True}, {"steps_per_execution": 2}], ids=str)
def test_of_batches_without_a_known_number_none_is_counted_too_often(arguments):
    # In a graph Keras asks for one batch more than there are, and all that does not depend on it was counted.
    model = small_model(**arguments)
    model.fit(of_unknown_length(IMAGES), epochs=2, verbose=0)
    assert (int(model.step), int(model.d_optimizer.iterations), int(model.g_optimizer.iterations)) == (6, 6, 6)
    assert model.means.counts[0] == 3
    known = model.evaluate(batches(IMAGES), verbose=0, return_dict=True)
    assert model.evaluate(of_unknown_length(IMAGES), verbose=0, return_dict=True) == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize(
    "form",
    [list, tf.constant, np.float64, lambda latents: tf.cast(latents, tf.bfloat16), lambda latents: batches(latents, 3)],
    ids=["list", "tensor", "array", "bfloat16", "data set"],
)
def test_latents_in_every_form(model, form):
    latents = tf.cast(tf.cast(model.layout.sample(5, 0), tf.bfloat16), tf.float32).numpy()  # which all formats hold
    images = model.generate(latents)
    np.testing.assert_allclose(model.generate(form(latents)), images, atol=1e-6)
    np.testing.assert_allclose(model.read(form(latents))[0], images, atol=1e-6)
    np.testing.assert_allclose(model.predict(form(latents), verbose=0), images, atol=1e-6)


def test_parts_of_a_batch_are_as_equal_as_can_be():
    rows = tf.reshape(tf.range(7), (7, 1, 1, 1))
    assert [tf.reshape(part, [-1]).numpy().tolist() for part in parts_of(rows, 3)] == [[0, 1], [2, 3], [4, 5, 6]]
    assert [len(part) for part in parts_of(rows[:6], 3)] == [2, 2, 2]
    assert [tf.reshape(part, [-1]).numpy().tolist() for part in parts_of(rows[:1], 2)] == [[0], [0]]


def test_a_last_batch_that_cannot_be_cut_in_two_is_trained_on():
    model = small_model(d_updates=2)
    history = model.fit(IMAGES[:9], batch_size=4, verbose=0).history  # 4, 4 and 1
    assert np.isfinite(history["d_loss"]).all()
    assert int(model.d_optimizer.iterations) == 6


# === What is refused ===

BAD = {
    "no channel": (lambda: IMAGES[..., 0], r"shape \[12, 8, 8\]; array\[\.\.\., None\] adds the last axis"),
    "a single one": (lambda: IMAGES[0], r"shape \[8, 8, 1\]; of a single one, array\[None\] makes a batch$"),
    "a single one, no channel": (lambda: IMAGES[0, ..., 0], r"shape \[8, 8\]; .* a last axis is missing"),
    "another size": (lambda: np.zeros((4, 16, 8, 1), np.uint8), r"shape \[4, 16, 8, 1\]$"),
    "another number of channels": (lambda: np.zeros((4, 8, 8, 3), np.uint8), r"shape \[4, 8, 8, 3\]$"),
    "channels first": (lambda: np.zeros((4, 1, 8, 8), np.uint8), r"shape \[4, 1, 8, 8\]; the channels come last$"),
    "images of two sizes": (lambda: [IMAGES[0], IMAGES[0, :5]], r"a list of the shapes \[8, 8, 1\], \[5, 8, 1\]$"),
    "a list of batches": (lambda: [IMAGES[:4], IMAGES[4:8]], r"shape \[2, 4, 8, 8, 1\]; np.concatenate joins batches"),
    "ragged": (lambda: tf.ragged.constant([[1], [2, 3]]), "<tf.RaggedTensor"),
    "lists of no shape": (lambda: [[[1], [2, 3]]] * 2, "a list of lists of several lengths$"),
    "nothing": (lambda: None, "None$"),
    "a path": (lambda: "~/photos", "'~/photos'$"),
    "unbatched": (lambda: tf.data.Dataset.from_tensor_slices(IMAGES), r"shape \[8, 8, 1\]; dataset.batch\(64\) makes"),
    "unbatched dicts": (
        lambda: tf.data.Dataset.from_tensor_slices({"image": IMAGES}),
        r".*; dataset.batch\(64\) makes",
    ),
    "a data set without channels": (
        lambda: batches(IMAGES[..., 0]),
        r"shape \[None, 8, 8\]; array\[\.\.\., None\] adds",
    ),
    "a data set of two sizes": (
        lambda: tf.data.Dataset.from_tensors(tf.ragged.constant([[1], []])),
        "a data set of RaggedTensors$",
    ),
    "a PyDataset without channels": (lambda: Batches(lambda i: IMAGES[:4, ..., 0]), r"shape \[4, 8, 8\]; array"),
    "a generator without channels": (lambda: (IMAGES[:4, ..., 0] for _ in range(2)), r"shape \[4, 8, 8\]; array"),
    "a data set of nothing": (lambda: batches(IMAGES[:0]), "a data set without a batch$"),
    "a PyDataset of nothing": (lambda: Batches(count=0), "a data set without a batch$"),
    "a generator of nothing": (lambda: (batch for batch in ()), "a data set without a batch$"),
    "what turns out to be nothing": (lambda: none_of(IMAGES), "a data set without a batch$"),
}


@pytest.mark.parametrize("name", BAD)
def test_images_that_do_not_fit_are_said_in_one_line(model, name):
    given, words = BAD[name]
    before = int(model.step)
    for work in (lambda x: model.fit(x, batch_size=4, verbose=0), lambda x: model.evaluate(x, verbose=0), model.encode):
        with pytest.raises(ValueError, match=SHAPE + words) as refused:
            work(given())
        assert "\n" not in str(refused.value)
    for work in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match=SHAPE):  # of data sets, that one batch is due
            work(given())
    assert int(model.step) == before


OTHERS = {
    "an empty array": (lambda m: m.fit(IMAGES[:0]), r"images: .*Received: none at all$"),
    "an empty array to evaluate": (lambda m: m.evaluate(IMAGES[:0]), r"images: .*Received: none at all$"),
    "a dict without images": (
        lambda m: m.fit(batches({"pixels": IMAGES, "label": LABELS})),
        "images: expected .* under the name 'image' of a dict. Received: a dict of pixels, label$",
    ),
    "a dict of splits": (lambda m: m.encode({"train": batches(IMAGES)}), "Received: a dict of train$"),
    "without end": (lambda m: m.fit(batches(IMAGES).repeat()), "steps_per_epoch: expected a number. .* for ever$"),
    "validation without end": (
        lambda m: m.fit(IMAGES, validation_data=batches(IMAGES).repeat()), "validation_steps: expected a number. "),
    "evaluation without end": (lambda m: m.evaluate(batches(IMAGES).repeat()), "steps: expected a number. "),
    "reading without end": (lambda m: m.encode(batches(IMAGES).repeat()), "images: expected data with an end. "),
    "validation images": (lambda m: m.fit(IMAGES, validation_data=IMAGES[..., 0]), SHAPE),
    "validation split": (lambda m: m.fit(IMAGES, validation_split=1.5), "validation_split: expected .* 1.5$"),
    "batch size 0": (lambda m: m.fit(IMAGES, batch_size=0), "batch_size: expected an integer from 1, or None. .* 0$"),
    "class_weight": (lambda m: m.fit(IMAGES, class_weight={0: 1.0}), "class_weight: expected None, .* dict$"),
    "sample_weight": (lambda m: m.fit(IMAGES, sample_weight=np.ones(12)), "sample_weight: expected None, "),
    "weights in a pair": (lambda m: m.fit((IMAGES, LABELS, np.ones(12))), "sample_weight: expected None, "),
    "weights in a data set": (lambda m: m.fit(batches((IMAGES, LABELS, LABELS))), "sample_weight: expected None, "),
    "weights of validation": (
        lambda m: m.fit(IMAGES, validation_data=(IMAGES, LABELS, LABELS)), "sample_weight: expected None, "),
    "weights to evaluate": (lambda m: m.evaluate(IMAGES, sample_weight=LABELS), "sample_weight: expected None, "),
    "four things": (lambda m: m.fit((IMAGES,) * 4), "data: expected rows, alone or in a pair .* 4 things in one$"),
    "four things in a batch": (lambda m: m.encode(batches((LABELS,) * 4)), "data: expected rows, .* 4 things in one$"),
    "an empty tuple": (lambda m: m.encode(()), "data: expected rows, .* 0 things in one$"),
    "weights on a batch": (lambda m: m.train_on_batch(IMAGES, class_weight={}), "class_weight: expected None, "),
    "weights to test": (lambda m: m.test_on_batch(IMAGES, sample_weight=LABELS), "sample_weight: expected None, "),
    "batches for a batch": (lambda m: m.train_on_batch(batches(IMAGES)), "a BatchDataset, where one batch is due$"),
    "one latents": (lambda m: m.generate(np.zeros(17)), r"latents: expected shape \[B, 17\]. Received: shape \[17\]; "),
    "narrow latents": (lambda m: m.predict(np.zeros((2, 5))), r"latents: .* shape \[2, 5\]$"),
    "images for latents": (lambda m: m.read(IMAGES), r"latents: .* shape \[12, 8, 8, 1\]$"),
    "latents that are none": (lambda m: m.generate(np.full((2, 17), np.nan)), "latents: expected finite numbers. "),
    "latents in words": (lambda m: m.predict_on_batch(np.full((2, 17), "a")), "latents: expected numbers. .* <U1$"),
    "an .h5": (lambda m: m.save("model.h5"), "filepath: expected a name that ends in .keras.* 'model.h5'$"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_has_no_meaning_is_said_in_one_line(model, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    work, words = OTHERS[name]
    before = int(model.step)
    with pytest.raises(ValueError, match=words) as refused:
        work(model)
    assert "\n" not in str(refused.value)
    assert int(model.step) == before
    assert not any(tmp_path.iterdir())


def test_a_data_set_is_not_read_where_it_says_that_it_holds_bytes():
    read = []

    def note(image):
        read.append(1)
        return image

    given = tf.data.Dataset.from_tensor_slices(IMAGES).map(lambda x: tf.numpy_function(note, [x], tf.uint8))
    given = given.map(lambda image: tf.ensure_shape(image, (8, 8, 1))).batch(4)
    assert checked(given, image_rows((8, 8, 1))) is given
    assert not read


def test_each_batch_that_is_read_is_asked_for_once(model):
    floats = np.float32(IMAGES / 255.0)
    once = iter(np.split(floats, 3))
    given = tf.data.Dataset.from_generator(lambda: once, output_signature=tf.TensorSpec((None, 8, 8, 1), tf.float32))
    np.testing.assert_allclose(model.features(given), model.features(floats), atol=1e-6)
    asked = []
    model.features(Batches(lambda i: asked.append(i) or floats[4 * i : 4 * i + 4]))
    assert asked == [0, 1, 2]


# === Compiling and making a model ===

COMPILE = {
    "loss": ({"loss": "mse"}, "loss: expected None, .*'mse'$"),
    "loss_weights": ({"loss_weights": [1.0]}, "loss_weights: expected None, "),
    "metrics": ({"metrics": ["accuracy"]}, r"metrics: expected None, .*\['accuracy'\]$"),
    "weighted_metrics": ({"weighted_metrics": ["mse"]}, "weighted_metrics: expected None, "),
    "optimizer": ({"optimizer": "adam"}, "optimizer: expected None, "),
    "auto_scale_loss": ({"auto_scale_loss": False}, "auto_scale_loss: expected None, .*False$"),
    "d_updates": ({"d_updates": 0}, "d_updates: expected an integer from 1. Received: 0$"),
    "g_updates": ({"g_updates": 1.5}, "g_updates: expected an integer from 1. Received: 1.5$"),
    "average_decay": ({"average_decay": 1.0}, "average_decay: expected a number from 0 to below 1. "),
    "real_target": ({"real_target": 0.0}, "real_target: expected a number above 0, at most 1. "),
    "lambda_info": ({"lambda_info": -1.0}, "lambda_info: expected a number from 0. Received: -1.0$"),
    "lambda_cat": ({"lambda_cat": np.nan}, "lambda_cat: expected a number from 0. Received: nan$"),
    "no optimizer": ({"d_optimizer": None}, "d_optimizer: expected a Keras optimizer, or its name. Received: None$"),
    "an unknown one": ({"g_optimizer": "adamm"}, "g_optimizer: expected .* Received: 'adamm'$"),
    "a number": ({"g_optimizer": 3}, "g_optimizer: expected .* Received: 3$"),
}


@pytest.mark.parametrize("name", COMPILE)
def test_compile_refuses_what_it_would_swallow(model, name):
    arguments, words = COMPILE[name]
    other = type(model).from_config(model.get_config())
    with pytest.raises(ValueError, match=words) as refused:
        other.compile(**{"d_optimizer": "adam", "g_optimizer": "adam", **arguments})
    assert "\n" not in str(refused.value)
    assert not other.compiled
    other.compile("adam", "adam", loss=None, metrics=None)


def test_an_optimizer_is_one_players_and_one_models():
    shared, other = keras.optimizers.Adam(), keras.optimizers.SGD()
    model = small_model()
    with pytest.raises(ValueError, match=r"g_optimizer: expected one of its own, .*one Adam for both$"):
        model.compile(shared, shared)
    model.compile(shared, other)
    model.compile(shared, other)  # again
    assert model.d_optimizer is shared
    with pytest.raises(ValueError, match="g_optimizer: expected one that has updated no other weights; "):
        model.compile("adam", shared)
    with pytest.raises(ValueError, match="d_optimizer: expected one that has updated no other weights; "):
        small_model().compile(shared, "adam")


def test_a_model_whose_compiling_was_refused_is_not_compiled():
    model, used = small_model(), small_model().d_optimizer
    with pytest.raises(ValueError, match="g_optimizer: expected one that has updated no other weights; "):
        model.compile("adam", used)
    with pytest.raises(ValueError, match="call `compile"):
        model.fit(IMAGES, verbose=0)
    model.compile("adam", "adam", run_eagerly=True)
    assert np.isfinite(model.fit(IMAGES, batch_size=12, verbose=0).history["d_loss"]).all()


def test_jit_compile_run_eagerly_and_steps_per_execution_are_kept(tmp_path):
    model = small_model(run_eagerly=True, steps_per_execution=3)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.run_eagerly, loaded.steps_per_execution, loaded.jit_compile) == (True, 3, False)


NETWORKS = mlp_networks(6, 0, (8, 8, 1))
MADE = {
    "layout": (lambda: GAN(None, **NETWORKS), "layout: expected a LatentLayout, or its text. Received: None$"),
    "seed": (lambda: GAN("noise:6", **NETWORKS, seed=None), "seed: expected an integer. Received: None$"),
    "trunk": (
        lambda: GAN("noise:6", **NETWORKS | {"trunk": mlp_networks(6, 0, (8, 4, 1))["trunk"]}),
        r"trunk: expected inputs of shape \[8, 8, 1\], which generator gives. Received: of shape \[8, 4, 1\]$",
    ),
    "d_head": (
        lambda: GAN("noise:6", **NETWORKS | {"d_head": keras.Sequential([keras.Input((9,)), keras.layers.Dense(1)])}),
        r"d_head: expected inputs of shape \[240\], which trunk gives. Received: of shape \[9\]$",
    ),
    "outputs of d_head": (
        lambda: GAN("noise:6", **NETWORKS | {"d_head": keras.Sequential([keras.Input((240,)), keras.layers.Dense(2)])}),
        "d_head: expected one output. Received: 2$",
    ),
    "no channels": (lambda: GAN("noise:6", **mlp_networks(6, 0, (8, 8))), "generator: expected one of images"),
    "image_shape": (lambda: paper_networks(6, 3, (28, 28)), r"image_shape: expected height, .* Received: \(28, 28\)$"),
    "preset": (lambda: paper_networks(6, 3, preset="none"), "preset: expected one of mnist, .* Received: 'none'$"),
}


@pytest.mark.parametrize("name", MADE)
def test_models_that_cannot_be_made(name):
    work, words = MADE[name]
    with pytest.raises(ValueError, match=words):
        work()


def test_what_was_not_compiled_says_so():
    model = GAN("noise:6", **NETWORKS)
    assert model.metrics == []
    for work in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match="compile"):
            work(IMAGES)


# === Latents ===


def test_a_seed_may_be_an_integer():
    layout = LatentLayout.parse("noise:6,cat:10,normal:1,bernoulli:1")
    for seed in (3, np.int64(3), (3, 0), np.array([3, 0]), tf.constant(3), tf.constant([3, 0])):
        np.testing.assert_array_equal(layout.sample(4, seed), layout.sample(4, tf.constant([3, 0])))
        for part in (layout.noise, *layout.codes):
            np.testing.assert_array_equal(part.sample(4, seed), part.sample(4, tf.constant([3, 0])))
    assert not np.array_equal(layout.sample(4, 3), layout.sample(4, 4))
    for seed in (0.5, None, "a", [1, 2, 3], 2**70, True):
        with pytest.raises(ValueError, match=r"seed: expected an integer, or two\. Received: "):
            layout.sample(4, seed)


LAYOUT = LatentLayout.parse("noise:6,cat:10,uniform:1")
LAYOUTS = {
    "no text": (lambda: LatentLayout.parse(5), ValueError, "text: expected a layout such as .* Received: 5$"),
    "stddev": (lambda: LatentLayout.parse("uniform:1", -1.0), ValueError, "posterior_stddev: expected .* -1.0$"),
    "code": (lambda: LAYOUT["c9"], KeyError, "expected one of c1, c2. Received: 'c9'"),
    "count": (lambda: LAYOUT.sample(-1, 0), ValueError, "count: expected 0 or more. Received: -1$"),
    "values": (lambda: LAYOUT.join(np.zeros((2, 6)), {"c1": [0, 1]}), ValueError, "values: .* none of c2$"),
    "noise": (
        lambda: LAYOUT.join(np.zeros((2, 5)), {"c1": [0, 1], "c2": [0.0, 1.0]}), ValueError,
        r"noise: expected shape \[B, 6\]. Received: shape \[2, 5\]$",
    ),
    "latents": (lambda: LAYOUT.split(np.zeros((2, 5))), ValueError, r"latents: expected shape \[B, 17\]. "),
    "parameters": (lambda: LAYOUT.posterior(np.zeros((2, 5))), ValueError, r"parameters: expected shape \[B, 12\]. "),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_layout_refuses(name):
    work, kind, words = LAYOUTS[name]
    with pytest.raises(kind, match=words):
        work()


def test_a_model_of_convolutions_reads_a_data_set():
    model = make_model()
    found = model.encode(batches(IMAGES, 5))["c1"]["probabilities"]
    np.testing.assert_allclose(found, model.encode(IMAGES)["c1"]["probabilities"], atol=1e-6)
