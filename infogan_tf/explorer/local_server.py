"""A small HTTP server for localhost, in a thread of its own: an `application` on uvicorn."""

import asyncio
import errno
import functools
import ipaddress
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from infogan_tf.errors import UserError
from infogan_tf.explorer.answers import Answer, AtOnce
from infogan_tf.explorer.application import application
from infogan_tf.explorer.connections import Connection, Limits

# Of a request line and headers.
HEADERS_BYTES = 2**15
# How long what is being answered may take to end when the server does.
LAST_SECONDS = 1
# The addresses that stand for all of a machine's.
EVERYWHERE = ("0.0.0.0", "::")
DEFAULT = Limits()
MAX_BODY = DEFAULT.body_bytes


@contextmanager
def serving(
    answer: Answer,
    host: str = "127.0.0.1",
    port: int = 0,
    at_once: AtOnce = lambda method, path: None,
    limits: Limits = DEFAULT,
) -> Iterator[str]:
    """Answers requests from threads of its own while the context lasts; gives the address, http://HOST:PORT.

    A request whose Host header is a name other than `host`, localhost or this machine's is refused (403): a page
    elsewhere could make a name of its own point here (DNS rebinding). So is what another site's page sends, and what
    goes beyond `limits`, before its body is read.

    Args:
        answer: Answers a request; it is called from several threads at once, `limits.at_once` at the most.
        host: The address to listen on.
        port: The port to listen on; 0 takes any that is free.
        at_once: Answers a request that needs neither its body nor work, and so waits for no other; None for others.
        limits: How much clients may ask.

    Raises:
        UserError: Where it cannot listen on `host`.
        OSError: With errno.EADDRINUSE, where the port is taken.
    """
    with _listening(host, port) as listener:
        server = _Server(
            uvicorn.Config(
                application(answer, at_once, host, limits),
                http=functools.partial(Connection, limits=limits),
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                # Silent: the terminal is for what the user has to know.
                log_config=None,
                log_level=logging.CRITICAL + 1,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=limits.receive_seconds,
                timeout_graceful_shutdown=LAST_SECONDS,
                h11_max_incomplete_event_size=HEADERS_BYTES,
            )
        )
        # A daemon, as are the threads that it starts: the program need not wait for what a model still computes.
        thread = threading.Thread(target=server.run, args=([listener],), name="explorer", daemon=True)
        thread.start()
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(3 * LAST_SECONDS)


class _Server(uvicorn.Server):
    async def startup(self, sockets=None):
        """Keeps what goes wrong with a connection from the terminal too."""
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        await super().startup(sockets)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that clients can connect to."""
    check_host(host)
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if os.name == "posix":  # elsewhere it would let others listen at the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise
        raise UserError(
            f"--host, --port: expected an address of this machine and a port that may be listened on ({error}). "
            f"Received: {host!r}, {port}"
        ) from error
    return listener


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
