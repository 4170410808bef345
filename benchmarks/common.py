"""What the benchmarks share: the run that they measure, and a table."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def machine() -> str:
    """The processor, its cores and the versions, in one line."""
    import keras
    import tensorflow as tf

    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    return f"{name}, {os.cpu_count()} cores, TensorFlow {tf.__version__}, Keras {keras.__version__}"


def print_table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Prints a Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(tuple(header)))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
