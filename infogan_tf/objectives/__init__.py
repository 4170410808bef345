"""What the players minimise: adversarial losses, and terms that are added to them.

`compile` takes a list of terms. The train step adds up what they give and knows none of them by name. To add one, write
a subclass of `Term` in a file here, name it in TERMS, and give it its options in config/options.py: <term>_weight (or
<term>, of one without a weight), which is that of the first argument of its constructor; and for each other argument
one of its name, or <term>_<argument>.
"""

import re

# Where each term stands; a run has those whose first option is not 0 or empty, in this order.
TERMS = (
    "infogan_tf.objectives.invariance:Invariance",
    "infogan_tf.objectives.supervision:Supervision",
    "infogan_tf.objectives.matching:FeatureMatching",
    "infogan_tf.objectives.smoothness:R1",
    "infogan_tf.objectives.smoothness:R2",
    "infogan_tf.objectives.smoothness:GradientPenalty",
    # In this order: what is changed by it is clipped to [0, 1], which would take half of the noise from black.
    "infogan_tf.objectives.augmentation:Augmentation",
    "infogan_tf.objectives.smoothness:InstanceNoise",
    "infogan_tf.objectives.contrast:Contrast",
    "infogan_tf.objectives.history:HistoricalAveraging",
    "infogan_tf.objectives.interpolation:Interpolation",
)


def name_of(term: str) -> str:
    """What logs and options call a term, by the name of its class: feature_matching of FeatureMatching."""
    return re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", term).lower()
