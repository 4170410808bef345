"""The recipe for data that no recipe was made for: what --recipe=invariant is of images of one's own, and of others.

No data set of this name is there; the files of data sets take from here.
"""

import dataclasses

from infogan_tf.config.options import Config


def invariant(paper: Config, **options: object) -> Config:
    """A data set's `paper` recipe with what real images tell of the codes, and with options of its own.

    The weights served data of several kinds. With the entropy weighted less, Q came to say nothing of photos, which
    costs nothing else. The kinds of images in a data set are seldom equally frequent: without the tolerance a frequent
    kind is cut in two. How c1 cuts the images is decided early; the lowest term names the best of four starts.
    """
    shared = {
        "lambda_warmup": 1_000,
        "invariance_weight": 2.0,
        "invariances": "auto",
        "entropy_weight": 1.0,
        "marginal_weight": 4.0,
        "marginal_tolerance": 0.08,
        "starts": 4,
        "start_steps": 1_000,
        "average_decay": 0.999,
    }
    return dataclasses.replace(paper, **(shared | options))
