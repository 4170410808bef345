"""What is asked of Keras and TensorFlow before they are imported: Keras 3 on TensorFlow, with its fastest kernels."""

import json
import os
import platform
import sys
from pathlib import Path

from infogan_tf.errors import UserError

# What TensorFlow takes for yes.
_YES = ("1", "true", "True")


def prefer_fast_kernels() -> None:
    """Has TensorFlow, if it is not imported yet, compute with oneDNN's kernels on any x86 CPU.

    By itself it does so on those with AVX512 alone, and is half as fast on others (docs/speed.md). What the environment
    says of it already stays.
    """
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def require_tensorflow() -> None:
    """Checks that Keras is set to TensorFlow, without importing Keras, which might fail with another backend.

    Raises:
        UserError: Where KERAS_BACKEND, keras.json, or a Keras that is imported already have another backend, or where
            TensorFlow is told to give out Keras 2.
    """
    if os.environ.get("TF_USE_LEGACY_KERAS") in _YES:
        raise UserError(
            "TF_USE_LEGACY_KERAS: expected 0, or nothing, as infogan_tf is made of Keras 3, with which layers of "
            f"Keras 2 do not go. Received: {os.environ['TF_USE_LEGACY_KERAS']!r}"
        )
    backend, source = _backend()
    if backend not in (None, "tensorflow"):
        raise UserError(f"{source}: expected the Keras backend tensorflow. Received: {backend!r}")


def _backend() -> tuple[str | None, str]:
    """The backend, None for the default, and what says so."""
    imported = getattr(sys.modules.get("keras"), "config", None)
    if imported is not None:
        return imported.backend(), "keras, which is imported already"
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"], "KERAS_BACKEND"
    file = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras.json"
    try:
        return json.loads(file.read_text()).get("backend"), str(file)
    except (OSError, ValueError, AttributeError):
        return None, str(file)
