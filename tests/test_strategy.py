"""Several devices, several machines: the same training, bit for bit in step, and clear words where it cannot be."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import MAIN, NO_EXPORT, logged, run_here, small_model, wait_for

from infogan_tf.commands.train import check_against
from infogan_tf.config.options import Config
from infogan_tf.data import load_data
from infogan_tf.devices import await_workers, choose_strategy, read_tf_config
from infogan_tf.errors import UserError

REPLICAS = Path(__file__).with_name("replicas.py")
TINY = ("--steps=12", "--batch_size=16", "--eval_every=4", "--checkpoint_every=4", "--precision=float32",
        "--latents=noise:6,cat:10,uniform:2", "--average_decay=0.9", "--evaluation=none", "--run_dir=run")  # fmt: skip


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def tf_config(ports, index):
    workers = [f"127.0.0.1:{port}" for port in ports]
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


def replicas(*arguments, cwd, timeout=900):
    return subprocess.run(
        [sys.executable, str(REPLICAS), *arguments], cwd=cwd, capture_output=True, text=True, timeout=timeout
    )


@pytest.mark.slow
def test_two_replicas_train_as_one_device_does(tmp_path):
    done = replicas("compare", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    # Small steps: with large ones rounding decides on which side of a rectifier's kink an activation falls, and two
    # kernels on one device come apart as far as two devices do.
    assert found["moved"] > 1e-3
    assert max(found["difference"]) < 1e-4
    assert found["difference"][0] < 1e-5
    assert found["statistics"] < 1e-3
    assert found["out_of_sync"] == []
    assert found["steps_per_execution"]
    assert found["train_on_batch"] < 1e-4
    assert found["averages_off_by"] < 1e-5
    assert found["moved_by_overflow"] == []
    assert found["scales"][1] == found["scales"][0] / 2


@pytest.mark.slow
def test_two_replicas_stand_still_and_keep_a_balance_as_one_device_does(tmp_path):
    done = replicas("relatives", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == 10
    for name, each in found.items():
        _, still, dtype = name.split(" ")
        assert each["still"] == ([still] if still else []), name
        assert each["out_of_sync"] == [], name
        assert each["difference"] < (1e-4 if dtype == "float32" else 1e-2), name
        assert each["kept"] == pytest.approx(1.0, rel=1e-3), name


@pytest.mark.slow
def test_a_run_on_two_devices(tmp_path):
    done = replicas("main", "--strategy=mirrored", *TINY, "--steps=52", "--eval_every=26", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 replicas share every batch of 16 images" in done.stdout
    assert (tmp_path / "run" / "export" / "infogan" / "1" / "saved_model.pb").exists()
    assert [line["step"] for line in logged(tmp_path / "run")] == [26, 52]


NOT_FOR_TWO = [
    ({"batch_size": 17}, "--batch_size: expected a multiple of 2 replicas, 2 or more each. Received: 17"),
    ({"batch_size": 2}, "--batch_size: expected a multiple of 2 replicas, 2 or more each. Received: 2"),
    ({"jit_compile": "true"}, "--jit_compile: expected false with several replicas, here 2. Received: true"),
]


@pytest.mark.parametrize(("options", "message"), NOT_FOR_TWO)
def test_what_two_devices_cannot_do_is_refused(options, message):
    data = load_data("digits")
    check_against(Config(), data, replicas=2)
    with pytest.raises(UserError, match=re.escape(message)):
        check_against(Config(**options), data, replicas=2)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("fit", {"batch_size": 4}),
        ("fit", {"batch_size": 3}),
        ("fit", {"validation_split": 0.2}),
        ("evaluate", {"batch_size": 8}),
        ("train_on_batch", {}),
    ],
)
def test_arrays_that_two_replicas_cannot_share_equally_are_refused(method, arguments):
    model = small_model()
    model._distribute_strategy = SimpleNamespace(num_replicas_in_sync=2)
    with pytest.raises(ValueError, match=r"^images: expected a multiple of 2 replicas in every batch. Received: "):
        getattr(model, method)(np.zeros((9, 8, 8, 1), np.uint8), **arguments)
    with pytest.raises(ValueError, match=r"Received: 3, with batches of 32 one of 3$"):
        model.fit(np.zeros((8, 8, 8, 1), np.uint8), validation_data=np.zeros((3, 8, 8, 1), np.uint8))


@pytest.mark.slow
def test_a_program_on_two_devices_refuses_it_before_anything_is_written(tmp_path):
    done = replicas("main", "--strategy=mirrored", *TINY, "--batch_size=17", cwd=tmp_path)
    assert (done.returncode, NOT_FOR_TWO[0][1] in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "run").exists()


def test_devices_that_the_machine_does_not_have_are_refused(tmp_path):
    done = run_here("--strategy=mirrored", *TINY, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--strategy=mirrored: expected at least two GPUs. Received: a machine with 0" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1", "b:2"]}}',
        '{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a", "b:2"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1", "b:99999"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": "0"}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:2"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "evaluator", "index": 0}}',
    ],
)
def test_a_malformed_tf_config_is_refused(text):
    with pytest.raises(UserError, match="TF_CONFIG: expected") as caught:
        choose_strategy("multiworker", {"TF_CONFIG": text})
    assert repr(text) in str(caught.value)


def test_a_whole_tf_config_is_read():
    assert read_tf_config(tf_config([1, 2, 3], 2)) == (["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"], 2)


def test_workers_meet():
    ports = free_ports(3)
    met, errors = threading.Barrier(3, timeout=900), []

    def wait(index):
        try:
            time.sleep(0.3 * index)
            await_workers([f"127.0.0.1:{port}" for port in ports], index, timeout=900)
            # TensorFlow's own server takes the port over at once.
            with socket.create_server(("127.0.0.1", ports[index])):
                met.wait()
        except UserError as error:
            errors.append(error)
            met.abort()

    threads = [threading.Thread(target=wait, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_worker_that_does_not_answer_is_named():
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    with pytest.raises(UserError, match=f"no answer from {workers[1]} within 1 s"):
        await_workers(workers, 0, timeout=1)


def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        worker = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match=f"cannot listen at {worker}"):
            await_workers([worker, "127.0.0.1:1"], 0, timeout=1)


def start_workers(folder, *flags, other=None, program=NO_EXPORT):
    """Two workers in `folder`, or the second one in `other`; their exports hold no model, but with MAIN."""
    ports = free_ports(2)
    return [
        subprocess.Popen(
            [sys.executable, str(program), *TINY, *flags],
            cwd=other if other and index else folder,
            env=os.environ | {"TF_CONFIG": tf_config(ports, index)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]


def finished(workers):
    """What the workers said, and their exit statuses."""
    said = [worker.communicate(timeout=900) for worker in workers]
    return ["".join(words) for words in said], [worker.returncode for worker in workers]


@pytest.mark.slow
def test_several_workers_make_one_start(tmp_path):
    said, statuses = finished(start_workers(tmp_path, "--recipe=invariant", "--starts=2"))
    assert statuses == [2, 2], said
    assert all("--starts: expected 1 with --strategy=multiworker. Received: 2" in words for words in said)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_two_workers_train_together_and_a_killed_job_goes_on_to_the_same_result(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    said, statuses = finished(start_workers(whole, program=MAIN))
    assert statuses == [0, 0], said
    assert "2 replicas share every batch" in said[0]
    assert (whole / "run" / "export" / "infogan" / "1" / "saved_model.pb").exists()

    workers = start_workers(killed, "--steps=100000", "--keep_checkpoints=1000")
    wait_for(killed / "run" / "checkpoints" / "step_00000004.npz", workers[0])
    workers[1].send_signal(signal.SIGKILL)
    said, statuses = finished(workers)
    assert statuses == [1, -signal.SIGKILL], said
    assert "another worker was lost" in said[0]
    assert "--resume --run_dir=run" in said[0]

    for path in sorted(killed.glob("run/checkpoints/*.npz"))[1:]:
        path.unlink()  # the job may have come further than the other run went
    said, statuses = finished(start_workers(killed, "--resume"))
    assert statuses == [0, 0], said
    assert logged(killed / "run") == logged(whole / "run")

    # A folder that the workers do not share: the second one's is behind.
    shutil.copytree(whole, tmp_path / "behind")
    (tmp_path / "behind" / "run" / "checkpoints" / "step_00000012.npz").unlink()
    said, statuses = finished(start_workers(whole, "--resume", "--steps=16", other=tmp_path / "behind"))
    assert statuses == [2, 2], said
    assert all("--run_dir: expected a folder that all workers see" in words for words in said)
