"""A whole run: what it writes, and that it survives a kill."""

import json
import os
import shlex
import shutil
import signal
import sys
import threading

import numpy as np
import pytest
from conftest import MAIN, TINY, assert_same, logged, run_here, start, wait_for, weights

from infogan_tf.pictures import read_png
from infogan_tf.runs.metrics_file import read_lines
from infogan_tf.training.stopping import SaveCheckpoints, StopOnBrokenLoss

CODES = ("c1", "c2", "c3", "c4")


def test_the_folder_is_as_documented(tiny_run):
    run = tiny_run[0]
    expected = {"config.json", "checkpoints", "tensorboard", "samples", "metrics.jsonl", "export"}
    assert {path.name for path in run.iterdir()} == expected
    names = {f"{what}_{step:08d}.png" for what in ("samples", *CODES) for step in (2, 4)}
    assert {path.name for path in (run / "samples").iterdir()} == names | {"training.gif"}
    assert [path.name for path in sorted((run / "checkpoints").iterdir())] == [f"step_0000000{i}.npz" for i in (2, 4)]
    assert not list(run.rglob(".*"))


def test_config_file_holds_options_versions_and_command(tiny_run):
    record = json.loads((tiny_run[0] / "config.json").read_text())
    assert record["config"]["steps"] == 4
    assert record["config"]["precision"] == "float32"
    assert record["image_shape"] == [16, 16, 1]
    assert ["--batch_size=8" in command for command in record["commands"]] == [True]
    assert record["versions"]["tensorflow"].startswith("2.")
    assert "run_dir" not in record["config"]


def test_metrics_file_has_a_line_per_epoch(tiny_run):
    lines = read_lines(tiny_run[0] / "metrics.jsonl")
    assert [(line["step"], line["epoch"]) for line in lines] == [(2, 1), (4, 2)]
    figures = {"d_loss", "g_loss", "q_loss", "mutual_info", "prob_real", "prob_fake_before", "prob_fake_after"}
    figures |= {f"mutual_info/{name}" for name in CODES}
    assert set(lines[0]) == figures | {"step", "epoch", "seconds", "images_per_second", "c1_error"}
    # It is computed at every tenth step: of the second epoch there is none.
    assert set(lines[1]) == set(lines[0]) - {"prob_fake_after"}
    assert all(np.isfinite(value) for line in lines for value in line.values())


def test_summary_on_the_console(tiny_run):
    printed = tiny_run[1]
    for part in ("4 steps", "images/s", "c1_error", "2.3026", "1.4189", "tensorboard --logdir run", "--mode=sample",
                 "--mode=explore", "tensorflow/serving", "export/infogan"):  # fmt: skip
        assert part in printed
    assert "Precision float32 (as asked for)" in printed


def test_event_files_hold_scalars_by_global_step_images_and_options(tiny_run):
    scalars, images, text = read_events(tiny_run[0] / "tensorboard")
    assert scalars["epoch/d_loss"] == [2, 4]
    assert scalars["epoch/c1_error"] == [2, 4]
    for name in ("samples", *CODES):
        assert images[name] == [2, 4]
    assert images["real_images"] == [0]
    assert "|batch_size|8|" in text["config"]
    assert any("hparams" in tag for tag in text)


def read_events(folder):
    """Steps of scalars and images by tag, and texts, of all event files in a folder."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util import tensor_util

    scalars, images, text = {}, {}, {}
    for path in sorted(folder.iterdir()):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                if plugin == "images":
                    images.setdefault(value.tag, []).append(event.step)
                elif plugin == "text":
                    text[value.tag] = tensor_util.make_ndarray(value.tensor).item().decode()
                elif plugin == "hparams":
                    text[value.tag] = ""
                else:
                    scalars.setdefault(value.tag, []).append(event.step)
    return scalars, images, text


def test_the_curves_are_means_of_the_steps_between_two_points(tmp_path):
    import keras
    from conftest import make_model

    from infogan_tf.training.watching import TensorBoard

    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["g_loss"] * (batch + 1))

    model = make_model(run_eagerly=True)
    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 1), dtype=np.uint8)
    model.fit(images, batch_size=4, verbose=0, callbacks=[Watch(), TensorBoard(tmp_path, {}, every=3)])
    each = np.diff([0.0, *seen])
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    events = EventAccumulator(str(tmp_path)).Reload()
    points = {e.step: tensor_util.make_ndarray(e.tensor_proto).item() for e in events.Tensors("train/g_loss")}
    assert points == pytest.approx({3: each[:3].mean(), 6: each[3:].mean()}, rel=1e-4)
    rates = {e.step: tensor_util.make_ndarray(e.tensor_proto).item() for e in events.Tensors("learning_rate/g")}
    assert rates == pytest.approx({3: 1e-3, 6: 1e-3})


def test_the_first_point_after_a_resumption_is_of_the_steps_since(tmp_path):
    from conftest import make_model
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    from infogan_tf.runs.checkpoints import Checkpoints
    from infogan_tf.training.stopping import SaveCheckpoints
    from infogan_tf.training.watching import TensorBoard

    model, images = make_model(run_eagerly=True), np.random.default_rng(0).integers(0, 256, (24, 8, 8, 1), np.uint8)
    used = [TensorBoard(tmp_path, {}, every=6), SaveCheckpoints(Checkpoints(tmp_path / "saved"), 100, epoch_steps=6)]
    totals = [
        model.fit(part, batch_size=4, verbose=0, callbacks=used).history["g_loss"][0] * steps
        for part, steps in ((images[:16], 4), (images[16:], 6))
    ]
    events = EventAccumulator(str(tmp_path)).Reload()
    (point,) = (tensor_util.make_ndarray(e.tensor_proto).item() for e in events.Tensors("train/g_loss"))
    assert point == pytest.approx((totals[1] - totals[0]) / 2, rel=1e-4)


def test_pictures_are_real_grids(tiny_run):
    picture = read_png(tiny_run[0] / "samples" / "c1_00000004.png")
    assert picture.shape == (10 * 17 + 1, 10 * 17 + 1, 1)
    assert picture.std() > 0


def test_a_default_run_goes_under_runs(tmp_path):
    run_here(*TINY, "--steps=1", cwd=tmp_path, exporting=False)
    (run,) = (tmp_path / "runs" / "digits").iterdir()
    assert (run / "export" / "infogan" / "1").exists()


# Epochs of 6 steps, checkpoints every 4: a kill may fall inside an epoch, or after its end and before a checkpoint.
LONG = ("--steps=20", "--eval_every=6", "--checkpoint_every=4", "--batch_size=8", "--precision=float32",
        "--evaluation=none")  # fmt: skip


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    run_here(*LONG, "--run_dir=run", cwd=folder, exporting=False)
    return folder / "run"


def assert_same_run(run, uninterrupted):
    assert_same(weights(run, 20), weights(uninterrupted, 20))
    assert [line["step"] for line in logged(run)] == [6, 12, 18, 20]
    assert logged(run) == logged(uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize("after_step", [4, 12])
def test_a_killed_run_resumes_to_the_same_result(tmp_path, uninterrupted, after_step):
    process = start(tmp_path, *LONG)
    wait_for(tmp_path / "run" / "checkpoints" / f"step_{after_step:08d}.npz", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    done = run_here("--resume", "--run_dir=run", "--evaluation=none", cwd=tmp_path, exporting=False)
    assert "Going on at step" in done.stdout
    assert_same_run(tmp_path / "run", uninterrupted)
    assert not list((tmp_path / "run").rglob("*.partial"))


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_starts_anew(tmp_path, uninterrupted):
    process = start(tmp_path, *LONG)
    wait_for(tmp_path / "run" / "config.json", process)
    process.kill()
    process.wait()
    (tmp_path / "run" / "export" / ".infogan.99999.partial").mkdir(parents=True)
    done = run_here("--resume", "--run_dir=run", "--evaluation=none", cwd=tmp_path, exporting=False)
    assert "Going on at step 0: there is no checkpoint yet" in done.stdout
    assert_same_run(tmp_path / "run", uninterrupted)


@pytest.mark.slow
def test_signals_save_say_how_to_resume_and_stop(tmp_path, uninterrupted, monkeypatch):
    at = {7: signal.SIGINT, 13: signal.SIGTERM, 16: signal.SIGHUP}
    begin = SaveCheckpoints.on_train_batch_begin

    def raising(self, batch, logs=None):
        begin(self, batch, logs)
        number = at.pop(self.first + batch, None)
        if number:
            signal.raise_signal(number)

    monkeypatch.setattr(SaveCheckpoints, "on_train_batch_begin", raising)
    flags = [*LONG, "--run_dir=run"]
    for step, number in dict(at).items():
        done = run_here(*flags, cwd=tmp_path, check=False)
        assert done.returncode == 128 + number, done.stdout + done.stderr
        assert f"Stopped by {number.name} at step {step}; saved run/checkpoints/step_{step:08d}.npz" in done.stderr
        flags = shlex.split(done.stderr.split("To go on: ")[1])[2:]
        assert flags == ["--resume", "--run_dir=run", "--evaluation=none"]
        assert not (tmp_path / "run" / "export").exists()
    run_here(*flags, cwd=tmp_path, exporting=False)
    assert_same_run(tmp_path / "run", uninterrupted)


def test_a_signal_that_is_ignored_stays_so(tmp_path, uninterrupted, monkeypatch):
    """As under nohup; and a training outside of the main thread, where Python hears no signals, trains."""
    begin = SaveCheckpoints.on_train_batch_begin

    def raising(self, batch, logs=None):
        begin(self, batch, logs)
        signal.raise_signal(signal.SIGHUP)

    monkeypatch.setattr(SaveCheckpoints, "on_train_batch_begin", raising)
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        thread = threading.Thread(
            target=run_here, args=(*LONG, "--run_dir=run"), kwargs={"cwd": tmp_path, "exporting": False}
        )
        thread.start()
        thread.join()
    finally:
        signal.signal(signal.SIGHUP, previous)
    assert_same_run(tmp_path / "run", uninterrupted)


@pytest.mark.parametrize("output", ["reader gone", "closed", "full disk"])
def test_output_that_nobody_reads_stops_no_training(tmp_path, output):
    reading, writing = os.pipe()
    os.close(reading)
    if output == "full disk":
        os.close(writing)
        writing = os.open("/dev/full", os.O_WRONLY)
    with os.fdopen(writing, "w") as stream:
        if output == "closed":
            os.close(writing)
        run_here(*TINY, "--run_dir=run", cwd=tmp_path, exporting=False, stdout=stream)
    assert [line["step"] for line in read_lines(tmp_path / "run" / "metrics.jsonl")] == [2, 4]
    assert (tmp_path / "run" / "export" / "infogan" / "1").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_gets_a_signal_saves_says_how_to_resume_and_stops(tmp_path, uninterrupted, number):
    process = start(tmp_path, *LONG)
    wait_for(tmp_path / "run" / "checkpoints" / "step_00000004.npz", process)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=900)
    assert process.returncode == 128 + number
    assert f"Stopped by {number.name} at step" in printed
    assert "Traceback" not in printed
    command = printed.split("To go on: ")[1].strip()
    assert "--resume --run_dir=run --evaluation=none" in command
    assert not (tmp_path / "run" / "export").exists()
    assert shlex.split(command)[:2] == [sys.executable, str(MAIN)]
    run_here(*shlex.split(command)[2:], cwd=tmp_path, exporting=False)
    assert_same_run(tmp_path / "run", uninterrupted)


def test_a_damaged_newest_checkpoint_is_skipped_and_the_result_is_the_same(tmp_path, uninterrupted):
    run = tmp_path / "run"
    shutil.copytree(uninterrupted, run)
    newest = run / "checkpoints" / "step_00000020.npz"
    newest.write_bytes(newest.read_bytes()[:-1000])
    done = run_here("--resume", "--run_dir=run", "--evaluation=none", cwd=tmp_path, exporting=False)
    assert f"Checkpoint {newest.relative_to(tmp_path)} is passed over" in done.stdout
    assert "Going on at step 18" in done.stdout
    assert_same_run(run, uninterrupted)
    assert sorted(path.name for path in (run / "export" / "infogan").iterdir()) == ["1", "2"]


def test_a_finished_run_can_be_made_longer(tmp_path, tiny_run):
    run = tmp_path / "run"
    shutil.copytree(tiny_run[0], run)
    done = run_here("--resume", "--run_dir=run", cwd=tmp_path)
    assert "Nothing to do" in done.stdout
    # An evaluation that is asked for is made, once.
    for told in ("Evaluating step 4 (quick)", "Nothing to do"):
        done = run_here("--resume", "--run_dir=run", "--evaluation=quick", cwd=tmp_path, exporting=False)
        assert told in done.stdout
    assert json.loads((run / "evaluation.json").read_text())["step"] == 4
    shutil.rmtree(run / "export" / "infogan" / "2")
    # A kill between the last checkpoint and its export: the newest export is of other weights.
    metadata = run / "export" / "infogan" / "1" / "assets.extra" / "metadata.json"
    record = json.loads(metadata.read_text())
    assert len(record["weights"]) == 64
    metadata.write_text(json.dumps(record | {"weights": "0" * 64}))
    run_here("--resume", "--run_dir=run", "--evaluation=none", cwd=tmp_path, exporting=False)
    assert sorted(path.name for path in (run / "export" / "infogan").iterdir()) == ["1", "2"]
    run_here("--resume", "--run_dir=run", "--evaluation=none", "--steps=5", cwd=tmp_path, exporting=False)
    run_here(*TINY, "--steps=5", "--run_dir=whole", cwd=tmp_path, exporting=False)
    assert_same(weights(run, 5), weights(tmp_path / "whole", 5))
    scalars, _, _ = read_events(run / "tensorboard")
    assert scalars["epoch/d_loss"] == [2, 4, 5]
    record = json.loads((run / "config.json").read_text())
    assert record["config"]["steps"] == 5
    last_flags = [command.split()[-1] for command in record["commands"]]
    assert last_flags == [
        "--run_dir=run", "--run_dir=run", "--evaluation=quick", "--evaluation=quick", "--evaluation=none", "--steps=5",
    ]  # fmt: skip


# Found by its loss, or, where nobody has looked at it yet, by the weights that are not worth a checkpoint.
@pytest.mark.parametrize(("every", "reason"), [(1, "d_loss is nan"), (10, "kernel is not finite")])
def test_a_broken_loss_stops_the_run_and_names_the_last_good_checkpoint(tmp_path, every, reason):
    import keras
    from conftest import make_model

    from infogan_tf.errors import RunStopped
    from infogan_tf.runs.checkpoints import Checkpoints

    class Break(keras.callbacks.Callback):
        """Breaks a weight of D after the third step, so that the fourth computes NaN."""

        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                self.model.d_head.trainable_variables[1].assign([np.nan])

    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 1), dtype=np.uint8)
    checkpoints = Checkpoints(tmp_path)
    used = [StopOnBrokenLoss(checkpoints, every), SaveCheckpoints(checkpoints, every=2, epoch_steps=6), Break()]
    expected = rf"step 4: .*{reason}; the last good checkpoint is .*step_00000002.npz"
    with pytest.raises(RunStopped, match=expected) as info:
        make_model(run_eagerly=True).fit(images, batch_size=4, verbose=0, callbacks=used)
    assert info.value.exit_code == 1
    assert len(checkpoints.paths()) == 1


def test_a_broken_run_exits_with_1_and_without_traceback(tmp_path):
    # A posterior this narrow gives every code a density of 0.
    done = run_here(*TINY, "--posterior_stddev=1e-30", "--run_dir=run", cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Stopped at step 1: g_loss is nan; there is no checkpoint yet" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "export").exists()


def test_a_run_without_enough_memory_ends_in_one_line(tmp_path, monkeypatch):
    import tensorflow as tf

    from infogan_tf.devices import within_memory

    def of_tensorflow(*_):
        tf.function(lambda: tf.reduce_sum(tf.random.uniform([2**44])))()

    def of_numpy(*_):
        np.empty(2**46)

    for i, fit in enumerate((of_tensorflow, of_numpy)):
        monkeypatch.setattr("infogan_tf.commands.train.fit", fit)
        done = run_here(*TINY, f"--run_dir=run{i}", cwd=tmp_path, check=False)
        assert done.returncode == 1
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("Stopped: out of memory (")
        for option in ("--batch_size", "--width", "--image_size"):
            assert option in line
    # To TensorFlow a full disk is the same error.
    full = tf.errors.ResourceExhaustedError(None, None, "events; No space left on device")
    with pytest.raises(tf.errors.ResourceExhaustedError), within_memory():
        raise full


def test_a_data_set_by_name_trains(tmp_path):
    flags = ("--steps=2", "--batch_size=8", "--evaluation=none", "--run_dir=run")
    done = run_here("--dataset=sprites", *flags, cwd=tmp_path, exporting=False)
    assert "Done: 2 steps" in done.stdout
    assert read_lines(tmp_path / "run" / "metrics.jsonl")[-1]["c1_error"] < 1.0
