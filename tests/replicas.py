"""Run as a program, on two logical CPU devices in place of two GPUs; what TensorFlow allows once in a process.

python replicas.py main FLAGS           main.py
python replicas.py compare              two replicas beside one device: prints what differs, as JSON
python replicas.py relatives            the same of models that stand still, keep a balance by a batch's losses, or
                                        match means
"""

import dataclasses
import functools
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.config.options import Config
from infogan_tf.data.stream import stream
from infogan_tf.devices import choose_strategy
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models import vaegan
from infogan_tf.models.averages import AVERAGE_EVERY
from infogan_tf.models.build import build_model
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.networks.paper import paper_networks

IMAGES = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)
BATCH, STEPS = 64, 20


def compiled(dtype="float32", sync_batch_norm=True, learning_rate=3e-6, **arguments):
    """A model on tiny images, its weights always the same."""
    keras.utils.set_random_seed(0)
    layout = LatentLayout.parse("noise:6,cat:10,uniform:2")
    networks = paper_networks(layout.width, layout.num_parameters, (8, 8, 1), dtype, sync_batch_norm)
    model = InfoGAN(layout, **networks)
    optimizers = (keras.optimizers.Adam(learning_rate, name=name) for name in ("d_optimizer", "g_optimizer"))
    model.compile(*optimizers, **arguments)
    return model


def trained(strategy=None, steps=STEPS, make=compiled, given=lambda: stream(IMAGES, BATCH), **arguments):
    """The model that `make` compiled after `steps` steps on the batches `given`, and its losses after each."""
    curve = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: curve.append([value for name, value in logs.items() if name.endswith("_loss")])
    )
    if strategy is None:
        model, batches = make(**arguments), given()
    else:
        with strategy.scope():
            model = make(**arguments)
        batches = strategy.distribute_datasets_from_function(lambda _: given().rebatch(BATCH // 2))
    each = arguments.get("steps_per_execution", 1)
    model.fit(batches, epochs=steps // each, steps_per_epoch=each, shuffle=False, verbose=0, callbacks=[watch])
    return model, np.array(curve)


def out_of_sync(model) -> list[str]:
    """The weights whose copies differ in any bit."""
    copies = {v.path: [copy.numpy() for copy in v.value.values] for v in model.weights + model.d_optimizer.variables}
    return [path for path, (one, other) in copies.items() if one.tobytes() != other.tobytes()]


def same(variables, others) -> bool:
    """Whether variables have the values of others."""
    return all((one.numpy() == other.numpy()).all() for one, other in zip(variables, others, strict=True))


def compare() -> dict[str, object]:
    """What tests/test_strategy.py checks."""
    strategy = choose_strategy("mirrored")
    alone, one = trained()
    together, two = trained(strategy)
    fast, _ = trained(strategy, steps_per_execution=2)
    # The averages are brought up to date once, and so nearly forgetful that they are the weights of that moment.
    apart, _ = trained(strategy, steps=AVERAGE_EVERY, sync_batch_norm=False, learning_rate=1e-2, average_decay=1e-6)
    with strategy.scope():
        by_hand = compiled()
    one_step, of_both = (model.train_on_batch(IMAGES, return_dict=True) for model in (compiled(), by_hand))
    float16, _ = trained(strategy, steps=4, dtype="mixed_float16", learning_rate=1e-2)
    scale = float(float16.d_optimizer.dynamic_scale.numpy())
    before = float16.get_weights()
    # One replica's overflow is every replica's: its part of the batch alone is not finite.
    images = IMAGES[:BATCH].astype(np.float32) / 255
    images[0] = np.inf
    batches = strategy.distribute_datasets_from_function(
        lambda _: tf.data.Dataset.from_tensors(images).rebatch(BATCH // 2)
    )
    trainable = [v.path for v in float16.trainable_variables]
    float16.fit(batches, steps_per_epoch=1, shuffle=False, verbose=0)
    moved = [
        v.path
        for v, value in zip(float16.weights, before, strict=True)
        if v.path in trainable and v.path.startswith(("trunk", "d_head", "q_head")) and (v.numpy() != value).any()
    ]
    return {
        "moved": float(np.abs(one[-1] - one[0]).max()),
        "difference": np.abs(one / two - 1.0).max(axis=1).tolist(),
        "statistics": max(
            float(np.abs(a.numpy() - b.numpy()).max() / np.abs(a.numpy()).max())
            for a, b in zip(alone.non_trainable_variables, together.non_trainable_variables, strict=True)
        ),
        "out_of_sync": [path for model in (together, fast, apart, by_hand, float16) for path in out_of_sync(model)],
        "steps_per_execution": all(
            a.tobytes() == b.tobytes() for a, b in zip(fast.get_weights(), together.get_weights(), strict=True)
        ),
        "train_on_batch": max(abs(one_step[name] / of_both[name] - 1.0) for name in ("d_loss", "g_loss", "q_loss")),
        "averages_off_by": max(
            float(np.abs(average.numpy() - v.numpy()).max())
            for average, v in zip(apart.averages.values, apart.network_variables, strict=True)
        ),
        "scales": [scale, float(float16.d_optimizer.dynamic_scale.numpy())],
        "moved_by_overflow": moved,
    }


def _with_labels():
    """Batches with as many images whose labels are known."""
    return tf.data.Dataset.zip((stream(IMAGES, BATCH), stream(IMAGES, BATCH, 1, labels=np.arange(len(IMAGES)) % 10)))


def relatives() -> dict[str, dict[str, object]]:
    """What tests/test_strategy.py checks of a VAE-GAN whose D, or whose decoder, stands still, and of other models."""
    strategy, found = choose_strategy("mirrored"), {}
    rates = dict.fromkeys(("d_learning_rate", "g_learning_rate"), 1e-5)
    of_noise = Config(networks="dcgan", width=4, latents="normal_noise:3", **rates)
    of_classes = Config(networks="noisy_mlp", latents="noise:3,class:10", labelled=10, **rates)
    noisy = dataclasses.replace(of_noise, networks="noisy_mlp")
    for name, model, equilibrium, options in (
        ("d", "vaegan", 3.0, of_noise),
        ("g", "vaegan", 0.0, of_noise),
        ("", "began", None, of_noise),
        ("", "semi_supervised", None, of_classes),
        ("", "gan", None, noisy),
    ):
        vaegan.EQUILIBRIUM = equilibrium
        options = dataclasses.replace(options, model=model)
        given = _with_labels if model == "semi_supervised" else lambda: stream(IMAGES, BATCH)
        for dtype in ("float32", "mixed_float16"):
            made = functools.partial(build_model, options, IMAGES.shape[1:], dtype)
            (alone, one), (together, two) = (trained(each, 5, made, given) for each in (None, strategy))
            begun = made()
            found[f"{model} {name} {dtype}"] = {
                "difference": float(np.abs(one / two - 1.0).max()),
                "out_of_sync": out_of_sync(together),
                "still": [
                    player for player in begun.PLAYERS if same(*(m.trainable_of(player) for m in (begun, together)))
                ],
                "kept": float(together.k.numpy() / alone.k.numpy()) if model == "began" else 1.0,
            }
    return found


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    what = sys.argv.pop(1)
    if what in ("compare", "relatives"):
        print(json.dumps({"compare": compare, "relatives": relatives}[what]()))
    else:
        import configs
        from infogan_tf import command_line

        sys.exit(command_line.main(["main.py", *sys.argv[1:]], configs))
