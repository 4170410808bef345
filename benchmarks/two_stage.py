"""Whether drawing in two stages, blurred first and then clear, is better than in one.

python benchmarks/two_stage.py --dataset=digits --seeds=0,1,2 --folder=out --json=out.json

A variational autoencoder's decoder draws soft images; a refiner of three 3x3 convolutions, trained as a GAN's generator
on what the frozen decoder draws, makes them sharp. Beside it, of the same networks and as many steps in all: the
decoder alone, a GAN whose generator is the decoder, and a GAN whose generator is decoder and refiner, trained together
from the beginning. All are measured by the FID of 10,000 drawn images in the features of the data set's classifier.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from absl import app, flags
from common import config_of, define_flags, report

FLAGS = flags.FLAGS
define_flags(seeds=["0", "1", "2"], steps=1500, count=10_000)
flags.DEFINE_string("dataset", "digits", "A name, or images of one's own, as main.py takes it.")
flags.DEFINE_string("folder", "two_stage", "A new or empty folder for the drawn images and their figures.")

LATENTS = "normal_noise:20"
FILTERS = 32


def refined(decoder):
    """A generator that draws with `decoder`, [B, L] to [B, H, W, C], and adds to the logits of its pixels."""
    import keras

    shape = decoder.output_shape[1:]
    soft = keras.Input(shape)
    pixels = keras.ops.clip(soft, 1e-3, 1.0 - 1e-3)
    hidden = soft
    for _ in range(2):
        hidden = keras.layers.Conv2D(FILTERS, 3, padding="same", activation="relu")(hidden)
    # It begins as the decoder is.
    change = keras.layers.Conv2D(shape[-1], 3, padding="same", kernel_initializer="zeros")(hidden)
    clear = keras.ops.sigmoid(keras.ops.log(pixels) - keras.ops.log(1.0 - pixels) + change)
    refiner = keras.Model(soft, clear, name="refiner")
    return keras.Sequential([keras.Input(decoder.input_shape[1:]), decoder, refiner], name="generator")


def models(image_shape, seed: int):
    """By name a function that trains a model on images, given the number of steps."""
    import dataclasses

    from infogan_tf.data.stream import stream
    from infogan_tf.models.build import build_model
    from infogan_tf.models.choices import resolve
    from infogan_tf.models.gan import GAN
    from infogan_tf.models.optimizers import FusedAdam

    base = config_of(FLAGS.dataset)
    shared = {"latents": LATENTS, "seed": seed, "precision": "float32", "lr_decay_steps": ""}

    def built(kind):
        return build_model(resolve(dataclasses.replace(base, model=kind), shared | {"model": kind}), image_shape)

    def fitted(model, images, steps):
        model.fit(stream(images, base.batch_size, seed), steps_per_epoch=steps, verbose=0, shuffle=False)
        return model

    def gan_of(generator):
        of = built("gan")
        model = GAN(LATENTS, generator, of.trunk, of.d_head, seed=seed)
        rates = {"d": base.d_learning_rate, "g": base.g_learning_rate}
        optimizers = {p: FusedAdam(rate, beta_1=base.adam_beta_1, name=f"{p}_optimizer") for p, rate in rates.items()}
        model.compile(optimizers["d"], optimizers["g"], average_decay=base.average_decay)
        return model

    def two_stages(images, steps):
        decoder = fitted(built("vae"), images, steps // 2).generator
        decoder.trainable = False
        return fitted(gan_of(refined(decoder)), images, steps - steps // 2)

    return {
        "VAE": lambda images, steps: fitted(built("vae"), images, steps),
        "GAN": lambda images, steps: fitted(built("gan"), images, steps),
        "two stages": two_stages,
        "the same at once": lambda images, steps: fitted(gan_of(refined(built("gan").generator)), images, steps),
    }


def fid_of(model, name: str) -> float:
    """The FID of what the model draws, averaged weights where it has them, as --mode=evaluate measures it."""
    path = Path(FLAGS.folder, name)
    with model.averaged():
        images = model.generate(model.layout.sample(FLAGS.count, model.stream_seed("measure")))
    np.save(path.with_suffix(".npy"), np.round(255.0 * images).astype(np.uint8))
    main = Path(__file__).resolve().parents[1] / "main.py"
    command = [sys.executable, main, "--mode=evaluate", f"--dataset={FLAGS.dataset}"]
    files = [f"--samples={path.with_suffix('.npy')}", f"--output={path.with_suffix('.json')}"]
    subprocess.run([*command, *files], check=True, stdout=subprocess.DEVNULL)
    return json.loads(path.with_suffix(".json").read_text())["figures"]["fid"]


def main(_):
    """Trains, draws, and prints the table."""
    from infogan_tf.data import load_data

    folder = Path(FLAGS.folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"--folder: expected a new or empty folder. Received: {FLAGS.folder!r}")
    images = load_data(FLAGS.dataset).train.images
    found = {}
    for seed in map(int, FLAGS.seeds):
        for name, trained in models(images.shape[1:], seed).items():
            found.setdefault(name, []).append(fid_of(trained(images, FLAGS.steps), f"{name.replace(' ', '-')}-{seed}"))
    rows = [
        {"drawn by": name, **{f"FID, seed {seed}": fid for seed, fid in zip(FLAGS.seeds, fids, strict=True)}}
        | {"median": float(np.median(fids))}
        for name, fids in found.items()
    ]
    report(f"{FLAGS.dataset}, {FLAGS.steps} steps in all", rows)


if __name__ == "__main__":
    app.run(main)
