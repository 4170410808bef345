"""InfoGAN and other generative models in Keras 3 and TensorFlow 2: train, see what codes learnt, measure, serve.

Importing the package registers its classes with Keras, so that `keras.models.load_model` finds them. The command alone
imports TensorFlow later, when its flags have been read: --help and a mistyped flag need none of it.
"""

import importlib
import sys
from pathlib import Path

__version__ = "0.2.0"

_HOMES = {
    "InfoGAN": "infogan_tf.models.infogan",
    "LatentLayout": "infogan_tf.latents.layout",
    "paper_networks": "infogan_tf.networks.paper",
    "load_data": "infogan_tf.data",
    "export_saved_model": "infogan_tf.export",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'infogan_tf' has no attribute {name!r}")


def _is_the_command() -> bool:
    """Whether this process is main.py beside the package, `python -m infogan_tf`, or the installed `infogan`."""
    program = Path(sys.argv[0] if sys.argv else "")
    if program.name == "-m":  # Python is about to find out what to run
        return "infogan_tf" in sys.orig_argv
    is_main = program.name == "main.py" and program.resolve().parent == Path(__file__).resolve().parents[1]
    return is_main or (program.stem == "infogan" and program.suffix != ".py")  # a script of that name is the user's


def _register() -> None:
    """Imports every module whose classes Keras has to know to load a saved model.

    Raises:
        UserError: Before anything is imported, where Keras is set to another backend than TensorFlow.
    """
    backend = importlib.import_module("infogan_tf.environment.backend")
    backend.require_tensorflow()
    backend.prefer_fast_kernels()
    models, networks, terms = (
        importlib.import_module(f"infogan_tf.{name}") for name in ("models", "networks", "objectives")
    )
    rows = (*models.MODELS.values(), *networks.FAMILIES.values())
    for place in (*(row.path for row in rows), *terms.TERMS, "infogan_tf.models.optimizers"):
        importlib.import_module(place.partition(":")[0])


if not _is_the_command():
    _register()
