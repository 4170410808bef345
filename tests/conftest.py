"""Shared by all tests: a model and a run small enough to train in seconds."""

import contextlib
import dataclasses
import functools
import gc
import io
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the package has it, before anything imports TensorFlow
# On the CPU everywhere: many tests compare bits, and a GPU adds up in another order each time.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
import pytest
from no_export import export_nothing

import configs
from infogan_tf import command_line
from infogan_tf.evaluation.feature_networks import inception
from infogan_tf.evaluation.material import SETTINGS
from infogan_tf.export import export_saved_model
from infogan_tf.files import alone_in
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.networks.paper import paper_networks

# What the imports made stays, and need not be looked through again at each of Python's collections.
gc.freeze()

ROOT = Path(__file__).resolve().parents[1]
MAIN = ROOT / "main.py"
NO_EXPORT = ROOT / "tests" / "no_export.py"

TINY = (
    "--steps=4",
    "--batch_size=8",
    "--eval_every=2",
    "--checkpoint_every=2",
    "--latents=noise:6,cat:10,uniform:1,normal:1,bernoulli:1",
    "--precision=float32",
    "--evaluation=none",
)


def make_model(
    latents="noise:6,cat:10,uniform:2",
    image_shape=(8, 8, 1),
    dtype="float32",
    seed=0,
    posterior_stddev=None,
    **compile_arguments,
):
    """A compiled InfoGAN on tiny images, its weights a function of `seed`."""
    keras.utils.set_random_seed(seed)
    layout = LatentLayout.parse(latents, posterior_stddev)
    networks = paper_networks(layout.width, layout.num_parameters, image_shape, dtype)
    model = InfoGAN(layout, **networks, seed=seed)
    model.compile(
        keras.optimizers.Adam(2e-4, beta_1=0.5, name="d_optimizer"),
        keras.optimizers.Adam(1e-3, beta_1=0.5, name="g_optimizer"),
        **compile_arguments,
    )
    return model


def small_networks(layout, image_shape=(8, 8, 1), dtype="float32"):
    """Networks of a few weights, for what does not depend on what they are."""
    dense = functools.partial(keras.layers.Dense, dtype=dtype)

    def network(name, shape, *layers):
        return keras.Sequential([keras.Input(shape), *layers], name=name)

    pixels = [dense(math.prod(image_shape), activation="sigmoid"), keras.layers.Reshape(image_shape, dtype="float32")]
    networks = {
        "generator": network("generator", (layout.width,), *pixels),
        "trunk": network("trunk", image_shape, keras.layers.Flatten(), dense(8, activation="tanh")),
        "d_head": network("d_head", (8,), keras.layers.Dense(1, dtype="float32")),
    }
    if layout.num_parameters:
        networks["q_head"] = network("q_head", (8,), keras.layers.Dense(layout.num_parameters, dtype="float32"))
    return networks


def small_model(d_optimizer="adam", g_optimizer="adam", latents="noise:6,cat:10,uniform:1", dtype="float32", **kwargs):
    """A compiled InfoGAN of few weights, a function of Keras's own seed."""
    layout = LatentLayout.parse(latents)
    model = InfoGAN(layout, **small_networks(layout, dtype=dtype))
    model.compile(d_optimizer, g_optimizer, **kwargs)
    return model


def run_main(*flags, cwd, environment=(), check=True, **kwargs):
    """Runs main.py in a process of its own; returns its output and exit status."""
    done = subprocess.run(
        [sys.executable, str(MAIN), *map(str, flags)],
        cwd=cwd,
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
        timeout=900,
        **kwargs,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def run_here(*flags, cwd, check=True, exporting=True, stdout=None):
    """Runs main() in this process, which saves the seconds of importing TensorFlow; as `run_main` otherwise.

    Without `exporting` a version is written that says of what weights it is, and holds no model: half of a tiny run's
    time is the export's. It prints to the stream `stdout`, if that is given.
    """
    printed, complained = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(cwd)
    try:
        with (
            contextlib.redirect_stdout(stdout or printed),
            contextlib.redirect_stderr(complained),
            pytest.MonkeyPatch.context() as patch,
        ):
            if not exporting:
                patch.setattr("infogan_tf.commands.train.export_run", export_nothing)
            status = command_line.main(["main.py", *map(str, flags)], configs)
    finally:
        os.chdir(before)
    done = subprocess.CompletedProcess(flags, status, printed.getvalue(), complained.getvalue())
    assert not check or status == 0, done.stdout + done.stderr
    return done


def start(folder, *flags):
    """Begins a run in folder/run, in a process of its own; its export holds no model."""
    return subprocess.Popen(
        [sys.executable, str(NO_EXPORT), *flags, "--run_dir=run"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_for(path, process):
    """Returns once there is such a file, while the process runs."""
    while not path.exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.01)


def weights(run, step):
    """The arrays of a checkpoint."""
    with np.load(run / "checkpoints" / f"step_{step:08d}.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def assert_same(one, other):
    """Two checkpoints hold the same arrays, bit for bit."""
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def logged(run):
    """What a run logged by epoch, but for the time that it took."""
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in lines]


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all processes of these tests have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(shared):
    """Networks that tests train are kept for the other tests, and not among the user's; none is fetched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
        patch.setattr(inception, "URL", "http://127.0.0.1:9/inception.tgz")
        yield


@pytest.fixture(scope="session", autouse=True)
def small_evaluations():
    """A quick evaluation is of fewer images here than elsewhere; what is measured does not depend on it."""
    quick = dataclasses.replace(SETTINGS["quick"], images=500, votes=(200, 100))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "quick", quick)
        yield


@pytest.fixture(scope="session")
def live_model():
    """A model with a code of every kind, trained for two steps. Not to be changed."""
    model = make_model(latents="noise:6,cat:10,uniform:1,normal:1,bernoulli:1")
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), dtype=np.uint8)
    model.fit(images, batch_size=8, verbose=0)
    return model


@pytest.fixture(scope="session")
def exported(live_model, tmp_path_factory):
    """The folder of that model's SavedModel, with what a run's evaluation might have found. Not to be changed."""
    evaluation = {
        "step": 2,
        "figures": {"accuracy/c1": 0.9651, "mutual_info/c1": 2.297, "fid": math.nan},
        "stderrs": {"mutual_info/c1": 0.0008},
        "codes": {
            "c1": {"does": "the class", "classes": ["zero", "one", *[""] * 8]},
            "c2": {"does": "width, rho = 0.68"},
        },
    }
    base = tmp_path_factory.mktemp("export") / "infogan"
    return export_saved_model(live_model, base, "float32", "digits", {"steps": 2, "latents": "a|b"}, evaluation)


@pytest.fixture(scope="session")
def tiny_run(shared):
    """The folder of a finished run of four steps on the embedded digits, and what it printed. Not to be changed."""
    folder = shared / "finished"
    folder.mkdir(exist_ok=True)
    printed = folder / "printed.txt"
    with alone_in(folder, wait=True):
        if not printed.exists():
            printed.write_text(run_here(*TINY, "--run_dir=run", cwd=folder).stdout)
    return folder / "run", printed.read_text()
