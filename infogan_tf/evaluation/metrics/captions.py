"""Whether drawn images have what their captions asked for, told by the nearest image of known factors."""

from collections.abc import Sequence

import numpy as np

from infogan_tf.evaluation.metrics.checks import same_length, whole_numbers
from infogan_tf.latents.captions import Grammar


def right_words(grammar: Grammar, captions: Sequence[int], values: np.ndarray) -> dict[str, np.ndarray]:
    """By thing spoken of, whether each image has what its caption says of it, for those of which it says something.

    Args:
        grammar: Of the captions.
        captions: Their numbers, [N].
        values: The value of each thing's factor in each image, integers [N, things]; a value is right where it is
            among those of the word, or no more than `Spoken.within` steps beyond.

    Returns:
        Truth values [M], M <= N; nothing of what no caption speaks of.

    Raises:
        NotMeasuredError: Without captions.
        ValueError: For other shapes or types.
    """
    captions, values = whole_numbers("captions", captions, 1), whole_numbers("values", values, 2)
    same_length(captions=captions, values=values)
    said = np.array([grammar.captions[number] for number in captions])
    found = {}
    for i, spoken in enumerate(grammar.spoken):
        speaks = said[:, i] > 0
        if speaks.any():
            ranges = np.array([spoken.range_of(word) for word in range(len(spoken.words))])
            low, high = ranges[said[speaks, i] - 1].T
            found[spoken.name] = (values[speaks, i] >= low) & (values[speaks, i] <= high)
    return found
