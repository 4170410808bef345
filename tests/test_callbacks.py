"""Keras's callbacks with two optimizers: each does what it does for any model, or is refused before the first step."""

import csv

import keras
import numpy as np
import pytest
from conftest import small_model
from keras import callbacks
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from infogan_tf.models import callbacks as ours
from infogan_tf.models.callbacks import prepared

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), dtype=np.uint8)
OF_SEVERAL = pytest.mark.skipif(not ours.KNOW_SEVERAL, reason="Keras before 3.15")


def model_of(*optimizers, **arguments):
    """Not traced, which takes longer than its steps."""
    keras.utils.set_random_seed(0)
    return small_model(*optimizers, run_eagerly=True, **arguments)


def fit(model, *used, epochs=2, **arguments):
    return model.fit(
        IMAGES, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=list(used), **arguments
    ).history


def rates(model):
    return [float(model.d_optimizer.learning_rate), float(model.g_optimizer.learning_rate)]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def adam(rate=1e-3, **arguments):
    return keras.optimizers.Adam(rate, **arguments)


# === Learning rates ===


@OF_SEVERAL
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_schedule_sets_the_rate_of_each_optimizer(dtype):
    model = model_of(adam(4e-3), adam(8e-3), dtype=dtype)
    history = fit(model, callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2))
    assert rates(model) == pytest.approx([1e-3, 2e-3])
    assert history["learning_rate_d_optimizer"] == pytest.approx([2e-3, 1e-3])
    assert history["learning_rate_g_optimizer"] == pytest.approx([4e-3, 2e-3])


@OF_SEVERAL
@pytest.mark.parametrize("monitor", ["d_loss", "val_mutual_info"])
def test_a_plateau_lowers_the_rate_of_each_optimizer(monitor):
    model = model_of(adam(1e-3), adam(1e-2))
    used = callbacks.ReduceLROnPlateau(monitor, mode="max", factor=0.1, patience=1, min_delta=100.0)
    fit(model, used, epochs=3, validation_data=IMAGES)
    assert rates(model) == pytest.approx([1e-5, 1e-4])


# === Averages of weights ===


def test_averages_of_an_optimizer_become_the_weights_at_the_end_as_in_keras():
    # With a momentum of 1 the average stays what it was after the first step.
    averaged, first = model_of(adam(use_ema=True, ema_momentum=1.0), adam()), model_of(adam(), adam())
    fit(averaged, epochs=3)
    first.train_on_batch(IMAGES[:4])
    assert same(averaged.trunk.get_weights(), first.trunk.get_weights())
    assert not same(averaged.generator.get_weights(), first.generator.get_weights())


@OF_SEVERAL
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_averages_are_swapped_in_for_an_evaluation_and_out_again(dtype):
    model = model_of(adam(use_ema=True, ema_momentum=1.0), adam(use_ema=True, ema_momentum=1.0), dtype=dtype)
    seen = []

    class Watch(callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen.append(self.model.trunk.get_weights())

        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.trunk.get_weights())

    fit(model, callbacks.SwapEMAWeights(), Watch(), epochs=1, validation_data=IMAGES)
    first_step, second_step, evaluated = seen
    for one, other in zip(evaluated, first_step, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)  # Keras swaps by sums and differences
    assert np.abs(evaluated[0] - second_step[0]).max() > 1e-4


# === What stops a training ===


def broken():
    model = model_of()
    kernel = model.generator.layers[0].kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    return model


def test_terminate_on_nan_looks_at_every_loss():
    model = broken()
    history = fit(model, callbacks.TerminateOnNaN(), epochs=3)
    assert int(model.step) == 1
    assert np.isnan(history["g_loss"]).all()
    assert "loss" not in history
    whole = model_of()
    fit(whole, callbacks.TerminateOnNaN())
    assert int(whole.step) == 4


@pytest.mark.skipif(not ours.KNOW_SEVERAL, reason="Keras before 3.13 has no raise_error")
def test_terminate_on_nan_raises_where_it_is_to():
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0"):
        fit(broken(), callbacks.TerminateOnNaN(raise_error=True))


def test_early_stopping_takes_back_the_best_weights():
    model, weights = model_of(), []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    stop = callbacks.EarlyStopping("d_loss", mode="max", min_delta=100.0, patience=2, restore_best_weights=True)
    history = fit(model, keep, stop, epochs=9)
    assert len(history["d_loss"]) == 3
    assert same(model.get_weights(), weights[0])
    assert int(model.step) == 2


# === What writes ===


def test_checkpoints_hold_weights_or_the_whole_model(tmp_path):
    model = model_of()
    best = tmp_path / "best.keras"
    fit(
        model,
        callbacks.ModelCheckpoint(tmp_path / "{epoch}-{mutual_info/c1:.1f}.keras"),
        callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
        callbacks.ModelCheckpoint(best, monitor="d_loss", mode="max", save_best_only=True, initial_value_threshold=-1),
        callbacks.ModelCheckpoint(tmp_path / "never.keras", monitor="val_d_loss", mode="max", save_best_only=True,
                                  initial_value_threshold=100.0),
        validation_data=IMAGES,
    )  # fmt: skip
    last = next(tmp_path.glob("2-*.keras"))
    for state in (keras.models.load_model(last), model_of()):
        if not int(state.step):
            state.load_weights(tmp_path / "2.weights.h5")
        assert same(state.get_weights(), model.get_weights())
        assert same([v.numpy() for v in state.optimizer.variables], [v.numpy() for v in model.optimizer.variables])
    assert keras.models.load_model(best).compiled
    assert not (tmp_path / "never.keras").exists()


def test_a_killed_fit_goes_on_from_its_backup(tmp_path):
    whole = model_of()
    fit(whole, epochs=3)

    class Kill(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.step) == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model_of(), callbacks.BackupAndRestore(tmp_path / "backup"), Kill(), epochs=3)
    resumed = model_of("adam", "adam")
    resumed.generator.layers[0].kernel.assign(np.zeros(resumed.generator.layers[0].kernel.shape))
    history = fit(resumed, callbacks.BackupAndRestore(tmp_path / "backup"), epochs=3)
    assert len(history["d_loss"]) == 2
    assert same(resumed.get_weights(), whole.get_weights())
    assert same([v.numpy() for v in resumed.optimizer.variables], [v.numpy() for v in whole.optimizer.variables])


def test_a_csv_file_has_every_figure(tmp_path):
    history = fit(model_of(), callbacks.CSVLogger(tmp_path / "log.csv"), validation_data=IMAGES)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [0, 1]
    for name in ("d_loss", "mutual_info/c1", "val_g_loss"):
        assert [float(row[name]) for row in rows] == pytest.approx(history[name])


@OF_SEVERAL
def test_tensorboard_has_the_rates_and_the_speed(tmp_path):
    board = callbacks.TensorBoard(tmp_path, write_steps_per_second=True, histogram_freq=1, update_freq=1)
    fit(model_of(), board, validation_data=IMAGES)
    tags = set(EventAccumulator(str(tmp_path / "train")).Reload().Tags()["tensors"])
    wanted = {"epoch_d_loss", "batch_g_loss", "epoch_steps_per_second"}
    assert wanted | {f"epoch_learning_rate_{player}_optimizer" for player in "dg"} <= tags
    evaluated = EventAccumulator(str(tmp_path / "validation")).Reload()
    assert "epoch_d_loss" in evaluated.Tags()["tensors"]
    assert [event.step for event in evaluated.Tensors("evaluation_d_loss_vs_iterations")] == [2, 4]


def test_the_others_are_called_as_ever(capsys):
    called, own = [], callbacks.History()
    used = [callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: called.append(logs["g_loss"])), own]
    model_of().fit(IMAGES, batch_size=4, epochs=2, verbose=1, callbacks=[*used, callbacks.ProgbarLogger()])
    assert called == own.history["g_loss"]
    assert "g_loss" in capsys.readouterr().out
    model = model_of()
    used = callbacks.CallbackList([callbacks.LambdaCallback(on_train_end=lambda logs: called.append("end"))])
    model.fit(IMAGES, batch_size=4, verbose=0, callbacks=used)
    assert called[-1] == "end"


# === What is refused ===

SCHEDULE = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)
REFUSED = {
    "no loss of all": (lambda: callbacks.EarlyStopping(), r"EarlyStopping\(monitor=...\): expected one of d_loss, "),
    "no loss to save by": (
        lambda: callbacks.ModelCheckpoint("best.keras", save_best_only=True), r"ModelCheckpoint\(.*'val_loss'$"),
    "no validation": (
        lambda: callbacks.ReduceLROnPlateau("val_d_loss", mode="min"), "expected validation_data as well. "),
    "no direction": (lambda: callbacks.EarlyStopping("d_loss"), "expected mode='min' or mode='max' as well, "),
    "an .h5": (lambda: callbacks.ModelCheckpoint("model.h5"), "filepath: expected a name that ends in .keras, "),
    "no averages": (lambda: callbacks.SwapEMAWeights(), "SwapEMAWeights: expected an optimizer with use_ema=True; "),
    "a schedule": (
        lambda: callbacks.LearningRateScheduler(lambda epoch: 0.1), "numbers, .*ExponentialDecay in g_optimizer$"),
    "a schedule on a plateau": (
        lambda: callbacks.ReduceLROnPlateau("d_loss", mode="min"), "numbers, .*ExponentialDecay in g_optimizer$"),
}  # fmt: skip


@OF_SEVERAL
@pytest.mark.parametrize("name", REFUSED)
def test_what_would_wait_in_vain_is_refused_before_the_first_step(name):
    make, words = REFUSED[name]
    model = model_of(adam(), adam(SCHEDULE if "a schedule" in name else 1e-3))
    with pytest.raises(ValueError, match=words) as refused:
        fit(model, make())
    assert "\n" not in str(refused.value)
    assert int(model.step) == 0


@pytest.mark.parametrize("kind", ["LearningRateScheduler", "ReduceLROnPlateau", "SwapEMAWeights"])
def test_an_older_keras_knows_no_several_optimizers(kind, monkeypatch):
    monkeypatch.setattr(ours, "KNOW_SEVERAL", False)
    made = getattr(callbacks, kind)(**{"schedule": lambda epoch: 0.1} if kind == "LearningRateScheduler" else {})
    with pytest.raises(
        ValueError, match=rf"{kind}: expected Keras 3.15 or newer, .*model.d_optimizer.learning_rate\. "
    ):
        fit(model_of(), made)


def test_a_subclass_is_left_as_it_is():
    class OfItsOwn(callbacks.EarlyStopping):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = float(epoch)
            super().on_epoch_end(epoch, logs)

    model = model_of()
    history = fit(model, OfItsOwn(patience=1), epochs=9)
    assert history["val_loss"] == [0.0, 1.0]
    assert prepared(OfItsOwn(), model, False)[0].monitor == "val_loss"
