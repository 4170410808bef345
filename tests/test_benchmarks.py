"""The benchmarks run, and count what they say they count."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, make_model

sys.path.insert(0, str(ROOT / "benchmarks"))
import chromium

PEER = ["--peer=torch"] if importlib.util.find_spec("torch") else []
TINY = ["--image_size=8", "--rounds=2", "--steps=1"]
BATCH = ["--batch_size=4", "--precisions=float32"]

# The flags of a run that takes seconds, and the table's first columns and number of rows.
PROGRAMS = {
    "chance": (["--dataset=digits", "--seeds=0,1"], "| seed | drawn at random, % | an untrained Q, % |", 2),
    "damage": (["--dataset=digits", "--count=200"], "| network | damage | undamaged | a little | more | most |", 4),
    "explorer": (
        ["--image_size=8", "--steps=3", "--count=4"],
        "| keys | changes | median, ms | 90th percentile, ms |",
        2,
    ),
    "export_call": ([*TINY, *PEER], "| batch | ours, ms |", 2),
    "fit_overhead": (["--epochs=1", "--steps=2"], "| round | bare step, ms | fit(), ms | fit() / bare |", 2),
    "gpu": (
        ["--recipes=mnist-paper", "--rounds=1", "--steps=2", "--at_once=2", "--run="],
        "| recipe | precision | step, ms | with XLA, ms | 2 at once, ms |",
        1,
    ),
    "kernels": ([*TINY, *BATCH], "| what | on | precision | Keras, ms | ours, ms | Keras / ours |", 4),
    "kills": (["--kills=10"], "| case | kills | seconds | wrong |", 5),
    "launches": (["--recipes=mnist-paper", "--at_once=2"], "| recipe | operations | kernels with XLA |", 1),
    "many_images": (["--image_size=8", "--steps=2", "--counts=100,1000000"], "| images | GB | to the first", 2),
    "memory": (["--image_size=8", "--steps=1", "--count=10", *BATCH], "| precision | TensorFlow alone |", 1),
    "mixed_requests": (["--image_size=8", "--count=300", "--clients=4"], "| what | figure |", 10),
    "parts": ([*TINY, *BATCH], "| precision | part | ms | share of the whole |", 11),
    "pipeline": ([*TINY, *BATCH, "--count=100"], "| images in | batch, ms | batches/s |", 2),
    "recipe_step": (["--rounds=2", "--steps=1"], "| recipe | precision | terms | step, ms |", 3),
    "sampling": (["--image_size=8", "--rounds=1", "--count=600"], "| what | seconds | images/s |", 3),
    "start_up": (["--rounds=1"], "| what | seconds | least | most |", 10),
    "toolbox": (["--only=R1", "--seeds=0", "--steps=4"], "| option | flags | c1's error, % | median | FID |", 1),
    "torch_dcgan": (["--dataset=sprites", "--minutes=0", "--count=6"], "| steps | seconds | drawn |", 1),
    "two_stage": (["--seeds=0", "--steps=4", "--count=200"], "| drawn by | FID, seed 0 | median |", 4),
    "unequal": (["--dataset=digits"], "| split | images | 0 | 1 |", 2),
    "train_step": (
        [*TINY, *PEER, "--networks=dcgan", "--batch_size=4,6"],
        "| precision | batch | step, ms | images/s |",
        4,
    ),
}


def test_every_program_is_tested():
    libraries = {"arithmetic", "chromium", "common", "first_step", "started", "torch_twin"}
    assert {path.stem for path in (ROOT / "benchmarks").glob("*.py")} == set(PROGRAMS) | libraries | {"same_weights"}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_benchmark_prints_a_table_and_writes_json(tmp_path, name):
    if name == "explorer" and chromium.missing():
        pytest.skip(chromium.missing())
    if name == "torch_dcgan" and not PEER:
        pytest.skip("PyTorch is not installed")
    flags, columns, count = PROGRAMS[name]
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *flags, f"--json={tmp_path / 'out.json'}"]
    command += {
        "toolbox": [f"--folder={tmp_path}"],
        "two_stage": [f"--folder={tmp_path / 'drawn'}"],
        "torch_dcgan": [f"--output={tmp_path}/drawn.npy"],
    }.get(name, [])
    command += [f"--output={tmp_path}/unequal.npz"] if name == "unequal" else []
    # PyTorch's threads wait for each other in busy loops, for seconds where other tests keep a core from them.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert columns in done.stdout
    record = json.loads((tmp_path / "out.json").read_text())
    assert len(record["results"]) == count
    assert record["machine"] in done.stdout
    assert record["settings"]["json"] == str(tmp_path / "out.json")
    CHECKS.get(name, lambda record: None)(record)


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="needs git, and its history")
def test_two_commits_are_said_to_train_to_the_same_weights():
    command = [sys.executable, str(ROOT / "benchmarks" / "same_weights.py"), "--commit=HEAD", "--steps=2"]
    done = subprocess.run([*command, "--runs=digits-invariant"], capture_output=True, text=True, timeout=900)
    # What is not committed yet may differ, and is then said to.
    *_, columns, _, row = done.stdout.splitlines()
    assert columns.startswith("| run | arrays | missing | differing |"), done.stderr
    assert done.returncode == int(not row.endswith("| 0 | 0 | 0.0 | 0.0 |"))
    assert int(row.split("|")[2]) > 90


def _check_train_step(record):
    rows, times = record["results"], record["milliseconds"]
    assert [(row["batch"], row["precision"]) for row in rows[1:3]] == [(4, "mixed_bfloat16"), (6, "float32")]
    assert all(0 < row["share of the limit"] < 1 for row in rows)
    assert len(times["4 float32 ours"]) == 2
    if PEER:
        ratios = np.divide(times["6 float32 torch"], times["6 float32 ours"])
        assert rows[2]["PyTorch / ours"] == pytest.approx(np.median(ratios))


def _check_parts(record):
    *parts, total, whole = record["results"]
    assert whole["share of the whole"] == 1.0
    assert total["part"] == "sum of the parts"
    assert len(parts) == 9


HLO = """HloModule tiny

%add (x: f32[], y: f32[]) -> f32[] {
  %x = f32[] parameter(0)
  %y = f32[] parameter(1)
  ROOT %sum = f32[] add(%x, %y)
}

%often (p: f32[4]) -> f32[4] {
  %p = f32[4]{0} parameter(0)
  ROOT %f = f32[4]{0} fusion(%p), kind=kLoop, calls=%add
}

%seldom (q: f32[4]) -> f32[4] {
  ROOT %q = f32[4]{0} parameter(0)
}

%body (all: (s32[], f32[4])) -> (s32[], f32[4]) {
  %all = (s32[], /*index=1*/f32[4]{0}) parameter(0)
  %i = s32[] get-tuple-element(%all), index=0
  %v = f32[4]{0} get-tuple-element(%all), index=1
  %d = f32[4,4]{1,0} dot(%v, %v), lhs_contracting_dims={}
  %c = f32[4]{0} conditional(%i, %v, %v), branch_computations={%often, %seldom}
  %r = f32[] reduce(%d, %i), dimensions={0,1}, to_apply=%add
  ROOT %t = (s32[], /*index=1*/f32[4]{0}) tuple(%i, %c)
}

ENTRY %main (a: f32[4]) -> f32[4] {
  %a = f32[4]{0} parameter(0)
  %w = (s32[], /*index=1*/f32[4]{0}) while(%a), condition=%often, body=%body
  ROOT %g = f32[4]{0} get-tuple-element(%w), index=1
}
"""


def test_kernels_are_counted_in_the_loop_and_its_branches_once_each():
    from started import kernels

    # A product, a reduction, and the fusion of one branch; what is fused or adds two numbers is none of its own.
    assert kernels(HLO) == 3


def _check_start_up(record):
    seconds = {row["what"]: row["seconds"] for row in record["results"]}
    parts = [value for name, value in seconds.items() if name.startswith("...")]
    assert sum(parts) == pytest.approx(seconds["first step done"])
    assert seconds["--help"] < seconds["first step done"]


def _check_explorer(record):
    assert [(row["keys"], row["changes"]) for row in record["results"]] == [("one by one", 3), ("held down", 3)]
    assert all(0 < row["median, ms"] <= row["most, ms"] for row in record["results"])


def _check_damage(record):
    for row in record["results"]:
        assert {row["network"], row["undamaged"]} == {"label_free", record["results"][0]["undamaged"]}
        assert row["undamaged"] < row["most"]


def _check_memory(record):
    row = record["results"][0]
    assert 0 < row["TensorFlow alone"] < row["with the model"] < row["with steps"]
    assert row["images"] == 10 * 8 * 8 / 1e6


def _check_mixed_requests(record):
    found = {row["what"]: row["figure"] for row in record["results"]}
    assert (found["requests"], found["answered wrongly"]) == (300, 0)
    assert 0 < found["hostile ones"] < 60
    assert found["the page, times asked"] > 10
    # Of so few requests the first half still fills what the second uses again.
    assert found["second half / first"] < 1.5


CHECKS = {
    "damage": _check_damage,
    "explorer": _check_explorer,
    "memory": _check_memory,
    "mixed_requests": _check_mixed_requests,
    "parts": _check_parts,
    "start_up": _check_start_up,
    "train_step": _check_train_step,
}


def test_the_operations_of_a_step_are_counted():
    from arithmetic import step_flops

    # The paper's networks on 8x8 images with 12 latents and a Q head of 14 outputs; multiplications for one image.
    generator = [18 * 1024, 1024 * 512, 4 * 4 * 4 * 128 * 64, 16 * 4 * 4 * 64]
    trunk = [16 * 4 * 4 * 64, 4 * 4 * 4 * 64 * 128, 512 * 1024]
    q_head, d_head = [1024 * 128, 128 * 14], [1024]
    passes = {
        "G forward, to weights, to inputs": 3 * sum(generator) - generator[0],
        "D of real and fake, forward, to weights, to inputs": 2 * (3 * sum(trunk + d_head) - trunk[0]),
        "Q of fake": 3 * sum(q_head),
        "D and Q for G, forward and to images": 2 * sum(trunk + d_head + q_head),
    }
    assert step_flops(make_model(), batch_size=5) == 2 * 5 * sum(passes.values())


def test_the_bytes_of_a_step_are_counted():
    from arithmetic import activation_bytes, optimizer_bytes, weight_bytes

    # Numbers for one image: each product or convolution, and what follows it, put out as many.
    hidden = {"G": 1024 + 512 + 4 * 4 * 64, "trunk": 4 * 4 * 64 + 2 * 2 * 128 + 1024, "Q": 128}
    last = {"G": 8 * 8, "D": 1, "Q": 10 + 2 * 2}
    numbers = 2 * (hidden["G"] + 3 * hidden["trunk"] + 2 * hidden["Q"])
    float32, bfloat16 = make_model(), make_model(dtype="mixed_bfloat16")
    assert activation_bytes(float32, 5) == 5 * 4 * (numbers + 2 * last["G"] + 3 * last["D"] + 2 * last["Q"])
    # G's last convolution computes in bfloat16, its sigmoid and the heads' last layers in float32.
    of_last = 4 * (last["G"] + 3 * last["D"] + 2 * last["Q"]) + 2 * last["G"]
    assert activation_bytes(bfloat16, 5) == 5 * (2 * numbers + of_last)

    trained = sum(variable.numpy().size for variable in [*float32.variables_of("d"), *float32.variables_of("g")])
    normalised = 1024 + 512 + 64 + 128 + 1024 + 128  # channels, each with a moving mean and variance
    assert weight_bytes(float32) == 4 * (trained + 2 * normalised)
    assert 0 <= optimizer_bytes(float32) - 2 * 4 * trained <= 2 * 16  # and each a counter and a learning rate


def test_the_parts_make_a_train_step():
    import tensorflow as tf
    from parts import Parts

    images = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 8, 1), dtype=np.uint8)
    whole, cut = make_model(), make_model()
    parts, batches = Parts(cut), iter(tf.data.Dataset.from_tensor_slices(images))

    @tf.function
    def step():
        real_images, latents = parts.batch(batches)
        fake_images = parts.fake(latents)
        d_gradients, d_logged = parts.d_gradients(real_images, fake_images, latents)
        parts.d_update(d_gradients)
        g_gradients, g_logged = parts.g_gradients(real_images, latents)
        parts.g_update(g_gradients)
        return parts.log(latents, d_logged, g_logged)

    for batch in images:
        expected, found = whole.train_step(tf.constant(batch)), step()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-4, err_msg=name)
    for player in "dg":
        for one, other in zip(whole.variables_of(player), cut.variables_of(player), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
