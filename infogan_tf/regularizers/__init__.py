"""Terms that may be added to what D and Q, or the generator, minimise.

`InfoGAN.compile` takes a list of regularisers. The train step adds up what they return and knows none of them by name.
To add one, write a subclass of `Regularizer` in this folder, an option in config.py, and a line in `regularizers_of`
of building.py.
"""

from infogan_tf.regularizers.base import Batch, Regularizer
from infogan_tf.regularizers.contrast import Contrast
from infogan_tf.regularizers.invariance import INVARIANCE_TERM, Invariance
from infogan_tf.regularizers.matching import FeatureMatching
from infogan_tf.regularizers.smoothness import R1, GradientPenalty, InstanceNoise

__all__ = [
    "INVARIANCE_TERM",
    "R1",
    "Batch",
    "Contrast",
    "FeatureMatching",
    "GradientPenalty",
    "InstanceNoise",
    "Invariance",
    "Regularizer",
]
