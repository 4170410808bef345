"""What `auto` picks for which hardware."""

import pytest
import tensorflow as tf

from infogan_tf import precision


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx2", "amx_bf16"}, "mixed_bfloat16"),
        ({"avx512_bf16"}, "mixed_bfloat16"),
        ({"avx2"}, "float32"),
        (set(), "float32"),
    ],
)
def test_on_a_cpu(monkeypatch, flags, expected):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(precision, "_cpu_flags", lambda: flags)
    assert precision.choose_precision("auto")[0] == expected


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((9, 0), "mixed_bfloat16"), ((8, 0), "mixed_bfloat16"), ((7, 5), "mixed_float16"), ((6, 1), "float32")],
)
def test_on_a_gpu(monkeypatch, capability, expected):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: {"compute_capability": capability})
    assert precision.choose_precision("auto")[0] == expected


def test_what_is_asked_for_is_taken():
    assert precision.choose_precision("float32") == ("float32", "as asked for")
