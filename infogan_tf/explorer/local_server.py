"""A small HTTP server for localhost: one function answers every request."""

import dataclasses
import errno
import ipaddress
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from infogan_tf.errors import UserError

MAX_BODY = 8 * 2**20
# So much of a body that is too large is read and thrown away, that the client may finish and hear why.
MAX_DISCARDED = 8 * MAX_BODY
# So many requests are answered at once; the others wait. It bounds the memory that hostile ones can take.
MAX_AT_ONCE = 4
TIMEOUT_SECONDS = 30
# The addresses that stand for all of a machine's.
EVERYWHERE = ("0.0.0.0", "::")


@dataclasses.dataclass(frozen=True)
class Response:
    """What a request is answered with."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200) -> "Response":
        """A value as JSON; NaN and infinities are written as TF Serving and JavaScript do."""
        return cls(status, json.dumps(value).encode())

    @classmethod
    def error(cls, status: int, message: str) -> "Response":
        """TF Serving's form of an error."""
        return cls.of({"error": message}, status)


# Method (GET or POST), path without its query, body.
Answer = Callable[[str, str, bytes], Response]


@contextmanager
def serving(answer: Answer, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Answers requests from threads of its own while the context lasts; gives the address, http://HOST:PORT.

    A body of more than MAX_BODY bytes is refused (413), and a request whose Host header is a name other than `host`,
    localhost or this machine's (403): a page elsewhere could make a name of its own point here (DNS rebinding). So is
    what another site's page sends.

    Args:
        answer: Answers a request; it is called from several threads at once, MAX_AT_ONCE at the most.
        host: The address to listen on.
        port: The port to listen on; 0 takes any that is free.

    Raises:
        UserError: Where it cannot listen on `host`.
        OSError: With errno.EADDRINUSE, where the port is taken.
    """
    with _Server(answer, host, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def check_host(host: str) -> None:
    """Refuses, by a UserError, an address to listen on that is none, or is all of this machine's under another name.

    "0.0.0.0" and "::" let other machines in, and say so. The system takes an empty name, "0" and "0x0" for them too.
    """
    found, why = [], ""
    try:
        if host and host == host.strip():
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            found = [address[4][0] for address in socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        why = f" ({error})"
    if host not in EVERYWHERE and any(_is_everywhere(address) for address in found):
        found, why = [], " (this one is every address of this machine)"
    if not found:
        raise UserError(
            f"--host: expected an address of this machine such as 127.0.0.1; {' or '.join(EVERYWHERE)} lets others in. "
            f"Received: {host!r}{why}"
        )


def _is_everywhere(address):
    numbers = ipaddress.ip_address(address.partition("%")[0])
    return numbers.is_unspecified or bool(getattr(numbers, "ipv4_mapped", None) and numbers.ipv4_mapped.is_unspecified)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    # Clients that connect at the same moment wait here; the default, 5, turns some of 16 away.
    request_queue_size = 128

    def __init__(self, answer: Answer, host: str, port: int):
        check_host(host)
        self.answer, self.host, self.slots = answer, host, threading.BoundedSemaphore(MAX_AT_ONCE)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise
            raise UserError(
                f"--host, --port: expected an address of this machine and a port that may be listened on ({error}). "
                f"Received: {host!r}, {port}"
            ) from error

    def handle_error(self, request, client_address):
        """A client that went away is no error of ours; `_Handler` answers everything else."""

    def knows(self, name: str) -> bool:
        """Whether a Host header may have this name. A page elsewhere cannot make an address its name."""
        if name.lower() in ("localhost", self.host.lower(), socket.gethostname().lower()):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "infogan_tf", ""
    timeout = TIMEOUT_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1
    error_content_type, error_message_format = "application/json", '{"error": "%(message)s"}'

    def do_GET(self):
        """GET."""
        self._send(self._refusal() or self._answer(b""))

    def do_HEAD(self):
        """HEAD: as GET, without the body."""
        self.do_GET()

    def do_POST(self):
        """POST, with a body of a given length."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(Response.error(411, f"Content-Length: expected a number of bytes. Received: {length!r}"))
            return
        length = int(length)
        if length > MAX_BODY:
            self._discard(length)
            self._send(Response.error(413, f"Body: expected at most {MAX_BODY:,} bytes. Received: {length:,}"))
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        self._send(self._refusal() or self._answer(body))

    def _refusal(self) -> Response | None:
        host = self.headers.get("Host", "")
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            name = ""
        if not self.server.knows(name):
            return Response.error(403, f"Host: expected localhost, or an address. Received: {host!r}")
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{host}":
            return Response.error(403, f"Origin: expected none, or http://{host}. Received: {origin!r}")
        return None

    def _answer(self, body):
        method = "GET" if self.command == "HEAD" else self.command
        with self.server.slots:
            try:
                return self.server.answer(method, urlsplit(self.path).path, body)
            except Exception as error:
                return Response.error(500, f"{type(error).__name__}: {error}")

    def _discard(self, length):
        if length > MAX_DISCARDED:
            self.close_connection = True
        remaining = min(length, MAX_DISCARDED)
        while remaining > 0:
            chunk = self.rfile.read(min(remaining, 2**16))
            if not chunk:
                self.close_connection = True
                return
            remaining -= len(chunk)

    def _send(self, response: Response):
        self.send_response(response.status)
        headers = {
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **response.headers,
        }
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, *_):
        """Silent: the terminal is for what the user has to know."""
