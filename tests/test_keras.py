"""The models as Keras's own: found when a file is loaded, saved, exported, summarised, copied, asked to predict."""

import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import MAIN, ROOT, make_model, small_model

import infogan_tf
from infogan_tf.config.options import Config
from infogan_tf.export import export_saved_model
from infogan_tf.export.inference import for_inference
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.build import terms_of
from infogan_tf.models.gan import GAN
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.networks.mlp import mlp_networks

LATENTS = {GAN: "normal_noise:6", InfoGAN: "noise:6,cat:10,uniform:1"}
TERMS = {
    GAN: Config(feature_matching_weight=1.0, r1_weight=1.0, instance_noise=0.1, historical_averaging_weight=1.0),
    InfoGAN: Config(invariance_weight=1.0, invariances="rotate:10,shift:0.08", feature_matching_weight=1.0),
}


def made(kind, compiled, **compile_arguments):
    layout = LatentLayout.parse(LATENTS[kind])
    model = kind(layout, **mlp_networks(layout.width, layout.num_parameters, (8, 8, 1)), seed=3)
    if compiled:
        model.compile(keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-3), **compile_arguments)
    return model


def latents_of(model, count=5):
    return model.layout.sample(count, [0, 0]).numpy()


KINDS = pytest.mark.parametrize("kind", [GAN, InfoGAN], ids=lambda kind: kind.__name__)


# === Found when a file is loaded ===


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with a model of each kind, compiled with terms and trained for a step, and what they draw."""
    folder = tmp_path_factory.mktemp("saved")
    for kind in (GAN, InfoGAN):
        model = made(kind, True, regularizers=terms_of(TERMS[kind]))
        model.fit(np.zeros((8, 8, 8, 1), np.uint8), batch_size=8, verbose=0)
        model.save(folder / f"{kind.__name__}.keras")
        np.save(folder / f"{kind.__name__}.npy", model.generate(latents_of(model)))
    return folder


def run(code, *arguments, cwd):
    """Runs a program from a folder that is not the clone's."""
    program = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LOADING = """
import numpy as np
for name in ("GAN", "InfoGAN"):
    model = {load}(f"{{name}}.keras")
    assert type(model).__name__ == name and model.compiled
    latents = model.layout.sample(5, [0, 0]).numpy()
    np.testing.assert_allclose(model.generate(latents), np.load(f"{{name}}.npy"), atol=1e-6)
    print(*sorted(term.name for term in model.terms))
print(*sorted(key for key in keras.saving.get_custom_objects() if key.startswith("infogan_tf>")))
"""


@pytest.mark.parametrize(
    ("imports", "load"),
    [("import infogan_tf\nimport keras", "keras.models.load_model"),
     pytest.param("import keras\nimport infogan_tf", "keras.saving.load_model", marks=pytest.mark.slow)],
    ids=["infogan_tf first", "keras first"],
)  # fmt: skip
def test_importing_the_package_is_all_that_loading_needs(saved, imports, load):
    *terms, registered = run(f"{imports}\n{LOADING.format(load=load)}", cwd=saved).splitlines()
    assert [set(line.split()) for line in terms] == [
        {term.name for term in terms_of(TERMS[GAN])},
        {"information", *(term.name for term in terms_of(TERMS[InfoGAN]))},
    ]
    source = "\n".join(path.read_text() for path in (ROOT / "infogan_tf").rglob("*.py"))
    classes = re.findall(r"@keras\.saving\.register_keras_serializable\(package=\"infogan_tf\"\)\nclass (\w+)", source)
    assert len(classes) > 10
    assert registered.split() == sorted(f"infogan_tf>{name}" for name in classes)


COMMANDS = {
    "a REPL": ([""], [], False),
    "no argv": ([], [], False),
    "python -c": (["-c"], [], False),
    "pytest": (["/usr/bin/pytest", "infogan_tf"], [], False),
    "a notebook": (["/usr/lib/ipykernel_launcher.py", "-f", "kernel.json"], [], False),
    "somebody's main.py": (["/home/me/main.py"], [], False),
    "somebody's infogan.py": (["/home/me/infogan.py"], [], False),
    "another module of ours": (["-m"], ["python", "-m", "infogan_tf.export.metadata"], False),
    "main.py": ([str(MAIN), "--help"], [], True),
    "python -m": (["-m", "--help"], ["python", "-m", "infogan_tf", "--help"], True),
    "the installed command": (["/usr/local/bin/infogan"], [], True),
    "the installed command on Windows": (["infogan.exe"], [], True),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_alone_is_told_from_other_programs(monkeypatch, name):
    argv, original, is_command = COMMANDS[name]
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", original)
    assert infogan_tf._is_the_command() is is_command


def test_help_imports_nothing_that_takes_its_time(tmp_path):
    code = (
        "import runpy\n"
        f"sys.argv = [{str(MAIN)!r}, '--help']\n"
        "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as done:\n    assert done.code == 0\n"
        "assert not {'tensorflow', 'keras', 'numpy', 'PIL'} & set(sys.modules)\n"
    )
    assert "--model" in run(code, cwd=tmp_path)


@KINDS
def test_a_model_that_is_compiled_again_keeps_nothing_of_the_first_time(kind, tmp_path):
    terms = terms_of(TERMS[kind])
    model = made(kind, True, regularizers=terms_of(TERMS[kind]), average_decay=0.9)
    first = len(model.weights)
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3), regularizers=terms, average_decay=0.9)
    assert len(model.weights) == first
    model.fit(np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), np.uint8), batch_size=8, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    states = [each.weights + [v for own in each.optimizers.values() for v in own.variables] for each in (model, loaded)]
    for variable, other in zip(*states, strict=True):
        np.testing.assert_array_equal(variable, other, variable.path)


def test_networks_whose_outputs_are_not_float32_are_refused():
    layout = LatentLayout.parse(LATENTS[InfoGAN])
    networks = mlp_networks(layout.width, layout.num_parameters, (8, 8, 1))
    for role in ("generator", "d_head", "q_head"):
        inner = networks[role]
        other = keras.Sequential([inner, keras.layers.Activation("linear", dtype="mixed_bfloat16")])
        other.build(inner.input_shape)
        with pytest.raises(ValueError, match=rf"{role}: expected outputs in float32.*Received: bfloat16"):
            InfoGAN(layout, **{**networks, role: other})


# === Keras's own methods ===


@KINDS
@pytest.mark.parametrize("compiled", [False, True], ids=["built", "compiled"])
def test_keras_own_methods_know_the_model(kind, compiled, tmp_path):
    model, lines = made(kind, compiled), []
    latents = latents_of(model)
    images = model.generate(latents)
    np.testing.assert_array_equal(model.predict(latents, verbose=0), images)

    model.summary(print_fn=lambda text, **_: lines.append(text))
    assert all(role in "\n".join(lines) for role in model.roles())

    model.save_weights(tmp_path / "model.weights.h5")
    other = made(kind, compiled)
    assert not np.array_equal(other.generate(latents), images)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.generate(latents), images)

    for copied in (keras.models.clone_model(model), kind.from_config(model.get_config())):
        assert (copied.layout, copied.seed, copied.image_shape) == (model.layout, 3, (8, 8, 1))
        assert [w.shape for w in copied.network_variables] == [w.shape for w in model.network_variables]

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.compiled is compiled
    np.testing.assert_array_equal(loaded.generate(latents), images)


@KINDS
@pytest.mark.parametrize("compiled", [False, True], ids=["built", "compiled"])
def test_keras_own_export_serves_what_the_model_generates(kind, compiled, tmp_path):
    model = made(kind, compiled)
    latents = latents_of(model)
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(loaded.serve(latents), model.generate(latents), atol=1e-6)
    assert loaded.serve(latents[:0]).shape == (0, 8, 8, 1)


def test_keras_own_export_of_a_model_that_was_trained(tmp_path):
    model = make_model()
    model.fit(np.zeros((8, 8, 8, 1), np.uint8), batch_size=8, verbose=0)
    latents = latents_of(model)
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(loaded.serve(latents), model.generate(latents), atol=1e-6)


# === Networks that are no Sequential ===


def test_a_generator_of_another_kind_is_exported_as_it_is(tmp_path):
    layout = LatentLayout.parse(LATENTS[InfoGAN])
    inputs = keras.Input((layout.width,))
    both = [keras.layers.Dense(64, activation="tanh")(inputs), keras.layers.Dense(64)(inputs)]
    pixels = keras.layers.Activation("sigmoid")(keras.layers.Add()(both))
    generator = keras.Model(inputs, keras.layers.Reshape((8, 8, 1))(pixels), name="generator")
    networks = mlp_networks(layout.width, layout.num_parameters, (8, 8, 1)) | {"generator": generator}
    model = InfoGAN(layout, **networks)
    assert for_inference(generator) is generator

    served = tf.saved_model.load(str(export_saved_model(model, tmp_path / "infogan")))
    drawn = served.signatures["sample"](
        count=tf.constant(3), seed=tf.constant(1), c1=tf.constant([4]), c2=tf.constant([], tf.float32)
    )
    noise, values = layout.sample_parts(3, tf.constant([1, 0]))
    expected = model.generate(layout.join(noise, values | {"c1": tf.fill([3], 4)}))
    np.testing.assert_allclose(drawn["images"], expected, atol=1e-6)
    np.testing.assert_array_equal(drawn["c1"], [4, 4, 4])
    assert Path(tmp_path / "infogan" / "1" / "README.md").is_file()


def test_many_models_are_read_without_a_warning_of_tracing(caplog):
    # TensorFlow warns of a function that it traces often, as if it were one that all models shared.
    for _ in range(6):
        model = small_model()
        for count in (1, 2, 3):
            assert model.encode(np.zeros((count, 8, 8, 1), np.uint8))["c1"]["probabilities"].shape == (count, 10)
    assert "retracing" not in caplog.text
