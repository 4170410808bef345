"""The bound of a VAE on the log-likelihood of test images."""

import numpy as np

from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.random import fold_in

# So many images at a time.
BLOCK = 500


def likelihood_bound(material: Material, found: Evaluation) -> None:
    """The bound of a VAE on the log-likelihood of test images, and its parts; nothing of a model without an encoder."""
    if material.model.READS != "noise":
        return
    images, labels = material.test_images, material.data.test.labels
    parts = []
    for start in range(0, len(images), BLOCK):
        rows = slice(start, start + BLOCK)
        batch = (images[rows], None if labels is None else labels[rows])
        parts.append(np.stack(material.model.bounds(batch, fold_in(material.model.stream_seed("measure"), start))))
    reconstruction, kl = np.concatenate(parts, axis=1).astype(np.float64)
    for name, values in {"elbo": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}.items():
        found.figures[name] = float(values.mean())
        found.stderrs[name] = float(values.std(ddof=1) / np.sqrt(len(values)))
    found.notes.append(
        f"ELBO: {len(images):,} test images, pixels as probabilities (a Bernoulli likelihood in expectation), one z "
        "drawn for each; of a conditional VAE given the label. It says little of a model that was trained on another "
        "likeness of images than that of their pixels."
    )
