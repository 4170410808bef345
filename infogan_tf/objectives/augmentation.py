"""Images that are changed at random before D sees them, real and generated ones alike."""

import keras

from infogan_tf.objectives.term import Term
from infogan_tf.objectives.transformations import Transformations
from infogan_tf.random import fold_in


@keras.saving.register_keras_serializable(package="infogan_tf")
class Augmentation(Term):
    """D is shown changed images alone, and the generator learns through the changes: DiffAugment, Zhao et al. 2020.

    Few images are soon learnt by heart; changed anew each time, they are not (arXiv:2006.10738, equations 2 and 3). As
    generated images are changed like real ones, what is drawn stays unchanged. Q is shown the same as D: a code cannot
    mean what is changed.

    Args:
        transformations: What is changed, as `Transformations.parse` reads it.
    """

    NEEDS = ("d_head",)

    def __init__(self, transformations: str, **kwargs):
        super().__init__(1.0, **kwargs)
        self.transformations = transformations
        self._change = Transformations.parse(transformations)

    def show(self, model, images, seed):  # noqa: D102
        amounts = self._change.amounts(images.shape[0] or keras.ops.shape(images)[0], fold_in(seed, 5))
        return self._change(images, amounts, fold_in(seed, 6))

    def get_config(self):  # noqa: D102
        config = super().get_config()
        del config["weight"]
        return {**config, "transformations": self.transformations}
