"""Whether drawn images are what was asked for: a label, or what a caption says."""

import numpy as np

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.metrics.captions import right_words
from infogan_tf.evaluation.metrics.sample_quality import nearest_neighbours
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.latents.codes import Caption, Label
from infogan_tf.random import fold_in

# So many captions are looked at, of each kind.
CAPTIONS = 1_000


def labels_asked_for(material: Material, found: Evaluation) -> None:
    """How often the data set's classifier reads the label that was asked for; nothing of a model that is told none."""
    label = material.layout.told
    if not isinstance(label, Label):
        return
    read = material.features.probabilities
    if read is None:
        raise NotMeasuredError(f"no classifier of the labels of {material.data.name} is to be had")
    asked = material.values[label.name][: len(read)]
    found.figures[f"label_accuracy/{label.name}"] = float(np.mean(read.argmax(axis=1) == asked))


def captions_asked_for(material: Material, found: Evaluation) -> None:
    """How often images have what their captions say, also of combinations never seen; nothing without captions."""
    code, factors = material.layout.told, material.data.factors
    if not isinstance(code, Caption):
        return
    count = min(CAPTIONS, len(material.images))
    unseen = np.random.default_rng(0).choice(np.array(code.language.unseen, np.int32), count)
    noise, _ = material.layout.sample_parts(count, fold_in(material.model.stream_seed("measure"), 1))
    images = {
        "caption_accuracy": (material.values[code.name][:count], material.images[:count]),
        "held_out_accuracy": (unseen, material.model.generate(material.layout.join(noise, {code.name: unseen}))),
    }
    columns = [factors.names.index(spoken.of) for spoken in code.language.spoken]
    for metric, (captions, drawn) in images.items():
        nearest, _ = nearest_neighbours(drawn, factors.images)
        right = right_words(code.language, captions, factors.values()[nearest[:, 0]][:, columns])
        found.figures |= {f"{metric}/{name}": float(values.mean()) for name, values in right.items()}
    found.notes.append(
        f"Captions: {count:,} drawn from the prior, and as many of combinations that training left out, such as "
        f"{code.language.held_out[0]!r}; what a caption does not say is not looked at."
    )
