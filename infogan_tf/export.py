"""The trained generator and encoder as a SavedModel that TensorFlow Serving, or TensorFlow alone, can run."""

import shutil
from pathlib import Path

import tensorflow as tf

from infogan_tf.files import partial_name
from infogan_tf.latents import LatentLayout
from infogan_tf.models import InfoGAN
from infogan_tf.models.infogan import NETWORKS


def export_saved_model(model: InfoGAN, base: Path) -> Path:
    """Writes base/<version>/, a float32 SavedModel; the version is the next number, and none is overwritten.

    Signatures, B any number, also 0:

        serving_default   noise float32 [B, n] and one input per code: c1, c2, ... [B], int32 class indices or 0/1,
                          float32 for continuous codes -> images float32 [B, H, W, C] in [0, 1]
        encode            images float32 [B, H, W, C] in [0, 1] -> c1_probabilities [B, K], c2_mean [B], c2_stddev [B],
                          and so on for every code

    The folder appears complete or not at all. A class out of range is refused with an InvalidArgument error.

    Args:
        model: with any precision; the export computes in float32.
        base: the folder of versions; made if missing.

    Returns:
        The folder written.
    """
    twin = float32_twin(model)
    module = tf.Module()
    # Keras variables inside a tf.Module load in Python but not in the C++ loader of TF Serving; raw ones load in both.
    networks = (twin.generator, twin.trunk, twin.q_head)
    module.raw_variables = [variable.value for network in networks for variable in network.variables]
    signatures = {"serving_default": _generate_signature(twin), "encode": _encode_signature(twin)}

    base = Path(base)
    base.mkdir(parents=True, exist_ok=True)
    temporary = partial_name(base)
    try:
        tf.saved_model.save(module, str(temporary), signatures=signatures)
        return _take_next_version(temporary, base)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def versions(base: Path) -> list[int]:
    """The versions that lie in `base`, ascending."""
    return sorted(int(path.name) for path in Path(base).glob("*") if path.name.isdigit())


def float32_twin(model: InfoGAN) -> InfoGAN:
    """A copy of `model`, not compiled, that computes in float32.

    It has the averaged weights, where `model` keeps them, and the class frequencies that were learnt.
    """
    twin = InfoGAN.from_config(model.get_config())
    for name in NETWORKS:
        network = getattr(twin, name)
        for layer in (network, *network._flatten_layers()):
            layer.dtype_policy = "float32"
    with model.averaged():
        for name in NETWORKS:
            getattr(twin, name).set_weights(getattr(model, name).get_weights())
    twin.step.assign(model.step)
    twin.layout = model.learnt_layout()
    return twin


def _take_next_version(temporary: Path, base: Path) -> Path:
    """Moves the folder to the first free number after the last; a concurrent export takes another one."""
    version = max(versions(base), default=0) + 1
    while True:
        try:
            return temporary.rename(base / str(version))
        except OSError:
            if not (base / str(version)).exists():
                raise
            version += 1


def _generate_signature(model: InfoGAN):
    layout = model.layout
    specs = {"noise": tf.TensorSpec((None, layout.noise.size), tf.float32, name="noise")}
    specs |= {code.name: tf.TensorSpec((None,), code.dtype, name=code.name) for code in layout.codes}

    @tf.function
    def generate(**inputs):
        _check_classes(layout, inputs)
        return {"images": model.generator(layout.join(inputs["noise"], inputs), training=False)}

    return generate.get_concrete_function(**specs)


def _encode_signature(model: InfoGAN):
    @tf.function
    def encode(images):
        posterior = model.posterior(images)
        return {f"{name}_{what}": value for name, parts in posterior.items() for what, value in parts.items()}

    return encode.get_concrete_function(images=tf.TensorSpec((None, *model.image_shape), tf.float32, name="images"))


def _check_classes(layout: LatentLayout, inputs: dict[str, tf.Tensor]) -> None:
    """Refuses classes that do not exist; one_hot would silently give a code of zeros."""
    for code in layout.codes:
        if code.discrete:
            classes, most = inputs[code.name], code.num_classes
            message = f"{code.name}: expected classes from 0 to {most - 1}"
            tf.debugging.Assert(tf.reduce_all((classes >= 0) & (classes < most)), [message, classes])
