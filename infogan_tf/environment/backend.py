"""A check of Keras's backend: Keras runs on several, this package needs TensorFlow's."""

import json
import os
from pathlib import Path

from infogan_tf.errors import UserError


def require_tensorflow() -> None:
    """Checks that Keras is set to TensorFlow, without importing Keras, which might fail with another backend.

    Raises:
        UserError: Where KERAS_BACKEND or keras.json names another backend.
    """
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
