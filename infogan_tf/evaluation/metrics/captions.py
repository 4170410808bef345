"""Whether drawn images have what their captions asked for, told by the nearest image of known factors."""

from collections.abc import Sequence

import numpy as np

from infogan_tf.evaluation.metrics.checks import same_length, whole_numbers
from infogan_tf.latents.captions import Grammar


def right_words(grammar: Grammar, captions: Sequence[int], values: np.ndarray) -> dict[str, np.ndarray]:
    """By figure, whether each image has all that its caption says of it, for those of which it says something.

    Args:
        grammar: Of the captions.
        captions: Their numbers, [N].
        values: The value of each thing's factor in each image, integers [N, things]; a value is right where it is
            among those of the word, or no more than `Spoken.within` steps beyond.

    Returns:
        Truth values [M], M <= N, by `Spoken.figure`, and under "all" of whatever is said; nothing of what no caption
        speaks of.

    Raises:
        NotMeasuredError: Without captions.
        ValueError: For other shapes or types, or a number that no caption has.
    """
    captions, values = whole_numbers("captions", captions, 1), whole_numbers("values", values, 2)
    same_length(captions=captions, values=values)
    if captions.max() >= grammar.count:
        raise ValueError(f"captions: expected numbers below {grammar.count:,}. Received: {captions.max():,}")
    if values.shape[1] != len(grammar.spoken):
        raise ValueError(f"values: expected {len(grammar.spoken)} columns. Received: {values.shape[1]}")
    said = np.array([grammar.captions[number] for number in captions])
    right = np.ones(values.shape, bool)  # what is not said cannot be wrong
    for i, spoken in enumerate(grammar.spoken):
        ranges = [spoken.range_of(word) for word in range(len(spoken.words))]
        low, high = np.array([(0, len(spoken.word_of)), *ranges])[said[:, i]].T
        right[:, i] = (values[:, i] >= low) & (values[:, i] <= high)
    figures = [spoken.figure for spoken in grammar.spoken]
    found = {}
    for figure in (*dict.fromkeys(figures), "all"):
        things = [i for i, name in enumerate(figures) if figure in (name, "all")]
        speaks = (said[:, things] > 0).any(axis=1)
        if speaks.any():
            found[figure] = right[np.ix_(speaks, things)].all(axis=1)
    return found
