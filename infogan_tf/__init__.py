"""InfoGAN in Keras 3 and TensorFlow 2: train it, see what its codes learnt, measure it, serve it.

The public names are imported on first use, so that `python main.py --help` does not wait for TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "InfoGAN": "infogan_tf.models",
    "LatentLayout": "infogan_tf.latents",
    "paper_networks": "infogan_tf.networks",
    "load_data": "infogan_tf.data",
    "export_saved_model": "infogan_tf.export",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'infogan_tf' has no attribute {name!r}")
