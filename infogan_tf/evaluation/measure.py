"""Measures all that can be of a trained model.

A figure that cannot be measured leaves a note in one line, and the others are measured all the same.
"""

import contextlib

from tqdm import tqdm

from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation.groups import GROUPS, OF_CODES
from infogan_tf.evaluation.material import Material
from infogan_tf.evaluation.result import Evaluation, attempt


def measure(material: Material, step: int) -> Evaluation:
    """Measures all that can be; shows a progress bar."""
    found = Evaluation(material.setting.name, step)
    found.notes.append(f"{len(material.images):,} images drawn, with inference statistics, in float32.")
    # Before this function's progress bar, because these have bars of their own: training, fetching and reading.
    for name in ("features", "published_features"):
        with contextlib.suppress(NotMeasuredError):  # the group that asks for it will say why it is not to be had
            getattr(material, name)
    groups = {title: group for title, group in GROUPS.items() if material.read_codes or group not in OF_CODES}
    bar = tqdm(
        groups.items(), unit="measure", bar_format="{desc:<26} {percentage:3.0f}%|{bar:30}| {elapsed}<{remaining}"
    )
    for title, group in bar:
        bar.set_description(title)
        attempt(title, group, material, found)
    return found
