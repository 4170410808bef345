"""Keras's callbacks beside two optimizers: what they find as `model.optimizer`, and which are refused, and why."""

import math
from collections.abc import Mapping

import keras

# From 3.15 on Keras's callbacks look for several optimizers in one, as in its MultiOptimizer; before, for a single one.
KNOW_SEVERAL = hasattr(keras.optimizers, "MultiOptimizer")
_OF_OPTIMIZERS = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.SwapEMAWeights,
)


class Optimizers:
    """A model's optimizers, as its attribute `optimizer`: Keras's callbacks read and set those in `optimizers`.

    Args:
        by_player: The optimizers by player.
        step: The model's, which counts for all of them.
    """

    built = True

    def __init__(self, by_player: Mapping[str, keras.optimizers.Optimizer], step: keras.Variable):
        self.by_player = dict(by_player)
        self.iterations = step

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """Those that have a learning rate: inside of what scales float16's losses, or chooses one by the weight."""
        inner = (getattr(each, "inner_optimizer", each) for each in self.by_player.values())
        return [each for optimizer in inner for each in getattr(optimizer, "optimizers", [optimizer])]

    @property
    def variables(self) -> list[keras.Variable]:
        """The state of all."""
        return [variable for each in self.by_player.values() for variable in each.variables]


def prepared(callbacks, model: keras.Model, validates: bool) -> list[keras.callbacks.Callback]:
    """The callbacks of a `fit`, in their order, with what has to be done beside them for models of several losses.

    Args:
        callbacks: As `keras.Model.fit` takes them: one, several, or a CallbackList.
        model: A compiled GenerativeModel.
        validates: Whether there is data for validation.

    Raises:
        ValueError: For one that could not do its work, which says what to use instead.
    """
    given = getattr(callbacks, "callbacks", callbacks)
    given = [each for each in keras.tree.flatten(given) if each is not None]
    for each in given:
        _check(each, model, validates)
    used = []
    if any(optimizer.use_ema for optimizer in model.optimizer.optimizers):
        used.append(_TakeAverages())
    if any(isinstance(each, keras.callbacks.TerminateOnNaN) for each in given):
        used.append(_NameBrokenLoss())
    return used + given


class _TakeAverages(keras.callbacks.Callback):
    """Does at the end of `fit` what Keras does for a model's one optimizer: with `use_ema` averages become weights."""

    def on_train_end(self, logs=None):
        for player, optimizer in self.model.optimizers.items():
            optimizer.finalize_variable_values(self.model.variables_of(player))


class _NameBrokenLoss(keras.callbacks.Callback):
    """Calls the first figure that is no number `loss` as well, the only one that Keras's TerminateOnNaN looks at."""

    def on_train_batch_end(self, batch, logs=None):
        broken = [value for value in logs.values() if not math.isfinite(value)]
        if broken:
            logs["loss"] = broken[0]


def _check(callback, model, validates):
    """Raises a ValueError for a callback of Keras's own that would wait for what does not come."""
    kind = type(callback)  # a subclass may know better
    if kind in _OF_OPTIMIZERS:
        _check_optimizers(kind.__name__, kind, model)
    saves_best = kind is keras.callbacks.ModelCheckpoint and callback.save_best_only
    if kind in (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau) or saves_best:
        _check_monitor(f"{kind.__name__}(monitor=...)", callback, model, validates)
    if kind is keras.callbacks.ModelCheckpoint and not callback.save_weights_only:
        check_file(callback.filepath)


def _check_optimizers(name, kind, model):
    if not KNOW_SEVERAL:
        rates = " and ".join(f"model.{player}_optimizer.learning_rate" for player in model.optimizers)
        raise ValueError(
            f"{name}: expected Keras 3.15 or newer, as before it knows no model of several optimizers; a "
            f"LambdaCallback can set {rates}. Received: Keras {keras.__version__}"
        )
    optimizers = model.optimizer.optimizers
    if kind is keras.callbacks.SwapEMAWeights:
        if not any(optimizer.use_ema for optimizer in optimizers):
            raise ValueError(
                f"{name}: expected an optimizer with use_ema=True; averages of the model's own are compile's "
                "average_decay. Received: none"
            )
        return
    for player, optimizer in model.optimizers.items():
        rate = optimizer.get_config().get("learning_rate")
        if isinstance(rate, dict):
            raise ValueError(
                f"{name}: expected learning rates that are numbers, as it sets them. "
                f"Received: {rate['class_name']} in {player}_optimizer"
            )


def _check_monitor(name, callback, model, validates):
    logged = ", ".join(model.logged())
    if callback.monitor.removeprefix("val_") == "loss":
        raise ValueError(
            f"{name}: expected one of {logged}, as no loss is that of all players, or of validation data with val_ "
            f"before it. Received: {callback.monitor!r}"
        )
    if callback.monitor.startswith("val_") and not validates:
        raise ValueError(f"{name}: expected validation_data as well. Received: {callback.monitor!r}, and none")
    if callback.mode == "auto":
        raise ValueError(
            f"{name}: expected mode='min' or mode='max' as well, whichever is better of {callback.monitor!r}. "
            "Received: 'auto'"
        )


def check_file(path) -> None:
    """Refuses a name of which Keras would make a file that cannot hold a whole model of several networks."""
    if str(path).endswith((".h5", ".hdf5")):
        raise ValueError(
            "filepath: expected a name that ends in .keras, for networks, optimizers and options; or save_weights and "
            f".weights.h5, for weights alone. Received: {str(path)!r}"
        )
