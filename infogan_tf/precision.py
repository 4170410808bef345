"""The choice of the number format that the networks compute in."""

from pathlib import Path

import tensorflow as tf


def choose_precision(precision: str) -> tuple[str, str]:
    """Returns the Keras dtype policy to use and the reason for it; "auto" becomes the fastest for this hardware.

    A GPU of compute capability 8.0 or more has bfloat16 tensor cores, one of 7.0 or more float16 ones; the first GPU
    decides. A CPU profits where it multiplies bfloat16 matrices in hardware (AMX or AVX512-BF16).

    Args:
        precision: A Keras dtype policy, returned as it is, or "auto".
    """
    if precision != "auto":
        return precision, "as asked for"
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
        name = f"a GPU of compute capability {capability[0]}.{capability[1]}"
        if capability >= (8, 0):
            return "mixed_bfloat16", name
        return ("mixed_float16" if capability >= (7, 0) else "float32"), name
    found = _cpu_flags() & {"amx_bf16", "avx512_bf16"}
    if found:
        return "mixed_bfloat16", f"the CPU has {' and '.join(sorted(found))}"
    return "float32", "no GPU, and no bfloat16 instructions in the CPU"


def _cpu_flags() -> set[str]:
    """Returns the instruction sets that Linux reports; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return set(next((line.split(":")[1] for line in lines if line.startswith("flags")), "").split())
