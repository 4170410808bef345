"""The optimizers of a model that has one for each player: taken, built, and applied to gradients."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.models.optimizers import FallsAtSteps


def own_optimizers(given: Mapping[str, keras.optimizers.Optimizer | str]) -> dict[str, keras.optimizers.Optimizer]:
    """The optimizers by player, named for it; they are given by their names or as they are.

    Raises:
        ValueError: For what is no optimizer, and for one of two players.
    """
    found = {}
    for player, each in given.items():
        name = f"{player}_optimizer"
        try:
            optimizer = keras.optimizers.get(each)  # "adam" will do, as with Keras's own models
        except (TypeError, ValueError):
            optimizer = None
        if optimizer is None:
            raise ValueError(f"{name}: expected a Keras optimizer, or its name. Received: {each!r}")
        if any(optimizer is other for other in found.values()):
            raise ValueError(
                f"{name}: expected one of its own, as an optimizer keeps the state of one player's weights; "
                f"optimizer.from_config(optimizer.get_config()) makes another. Received: one "
                f"{type(optimizer).__name__} for both"
            )
        # Keras's own names count optimizers, and callbacks log learning rates by them.
        getattr(optimizer, "inner_optimizer", optimizer).name = name
        found[player] = optimizer
    return found


def build(optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable], name: str) -> None:
    """Builds an optimizer for variables; `name` is the argument that it was.

    Raises:
        ValueError: For one that was built for others.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    known = {id(variable) for variable in getattr(inner, "_trainable_variables", ())}
    if optimizer.built and known != {id(variable) for variable in variables}:
        raise ValueError(
            f"{name}: expected one that has updated no other weights; optimizer.from_config(optimizer.get_config()) "
            f"makes another. Received: {type(optimizer).__name__}, which has"
        )
    optimizer.build(variables)


def go_by_steps(optimizer: keras.optimizers.Optimizer, step: keras.Variable) -> None:
    """Lets a learning rate that falls at steps of a model go by these; another model may share it as it was given."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    schedule = getattr(inner, "_learning_rate", None)
    if isinstance(schedule, FallsAtSteps):
        inner._learning_rate = FallsAtSteps.from_config(schedule.get_config())
        inner._learning_rate.model_step = step


def with_loss_scale(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.LossScaleOptimizer:
    """Float16 gradients underflow unless the loss is scaled; Keras scales only compile()'s own optimizer."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, name=optimizer.name)


def apply(
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor], variables: Sequence[keras.Variable]
) -> None:
    """One update. A float16 step that overflows on one replica is skipped on all."""
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync > 1 and isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
        broken = replica.all_reduce("SUM", 1.0 - tf.cast(finite, tf.float32))
        gradients = [tf.where(broken > 0, np.nan, gradient) for gradient in gradients]
    optimizer.apply(gradients, variables)


def apply_where(
    due: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[tf.Tensor],
    variables: Sequence[keras.Variable],
) -> None:
    """One update where `due` is true, a bool that is the same on all replicas; else none, of the optimizer neither."""

    def across_replicas(strategy, due, gradients):
        def update():
            strategy.extended.call_for_each_replica(apply, args=(optimizer, gradients, variables))
            return True

        tf.cond(strategy.experimental_local_results(due)[0], update, lambda: False)

    # Replicas cannot talk to each other inside a branch of one of them: the branch is taken for all of them at once.
    tf.distribute.get_replica_context().merge_call(across_replicas, args=(due, gradients))
