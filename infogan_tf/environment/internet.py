"""Whether a server can be reached, and a file's download within a bounded time."""

import http.client
import queue
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from infogan_tf.errors import first_line
from infogan_tf.files import whole_file

_PIECE = 2**16  # bytes


def reachable(url: str, timeout: float = 5.0) -> bool:
    """Returns whether a web server answers at `url` within about `timeout` seconds; an error page counts too."""
    answers = []

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout)
        except urllib.error.HTTPError:
            pass
        except (OSError, http.client.HTTPException):  # the second: what answers does not speak HTTP
            return
        answers.append(True)

    # In a thread, because the timeout does not cover the look-up of the host's name.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout + 1.0)
    return bool(answers)


def fetch(url: str, target: Path, title: str, most_bytes: int, seconds: float) -> None:
    """Downloads a file, whole or not at all, with a progress bar.

    Args:
        url: Where it is; redirections are followed.
        target: Where it is written, in an existing folder.
        title: What the bar is called.
        most_bytes: A larger file is refused, by what the server says of it or as soon as it turns out.
        seconds: After so long the attempt is given up, whatever it waits for: a name, an answer, or the last byte.

    Raises:
        OSError: Where it could not be had, or not in time, or not be written; its message says why.
    """
    deadline = time.monotonic() + seconds
    pieces, given_up = queue.Queue(maxsize=64), threading.Event()
    # In a thread, which may be left behind: no timeout covers the look-up of a name, or a server that trickles.
    arguments = (url, most_bytes, seconds, pieces, given_up)
    threading.Thread(target=_read_pieces, args=arguments, daemon=True).start()
    try:
        with (
            tqdm(desc=title, unit="B", unit_scale=True, disable=None) as bar,
            whole_file(target) as temporary,
            temporary.open("wb") as file,
        ):
            while piece := _next(pieces, deadline, seconds, bar):
                file.write(piece)
                bar.update(len(piece))
    finally:
        given_up.set()


def _next(pieces, deadline, seconds, bar):
    """The next bytes; none at the end."""
    while True:
        try:
            found = pieces.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError(f"{bar.n / 1e6:.1f} MB came in {seconds:g} s") from None
        if isinstance(found, Exception):
            raise found
        if not isinstance(found, int):
            return found
        bar.total = found


def _read_pieces(url, most_bytes, seconds, pieces, given_up):
    """Puts the file's size, where it is known, its bytes, and b"" at its end; or the error that came between."""

    def put(found):
        while not given_up.is_set():
            try:
                return pieces.put(found, timeout=0.1)
            except queue.Full:
                pass

    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:
            size, count = response.length, 0
            if size is not None:
                _refuse_larger(size, most_bytes)
                put(size)
            while not given_up.is_set() and (piece := response.read1(_PIECE)):
                count += len(piece)
                _refuse_larger(count, most_bytes)
                put(piece)
            if size is not None and count < size:
                raise OSError(f"it broke off after {count:,} of {size:,} bytes")
        put(b"")
    except urllib.error.HTTPError as error:
        put(OSError(f"the server answered {error.code} {error.reason}"))
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)  # urllib's own error wraps that of the network
        put(OSError(first_line(reason)))


def _refuse_larger(size, most_bytes):
    if size > most_bytes:
        raise OSError(f"it is larger than {most_bytes / 1e6:,.0f} MB")
