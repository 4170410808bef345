"""A Config makes a model."""

import pkgutil

import keras
import tensorflow as tf

from infogan_tf.config.options import Config
from infogan_tf.config.source import parameters
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models import MODELS
from infogan_tf.models.base import GenerativeModel
from infogan_tf.models.choices import options_of_term
from infogan_tf.models.compilation import choose_compilation
from infogan_tf.models.optimizers import FallsAtSteps, FusedAdam
from infogan_tf.networks import FAMILIES
from infogan_tf.networks.autoencoder import autoencoder_of
from infogan_tf.objectives import TERMS
from infogan_tf.objectives.term import Term


def build_model(
    config: Config, image_shape: tuple[int, int, int], precision: str | None = None, start: int = 0
) -> GenerativeModel:
    """Builds and compiles the model that a run has; its weights are a function of the seed and the start.

    Args:
        config: Of the run, resolved.
        image_shape: Height, width and channels.
        precision: The Keras dtype policy of the networks; None is the run's.
        start: The number of the start, of a run that makes several.
    """
    layout = LatentLayout.parse(config.latents, config.posterior_stddev)
    kind, family = map(pkgutil.resolve_name, (MODELS[config.model].path, FAMILIES[config.networks].path))
    # Far from one another, so that the runs of a sweep, with seeds 0, 1, 2, share no start.
    keras.utils.set_random_seed((config.seed + 1_000_003 * start) % 2**32)
    values = {
        "num_latents": layout.width,
        "num_parameters": kind.num_parameters(layout),
        "num_labels": layout.told.width if layout.told else 0,
        "image_shape": image_shape,
        "dtype": precision or config.precision,
        "reference_latents": layout.sample(64, [config.seed, 0]).numpy() if config.virtual_batch_norm else None,
    }
    arguments = _taken(FAMILIES[config.networks].path, config, values)
    networks = family(**arguments)
    if "encoder" in kind.roles():
        networks |= autoencoder_of(family(**arguments))
    model = kind(layout, **{role: networks[role] for role in kind.roles()}, seed=config.seed)
    values = {
        **{f"{player}_optimizer": _adam(config, player) for player in kind.PLAYERS},
        "real_target": 1.0 - config.label_smoothing,
        "regularizers": terms_of(config),
    }
    compilation = choose_compilation(config, image_shape, tf.distribute.get_strategy().num_replicas_in_sync)
    model.compile(
        **_taken(f"{MODELS[config.model].path}.compile", config, values),
        jit_compile=compilation.jit_compile,
        steps_per_execution=compilation.steps_per_execution,
    )
    return model


def terms_of(config: Config) -> list[Term]:
    """The terms that the options ask for: those whose weight is not 0."""
    found = []
    for place in TERMS:
        options = options_of_term(place)
        if getattr(config, next(iter(options.values()))):
            found.append(
                pkgutil.resolve_name(place)(**{name: getattr(config, option) for name, option in options.items()})
            )
    return found


def _taken(place, config, values):
    """Each parameter of the function at `place`: of `values`, or the option of its name."""
    return {
        name: values[name] if name in values else getattr(config, name)
        for name in parameters(place)
        if name in values or hasattr(config, name)
    }


def _adam(config, player) -> keras.optimizers.Optimizer:
    """A player's optimizer, of its learning rate, which may fall at certain steps."""
    learning_rate = getattr(config, f"{player}_learning_rate")
    if boundaries := config.learning_rate_boundaries():
        values = [learning_rate * config.lr_decay_factor**i for i in range(len(boundaries) + 1)]
        learning_rate = FallsAtSteps(boundaries, values)
    return FusedAdam(learning_rate, beta_1=config.adam_beta_1, epsilon=config.adam_epsilon, name=f"{player}_optimizer")
