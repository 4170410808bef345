"""TF Serving's REST API of a running server, passed on.

The server is not trusted: its whole answer is bounded in time and size, and it sends nobody elsewhere. A socket's own
timeout would begin anew with every byte, and does not cover the search for a name.
"""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable

from infogan_tf.errors import UserError, first_line, printable
from infogan_tf.explorer.answers import Response

# How long a server may take to say that it is there.
FIRST_SECONDS = 5
# And for an answer.
TIMEOUT_SECONDS = 30
# Bytes of an answer. The page asks for some hundreds of PNG files at the most, or for what describes the model.
MAX_ANSWER = 64 * 2**20

_URL = re.compile(
    r"(?P<base>(?P<scheme>https?)://(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<host>[^\s\0-\x1f\x7f/?#@:%\[\]\\]{1,253}))"
    r"(?::(?P<port>[0-9]{1,5}))?)(?:/v1/models/(?P<name>[A-Za-z0-9._~%-]{1,255}))?/?"
)
_PORTS = {"http": 80, "https": 443}


@dataclasses.dataclass(frozen=True)
class Address:
    """Where a server listens, and what its model is called.

    Attributes:
        base: As in http://host:8501.
        scheme: http or https.
        host: A name, or an address without brackets.
        port: From 1 to 65,535.
        name: Of the model.
    """

    base: str
    scheme: str
    host: str
    port: int
    name: str


def read_url(url: str) -> Address:
    """The address that a URL is; whether there is a server is not asked.

    Args:
        url: As in http://host:8501, whose model is `infogan`; another is named as in
            http://host:8501/v1/models/digits.

    Raises:
        UserError: Where it is none.
    """
    if parts := _URL.fullmatch(url):
        port = int(parts["port"] or _PORTS[parts["scheme"]])
        if 0 < port < 2**16:
            host, name = parts["v6"] or parts["host"], parts["name"] or "infogan"
            return Address(parts["base"], parts["scheme"], host, port, name)
    raise UserError(f"--url: expected http://HOST:PORT, or http://HOST:PORT/v1/models/NAME. Received: {url!r}")


class Remote:
    """The model of a running TF Serving; `answer` may be called from many threads at once.

    Args:
        url: The server's address and the model's name, as `read_url` takes them.

    Raises:
        UserError: Where the address is none, does not answer, or has no such model.
    """

    def __init__(self, url: str):
        self._address = read_url(url)
        self.name, self._base = self._address.name, self._address.base
        status = self._ask("GET", f"/v1/models/{self.name}", b"", FIRST_SECONDS)
        if status.status != 200:
            raise UserError(
                f"--url: expected a TF Serving with a model {self.name!r} ({_said(status.body)}). Received: {url!r}"
            )

    def at_once(self, method: str, path: str) -> None:
        """Nothing is answered without asking the server."""

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """What the server answers; an error 502 in TF Serving's form where it does not, or not as it should."""
        return self._ask(method, path, body, TIMEOUT_SECONDS)

    def _ask(self, method, path, body, seconds):
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._address.host, self._address.port, timeout=seconds)
        try:
            status, content = _in_time(seconds, lambda hold: _exchange(connection, hold, method, path, body))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Response.error(502, f"{self._base} does not answer: {printable(first_line(error))}")
        # Others have no body, or are of the connection, or of another place.
        if status != 200 and not 400 <= status < 600:
            said = f"{self._base} does not answer: HTTP status {status}; redirections are not followed"
            return Response.error(502, said)
        return Response(status, content)


def _said(content: bytes) -> str:
    """The message of an error in TF Serving's form, or the beginning of what else was answered."""
    try:
        found = json.loads(content)["error"]
    except (KeyError, RecursionError, TypeError, ValueError):
        found = content[:200].decode(errors="replace")
    return printable(str(found)[:200])


def _in_time(seconds: float, work: Callable):
    """What `work` returns; after so many seconds it is given up, whatever it waits for: a name, a handshake, a byte.

    Args:
        seconds: Until it is given up.
        work: Called in a thread of its own, with a function to be called with the socket that it waits for.

    Raises:
        OSError: A TimeoutError, in time; and what `work` raises.
    """
    future, sockets, given_up = concurrent.futures.Future(), [], threading.Event()

    def hold(sock):
        sockets.append(sock)
        if given_up.is_set():
            raise TimeoutError

    def attempt():
        try:
            future.set_result(work(hold))
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=attempt, daemon=True).start()
    try:
        return future.result(seconds)
    except (concurrent.futures.TimeoutError, TimeoutError):
        given_up.set()
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread
        raise TimeoutError(f"nothing that was whole within {seconds:g} s") from None


def _exchange(connection, hold, method, path, body) -> tuple[int, bytes]:
    """Status and content of the answer to one request."""
    with contextlib.closing(connection):
        connection.connect()
        hold(connection.sock)
        # A server that has seen enough may close while the rest is sent; what it said before is read all the same.
        with contextlib.suppress(BrokenPipeError):
            connection.request(method, path, body or None, {"Content-Type": "application/json"})
        with connection.getresponse() as answer:
            answer.fp, content = _Pieces(answer.fp), bytearray()
            while piece := answer.read(min(2**20, MAX_ANSWER + 1 - len(content))):
                content += piece
                if len(content) > MAX_ANSWER:
                    raise ValueError(f"expected at most {MAX_ANSWER:,} bytes. Received: more")
            if answer.length:
                raise ValueError(f"it broke off after {len(content):,} of {len(content) + answer.length:,} bytes")
    return answer.status, bytes(content)


class _Pieces:
    """A file without a way to read all of it: a chunk that says to have -1 bytes asks for that, without a bound."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def read(self, size):
        if size < 0:
            raise ValueError(f"a part of it says to have {size} bytes")
        return self._file.read(size)
