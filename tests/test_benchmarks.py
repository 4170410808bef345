"""The benchmarks run, and count what they say they count."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT, make_model

sys.path.insert(0, str(ROOT / "benchmarks"))


def test_the_operations_of_a_step_are_counted():
    from train_step import step_flops

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


@pytest.mark.parametrize("peer", [None, "torch"])
def test_the_train_step_benchmark_prints_a_table_and_writes_json(tmp_path, peer):
    if peer:
        pytest.importorskip(peer)
    flags = ["--batch_size=4", "--image_size=8", "--rounds=2", "--steps=1", f"--json={tmp_path / 'out.json'}"]
    flags += [f"--peer={peer}"] if peer else []
    command = [sys.executable, str(ROOT / "benchmarks" / "train_step.py"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    record = json.loads((tmp_path / "out.json").read_text())
    assert [result["precision"] for result in record["results"]] == ["float32", "mixed_bfloat16"]
    assert all(0 < result["share of the limit"] < 1 for result in record["results"])
    assert all(("PyTorch / ours" in result) == bool(peer) for result in record["results"])
    assert len(record["milliseconds"]["float32 ours"]) == 2
    assert "| precision | step, ms |" in done.stdout
