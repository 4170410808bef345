"""Whether XLA compiles the steps, how many at once, and that a run of such programs resumes to the bit."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.config.flags import parse
from infogan_tf.config.options import Config
from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import UserError
from infogan_tf.models.build import build_model
from infogan_tf.models.compilation import MOST_BYTES, choose_compilation
from infogan_tf.runs.checkpoints import Checkpoints
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.training.fit import fit


@pytest.fixture
def gpu(monkeypatch):
    own = tf.config.list_physical_devices
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["gpu"] if kind == "GPU" else own(kind))


def chosen(image_shape=(8, 8, 1), replicas=1, **options):
    found = choose_compilation(Config(**options), image_shape, replicas)
    return found.jit_compile, found.steps_per_execution


def test_a_cpu_compiles_where_it_is_asked_to_and_a_step_at_a_time():
    assert chosen(steps=100_000) == (False, 1)
    assert chosen(jit_compile="true", steps=100_000) == (True, 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"steps": 100_000}, (True, 50)),
        ({"steps": 4_999}, (False, 1)),
        ({"steps": 4_999, "jit_compile": "true"}, (True, 50)),
        ({"steps": 100_000, "jit_compile": "false"}, (False, 1)),
        ({"steps": 100_000, "replicas": 2}, (False, 1)),
        ({"steps": 100_000, "eval_every": 20, "checkpoint_every": 30}, (True, 10)),
        ({"steps": 100_000, "eval_every": 20, "checkpoint_every": 7}, (True, 1)),
    ],
)
@pytest.mark.usefixtures("gpu")
def test_a_gpu_compiles_long_runs_as_many_steps_at_once_as_nobody_looks_into(options, expected):
    assert chosen(**options) == expected


@pytest.mark.parametrize(("size", "expected"), [(28, 50), (256, 5), (4096, 1)])
@pytest.mark.usefixtures("gpu")
def test_the_images_of_a_program_are_few_enough(size, expected):
    assert chosen((size, size, 3), jit_compile="true", batch_size=64) == (True, expected)
    assert expected == 1 or expected * 64 * size**2 * 3 <= MOST_BYTES


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--jit_compile"], "true"), (["--nojit_compile"], "false"), (["--jit_compile=auto"], "auto"),
        (["--jit_compile=true"], "true"), (["--jit_compile", "--seed=3"], "true"),
    ],
)  # fmt: skip
def test_the_flag_alone_is_true(flags, expected):
    assert parse(["infogan", *flags])[0]["jit_compile"] == expected


def test_what_the_flag_takes():
    with pytest.raises(UserError, match=r"--jit_compile: expected one of auto, true, false\. Received: 'perhaps'"):
        parse(["infogan", "--jit_compile=perhaps"])


@pytest.mark.parametrize("value", [True, False])
def test_runs_of_before_had_a_bool(value, tmp_path):
    kept = json.loads(json.dumps(Config().to_json() | {"jit_compile": value}))
    assert Config.from_json(kept, tmp_path).jit_compile == str(value).lower()


RUN = Config(
    latents="noise:3,cat:3", networks="mlp", width=8, batch_size=4, precision="float32", jit_compile="true",
    eval_every=4, checkpoint_every=2, steps=14,
)  # fmt: skip


def trained(folder, *lengths):
    """The weights after a run that ended at each of these lengths, and went on from its checkpoint."""
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (22, 8, 8, 1), dtype=np.uint8), None)
    for steps in lengths:
        config = dataclasses.replace(RUN, steps=steps)
        model = build_model(config, (8, 8, 1))
        assert model.steps_per_execution == 2
        Checkpoints(RunDirectory(folder).checkpoints).restore(model)
        fit(model, ImageData("noise", split, split, ()), config, RunDirectory(folder), "")
        assert int(model.step.numpy()) == steps
    lines = [json.loads(line) for line in RunDirectory(folder).metrics_file.read_text().splitlines()]
    return [variable.numpy() for variable in model.weights], [(line["step"], line["d_loss"]) for line in lines]


@pytest.mark.slow
@pytest.mark.usefixtures("gpu")
def test_a_run_of_programs_goes_on_to_the_bit_from_any_step(tmp_path):
    weights, lines = trained(tmp_path / "whole", 14)
    assert [step for step, _ in lines] == [4, 8, 12, 14]
    for lengths in ((6, 14), (4, 12, 14)):
        again, again_lines = trained(tmp_path / str(lengths), *lengths)
        for one, other in zip(weights, again, strict=True):
            np.testing.assert_array_equal(one, other)
        assert again_lines[-1] == lines[-1]


@pytest.mark.usefixtures("gpu")
def test_after_steps_one_by_one_programs_make_as_many_as_they_say(tmp_path):
    # The rest of an epoch first, of 3 steps, then whole epochs, of 4.
    _, lines = trained(tmp_path, 5, 14)
    assert [step for step, _ in lines] == [4, 5, 8, 12, 14]


@pytest.mark.usefixtures("gpu")
def test_a_length_that_no_program_fits_is_made_step_by_step(tmp_path):
    weights, lines = trained(tmp_path, 5, 9)
    assert [step for step, _ in lines] == [4, 5, 8, 9]
    assert all(np.isfinite(each).all() for each in weights)
