"""Images that captions can be made for: those whose known factors are what a grammar speaks of."""

import dataclasses

import numpy as np

from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import UserError
from infogan_tf.latents.captions import GRAMMARS, Grammar


def captioned(data: ImageData, name: str) -> ImageData:
    """The data set with the words that are true of each image, without those that the grammar holds out of training.

    Args:
        data: A data set of known factors.
        name: That of the grammar, one of GRAMMARS.

    Raises:
        UserError: Where the data set has other factors, or none.
    """
    grammar = GRAMMARS[name]
    wanted = {spoken.of: len(spoken.word_of) for spoken in grammar.spoken}
    factors = data.factors
    received = dict(zip(factors.names, factors.sizes, strict=True)) if factors else {}
    if received != wanted:
        raise UserError(
            f"--dataset: expected images whose known factors are {', '.join(wanted)}, as those of sprites are, for "
            f"caption:{name}. Received: {data.name}, which has {', '.join(received) or 'none'}"
        )
    words = words_of(grammar, factors.values(), factors.names)
    seen = ~held_out(grammar, words)
    labels = None if data.train.labels is None else data.train.labels[seen]
    train = Split(data.train.images[seen], labels, words=words[seen])
    # Of the test images some are held out, too; the places of the others are those among what is left.
    places = data.test_places[seen[data.test_places]]
    return dataclasses.replace(data, train=train, test_places=np.cumsum(seen)[places] - 1)


def words_of(grammar: Grammar, values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """The number of the true word of each thing that the grammar speaks of, int32 [N, things].

    Args:
        grammar: The grammar.
        values: The factors of images, [N, K].
        names: The K factors.
    """
    columns = [np.array(spoken.word_of)[values[:, names.index(spoken.of)]] for spoken in grammar.spoken]
    return np.stack(columns, axis=1).astype(np.int32)


def held_out(grammar: Grammar, words: np.ndarray) -> np.ndarray:
    """Which images are left out of training, bool [N], by the words [N, things] that are true of them."""
    kinds, which = np.unique(words, axis=0, return_inverse=True)
    return np.array([grammar.is_held_out(kind) for kind in kinds.tolist()])[which.ravel()]
