"""Imports every module whose classes Keras has to know to load a saved model."""

import importlib

from infogan_tf.models import MODELS
from infogan_tf.networks import FAMILIES
from infogan_tf.objectives import TERMS

for _place in (*(row.path for row in (*MODELS.values(), *FAMILIES.values())), *TERMS, "infogan_tf.models.optimizers:"):
    importlib.import_module(_place.partition(":")[0])
