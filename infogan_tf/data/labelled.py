"""The few images whose labels training is told, of a data set that has the labels of all."""

import numpy as np


def labelled_choice(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The places of `count` images, as many of each label as can be, int64 [count]; drawn by the seed.

    Where the labels do not divide the count, some drawn labels have one image more. With the same seed a larger choice
    has all images of a smaller one.

    Args:
        labels: Of all images, integers [N].
        count: How many images, from the number of labels on.
        seed: Of the draw; it is no other draw's.

    Raises:
        ValueError: Where a label has fewer images than its share.
    """
    rng = np.random.default_rng([seed, 0x1ABE11ED])
    names = rng.permutation(np.unique(labels))
    shares = np.full(len(names), count // len(names))
    shares[: count % len(names)] += 1
    chosen = []
    for draw, name, share in zip(rng.spawn(len(names)), names, shares, strict=True):
        places = np.flatnonzero(labels == name)
        if share > len(places):
            raise ValueError(f"labels: expected {share} images or more of label {name}. Received: {len(places)}")
        chosen.append(draw.permutation(places)[:share])
    return np.sort(np.concatenate(chosen))
