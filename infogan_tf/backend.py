"""Keras runs on several backends; this package needs TensorFlow's."""

import json
import os
from pathlib import Path

from infogan_tf.errors import UserError


def require_tensorflow() -> None:
    """Raises a UserError where Keras is set to another backend; asks without importing Keras, which might fail."""
    file = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras.json"
    backend, source = os.environ.get("KERAS_BACKEND"), "KERAS_BACKEND"
    if not backend:
        source = str(file)
        try:
            backend = json.loads(file.read_text()).get("backend")
        except (OSError, ValueError, AttributeError):
            backend = None
    if backend not in (None, "tensorflow"):
        raise UserError(f"{source}: expected the Keras backend tensorflow. Received: {backend!r}")
