"""Makes a data set whose kinds of images are not equally frequent, of one whose kinds are: for trials of recipes on it.

python benchmarks/unequal.py --dataset=mnist --output=unequal.npz
infogan --dataset=unequal.npz --recipe=invariant

Of each kind it takes the first images, as many as US postal digits have of the ten: from 1,194 to 542 for training, and
359 to 147 for testing. Images of 28 pixels lose their empty border, and all are made 16 pixels large.
"""

import numpy as np
from absl import app, flags
from common import define_flags, report
from PIL import Image

from infogan_tf.data import load_data

FLAGS = flags.FLAGS
define_flags()
flags.DEFINE_string("dataset", "mnist", "A name, as main.py takes it.")
flags.DEFINE_string("output", None, "The .npz that is written.", required=True)

SIZE = 16
BORDER = 3  # pixels, of images of 28
# How many of each class the zip codes of Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, have.
COUNTS = {
    "train": (1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644),
    "test": (359, 264, 198, 166, 200, 160, 170, 147, 166, 177),
}


def fewer(labels: np.ndarray, counts: tuple[int, ...]) -> np.ndarray:
    """The places, ascending, of the first so many of each class."""
    found = [np.flatnonzero(labels == kind)[:count] for kind, count in enumerate(counts)]
    return np.sort(np.concatenate(found))


def small(image: np.ndarray) -> np.ndarray:
    """A grey image uint8 [H, W, 1], at SIZE."""
    inner = image[BORDER:-BORDER, BORDER:-BORDER, 0] if image.shape[0] == 28 else image[..., 0]
    return np.asarray(Image.fromarray(inner).resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def main(argv: list[str]) -> None:
    """Writes the file and prints how many images of each class are in it."""
    del argv
    data, arrays, rows = load_data(FLAGS.dataset), {}, []
    for name, split in (("train", data.train), ("test", data.test)):
        places = fewer(split.labels, COUNTS[name])
        arrays[f"x_{name}"] = np.stack([small(split.images[place]) for place in places])
        arrays[f"y_{name}"] = split.labels[places]
        counts = np.bincount(split.labels[places]).tolist()
        rows.append({"split": name, "images": len(places)} | {str(kind): count for kind, count in enumerate(counts)})
    np.savez(FLAGS.output, **arrays)
    report(f"{FLAGS.dataset}, {SIZE}x{SIZE}, images of each class, in {FLAGS.output}", rows)


if __name__ == "__main__":
    app.run(main)
