"""A GAN that learns a density on a line, as an animation: figure 1 of Goodfellow et al. 2014 (arXiv:1406.2661).

    python docs/one_dimension.py --output=one_dimension.gif

An image of one grey pixel is a number in [0, 1], so that the package's own GAN learns it, with networks of a few dense
layers. docs/one_dimension.md says what is seen.
"""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from absl import app, flags
from keras import layers
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from scipy.spatial.distance import cdist
from scipy.stats import norm

from infogan_tf.models.gan import GAN
from infogan_tf.objectives.adversarial import ADVERSARIAL_LOSSES
from infogan_tf.pictures import save_gif

# Of the data.
MEAN, STDDEV = 0.7, 0.07
EACH = 15  # steps between two frames
BATCH, D_UPDATES = 128, 5
# Where curves are drawn, and the z of which arrows are.
X, ARROWS = np.linspace(0.0, 1.0, 201), np.linspace(-0.95, 0.95, 20)
# The z whose images show G's density, and how wide each is drawn.
MANY, WINDOW = np.linspace(-1.0, 1.0, 2001), 0.012
HIGHEST = 9.0
DATA, GENERATOR, DISCRIMINATOR = "#000000", "#009e73", "#0072b2"

flags.DEFINE_string("output", "one_dimension.gif", "The file to write.")
flags.DEFINE_integer("frames", 41, f"How many, {EACH} steps apart; the first is before the training.", lower_bound=1)
flags.DEFINE_enum("adversarial_loss", "nonsaturating", list(ADVERSARIAL_LOSSES), "What D and G minimise.")
flags.DEFINE_integer("seed", 0, "Of weights, data and latents.", lower_bound=0)


def make_gan(adversarial_loss: str, seed: int) -> GAN:
    """A GAN of numbers in [0, 1], as images of one pixel, whose z is one number in [-1, 1]."""
    keras.utils.set_random_seed(seed)
    generator = [layers.Dense(16, "tanh"), layers.Dense(16, "tanh"), layers.Dense(1, "sigmoid")]
    # Steep units all over the line, so that D's curve can bend within the width of the data.
    steep = {"kernel_initializer": keras.initializers.RandomNormal(stddev=5.0)}
    steep["bias_initializer"] = steep["kernel_initializer"]
    trunk = [layers.Flatten(), layers.Rescaling(2.0, -1.0), layers.Dense(32, "tanh", **steep), layers.Dense(32, "tanh")]
    model = GAN(
        "noise:1",
        generator=keras.Sequential([keras.Input((1,)), *generator, layers.Reshape((1, 1, 1))]),
        trunk=keras.Sequential([keras.Input((1, 1, 1)), *trunk]),
        d_head=keras.Sequential([keras.Input((32,)), layers.Dense(1)]),
        seed=seed,
    )
    model.compile(
        d_optimizer=keras.optimizers.Adam(5e-3, beta_1=0.5),
        g_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
        adversarial_loss=adversarial_loss,
        d_updates=D_UPDATES,
        steps_per_execution=EACH,
    )
    return model


def drawn(model: GAN, z: np.ndarray) -> np.ndarray:
    """G(z) of numbers [N], numbers [N]."""
    return model.generate(z[:, np.newaxis].astype(np.float32)).ravel()


def picture(model: GAN) -> Image.Image:
    """What the model has learnt: the two densities and D above, the arrows from z to x below."""
    images = X.reshape(-1, 1, 1, 1).astype(np.float32)
    output = 1.0 / (1.0 + np.exp(-model.logits(model.describe(images), None, training=False).numpy().ravel()))
    density = norm.pdf(X[:, np.newaxis], drawn(model, MANY), WINDOW).mean(axis=1)

    figure = Figure(figsize=(4.2, 3.8), dpi=100, layout="constrained")
    above, below = figure.subplots(2, height_ratios=(5, 2))
    above.plot(X, norm.pdf(X, MEAN, STDDEV), ":", color=DATA, label="data")
    above.plot(X, density, color=GENERATOR, label="drawn by G")
    above.plot([], [], "--", color=DISCRIMINATOR, label="D(x)")
    above.set(xlim=(0, 1), ylim=(0, HIGHEST), yticks=(0, 4, 8), xlabel="x", ylabel="density")
    figure.legend(loc="outside upper right", frameon=False, ncols=3, fontsize=9)
    above.set_title(f"step {int(model.step):,}", loc="left")
    right = above.twinx()
    right.plot(X, output, "--", color=DISCRIMINATOR)
    right.set(ylim=(0, 1), yticks=(0, 0.5, 1), ylabel="D(x)")
    for z, x in zip(ARROWS, drawn(model, ARROWS), strict=True):
        below.annotate("", (x, 1), ((z + 1) / 2, 0), arrowprops={"arrowstyle": "->", "color": GENERATOR, "shrinkB": 0})
    below.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), xticklabels=(-1, 0, 1), yticks=(), xlabel="z")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return in_few_colours(np.asarray(canvas.buffer_rgba())[..., :3])


def in_few_colours(pixels: np.ndarray) -> Image.Image:
    """A picture, uint8 [H, W, 3], in the colours of the curves and paler ones of each: a file of it is small."""
    pure = np.array([to_rgb(colour) for colour in (DATA, GENERATOR, DISCRIMINATOR)])
    shares = np.linspace(0.0, 1.0, 5)[:, np.newaxis, np.newaxis]
    colours = np.round(255.0 * (1.0 - shares * (1.0 - pure))).reshape(-1, 3)
    nearest = cdist(pixels.reshape(-1, 3), colours).argmin(axis=1)
    found = Image.fromarray(nearest.astype(np.uint8).reshape(pixels.shape[:2]))
    found.putpalette(colours.astype(np.uint8).tobytes())
    return found


def main(_):
    """Trains, and writes the animation."""
    options = flags.FLAGS
    model = make_gan(options.adversarial_loss, options.seed)
    rng, frames, batch = np.random.default_rng(options.seed), [picture(model)], BATCH * D_UPDATES
    while len(frames) < options.frames:
        data = rng.normal(MEAN, STDDEV, (EACH * batch, 1, 1, 1)).clip(0.0, 1.0)
        model.fit(data.astype(np.float32), batch_size=batch, verbose=0)
        frames.append(picture(model))
    save_gif(Path(options.output), frames, seconds=0.2 * len(frames))
    print(f"Wrote {options.output}: {len(frames)} frames, to step {int(model.step):,}.")


if __name__ == "__main__":
    app.run(main)
