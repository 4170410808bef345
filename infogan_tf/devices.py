"""The devices and machines that a run uses, and what the workers of a distributed run do together."""

import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping

import tensorflow as tf

from infogan_tf.errors import RunStopped, UserError, first_line

# How long a worker waits for the others to start, in seconds.
PEERS_TIMEOUT = 45.0

# The errors that TensorFlow raises in the other workers when one is lost.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)

EXAMPLE = '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, "task": {"type": "worker", "index": 0}}'


def choose_strategy(name: str, environment: Mapping[str, str] = os.environ) -> tf.distribute.Strategy:
    """Makes a distribution strategy; call it before any other use of TensorFlow.

    Args:
        name: One of "one", TensorFlow's default device alone; "mirrored", all GPUs of this machine (without any, all
            logical CPU devices that the program has set up); "multiworker", every machine that TF_CONFIG lists; "auto",
            multiworker where TF_CONFIG is set, else mirrored where there are two GPUs or more, else one.
        environment: Environment variables to look TF_CONFIG up in; the process's own by default.

    Raises:
        UserError: Where this machine has too few devices, TF_CONFIG is malformed, this worker's port is taken, or the
            other workers do not answer within PEERS_TIMEOUT seconds.
    """
    if name == "auto":
        several = len(tf.config.list_physical_devices("GPU")) > 1
        name = "multiworker" if environment.get("TF_CONFIG") else "mirrored" if several else "one"
    if name == "multiworker":
        workers, index = read_tf_config(environment.get("TF_CONFIG", ""))
        await_workers(workers, index)
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        if len(devices) < 2:
            count = len(tf.config.list_physical_devices("GPU"))
            raise UserError(f"--strategy=mirrored: expected at least two GPUs. Received: a machine with {count}")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def replicas_of(name: str, environment: Mapping[str, str] = os.environ) -> int:
    """How many replicas `choose_strategy` would make; no device is set up, and no other worker asked.

    Raises:
        UserError: Where it would make none.
    """
    gpus = len(tf.config.list_physical_devices("GPU"))
    if name == "multiworker" or (name == "auto" and environment.get("TF_CONFIG")):
        return len(read_tf_config(environment.get("TF_CONFIG", ""))[0]) * max(1, gpus)
    if name == "mirrored" and gpus < 2:
        raise UserError(f"--strategy=mirrored: expected at least two GPUs. Received: a machine with {gpus}")
    return 1 if name == "one" else max(1, gpus)


def leave_gpus() -> None:
    """Keeps this process off the GPUs, whose memory TensorFlow takes whole: the processes that it starts need it."""
    if tf.config.list_physical_devices("GPU"):
        tf.config.set_visible_devices([], "GPU")


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is the one that writes files."""
    resolver = strategy.cluster_resolver
    return resolver is None or resolver.task_type is None or resolver.task_id == 0


def has_workers(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is one of several workers that share the run."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def same_for_all(strategy: tf.distribute.Strategy, value: int) -> bool:
    """Returns whether all workers pass the same `value`, an integer; each of them has to call this."""
    return not has_workers(strategy) or _mean_over_workers(strategy, value) == value


@contextlib.contextmanager
def together(strategy: tf.distribute.Strategy, how_to_go_on: str) -> Iterator[None]:
    """Makes all workers leave this block together, as the others would take the first to end for lost.

    Args:
        strategy: The run's strategy; without workers nothing is done.
        how_to_go_on: End of the error's message, after "To go on".

    Raises:
        RunStopped: Where another worker was lost.
    """
    if not has_workers(strategy):
        yield
        return
    try:
        yield
        _mean_over_workers(strategy, 0)
    except _LOST as error:
        name = type(error).__name__
        raise RunStopped(f"Stopped: another worker was lost ({name}). To go on {how_to_go_on}", 1) from error


@contextlib.contextmanager
def within_memory() -> Iterator[None]:
    """Says in one line that the machine's or a GPU's memory does not suffice, and what needs less of it.

    Raises:
        RunStopped: Where that ended the block.
    """
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        if "No space left" in str(error):  # a full disk is the same to TensorFlow
            raise
        # TensorFlow's text has a page of nodes around it.
        found = re.search(r"OOM when allocating[^\n]*|[^\n]*out of memory[^\n]*", str(error), re.IGNORECASE)
        what = found[0].strip()[:200] if found else first_line(error)
        raise RunStopped(
            f"Stopped: out of memory ({what}). Less is needed with a smaller --batch_size; with --networks=dcgan or "
            "resnet, a smaller --width; of images of one's own, a smaller --image_size.",
            1,
        ) from error


def _mean_over_workers(strategy, value):
    """Returns the mean of all workers' values, once all have called; exact for equal integers below 2**53."""
    own = tf.constant(value, tf.float64)
    return float(tf.function(lambda: strategy.reduce("MEAN", strategy.run(lambda: own), axis=None))())


def read_tf_config(text: str) -> tuple[list[str], int]:
    """Returns the workers' addresses, "host:port" each, and the index of this process among them.

    Args:
        text: Value of TF_CONFIG, such as EXAMPLE.

    Raises:
        UserError: Where the text is no TF_CONFIG, or one with other tasks than workers.
    """
    try:
        config = json.loads(text)
        workers, task = config["cluster"]["worker"], config["task"]
        is_whole = (
            set(config["cluster"]) == {"worker"}
            and task["type"] == "worker"
            and all(host and 0 < port < 2**16 for host, port in map(_host_and_port, workers))
            and len(set(workers)) == len(workers)
            and task["index"] in range(len(workers))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise UserError(f"TF_CONFIG: expected {EXAMPLE}, index below the number of workers. Received: {text!r}")
    return workers, int(task["index"])


def await_workers(workers: list[str], index: int, timeout: float = PEERS_TIMEOUT) -> None:
    """Waits until every worker listens at its address; TensorFlow's own wait for them would last an hour.

    Until all do, this process listens at its own port in TensorFlow's place.

    Args:
        workers: Addresses of all workers, "host:port" each.
        index: Index of this process among them.
        timeout: The longest time to wait, in seconds.

    Raises:
        UserError: Where this worker's port is taken, or another worker does not answer in time.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", _host_and_port(workers[index])[1]))
        except OSError as error:
            raise UserError(f"TF_CONFIG: this worker cannot listen at {workers[index]} ({error})") from error
        listener.listen(len(workers))
        deadline = time.monotonic() + timeout
        missing = [worker for i, worker in enumerate(workers) if i != index]
        while missing := [worker for worker in missing if not _answers(worker)]:
            if time.monotonic() > deadline:
                raise UserError(f"TF_CONFIG: no answer from {', '.join(missing)} within {timeout:.0f} s")
            time.sleep(0.2)


def _answers(worker: str) -> bool:
    try:
        socket.create_connection(_host_and_port(worker), timeout=2.0).close()
    except OSError:
        return False
    return True


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
