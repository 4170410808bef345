"""The server's application: what is refused before it is read, what waits for the model, and what does not."""

import contextlib
import functools
import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infogan_tf.explorer.answers import Answer, AtOnce, Response
from infogan_tf.explorer.connections import Connection, Full, Limits, Room

# So much of an answer is handed over at a time.
PIECE = 2**16
# A body that is too large is read to its end, and thrown away, where it has no more bytes: the connection goes on.
MOST_DISCARDED = 64 * 2**20
_CLOSE = {"Connection": "close"}


def application(answer: Answer, at_once: AtOnce, host: str, limits: Limits) -> Starlette:
    """The application.

    Args:
        answer: Answers what has to be worked on, in threads, `limits.at_once` at the most.
        at_once: Answers what needs neither work nor a body, in threads of its own; what it leaves goes to `answer`.
        host: The address that is listened on, which a Host header may name.
        limits: How much clients may ask.
    """
    bodies, answers, turns = Room(limits.bodies_bytes), Room(limits.answers_bytes), CapacityLimiter(limits.at_once)
    crowd = set()  # connections whose requests are worked on, or wait for it

    async def endpoint(request: Request) -> StarletteResponse:
        _refuse_strangers(request, host)
        _refuse_length(request, limits.body_bytes)
        asked = "GET" if request.method == "HEAD" else request.method, request.scope["raw_path"].decode()
        found = await to_thread.run_sync(_worked, at_once, *asked)
        if found is None:
            refuse_crowd()
            with bodies.holding(request.state.connection):
                work = functools.partial(_worked, answer, *asked, await _body(request, bodies))
                with asking(request.state.connection):
                    found = await _unless_gone(request, work, turns)
        return _Answer(found, answers)

    @contextlib.contextmanager
    def asking(connection: Connection) -> Iterator[None]:
        refuse_crowd()  # of those too whose bodies came meanwhile
        crowd.add(connection)
        try:
            yield
        finally:
            crowd.discard(connection)

    def refuse_crowd() -> None:
        if len(crowd) >= limits.waiting + limits.at_once:
            raise HTTPException(503, f"Expected at most {limits.waiting} requests that wait; try again later")

    # Not in threads, as all three are asynchronous.
    async def refuse(request: Request, error: HTTPException) -> StarletteResponse:
        return _Answer(Response.error(error.status_code, error.detail), answers, error.headers)

    async def no_room(request: Request, error: Full) -> StarletteResponse:
        return await refuse(request, HTTPException(503, "There is no room for so much at once; try again later"))

    async def gone(request: Request, error: ClientDisconnect) -> StarletteResponse:
        return StarletteResponse()

    return Starlette(
        routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])],
        exception_handlers={HTTPException: refuse, Full: no_room, ClientDisconnect: gone},
    )


class _Answer(StarletteResponse):
    """An answer that is sent piece by piece, as the client takes it, and counted among those that are held."""

    def __init__(self, response: Response, room: Room, headers: Mapping[str, str] | None = None):
        own = {"Content-Type": response.content_type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        super().__init__(response.body, response.status, {**own, **response.headers, **(headers or {})})
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection, left = scope["state"]["connection"], memoryview(self.body)
        with self._room.holding(connection):
            self._room.take(connection, len(left))
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            more = True
            while more:
                piece, left = left[:PIECE], left[PIECE:]
                more = len(left) > 0
                await send({"type": "http.response.body", "body": piece, "more_body": more})


async def _body(request: Request, room: Room) -> bytes:
    """The body, for which room is taken as it comes, and kept once all of it is there."""
    body, connection = bytearray(), request.state.connection
    async for piece in request.stream():
        room.take(connection, len(piece))
        body += piece
    room.keep(connection)
    return bytes(body)


def _worked(answer, *asked):
    try:
        return answer(*asked)
    except Exception as error:
        return Response.error(500, f"{type(error).__name__}: {error}")


async def _unless_gone(request: Request, work: Callable[[], Response], turns: CapacityLimiter) -> Response:
    """What `work` gives in a thread when its turn comes; where the client goes before, it is not begun."""
    found = None

    async def wait_for_the_end():
        while (await request.receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(wait_for_the_end)
        found = await to_thread.run_sync(work, limiter=turns)
        group.cancel_scope.cancel()
    if found is None:
        raise ClientDisconnect
    return found


# === What headers alone decide ===


def _refuse_strangers(request: Request, host: str) -> None:
    """Refuses a Host that a page elsewhere could have made a name of this machine, and what such a page sends."""
    given = request.headers.get("Host", "")
    try:
        name = urlsplit(f"//{given}").hostname or ""
    except ValueError:
        name = ""
    if not _is_ours(name, host):
        raise HTTPException(403, f"Host: expected localhost, or an address. Received: {given!r}")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{given}":
        raise HTTPException(403, f"Origin: expected none, or http://{given}. Received: {origin!r}")


def _is_ours(name: str, host: str) -> bool:
    """Whether a Host header may have this name. A page elsewhere cannot make an address its name."""
    if name.lower() in ("localhost", host.lower(), socket.gethostname().lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refuse_length(request: Request, most: int) -> None:
    """Refuses a body that has no length, is too long, or does not go with its method; nothing of it was read yet."""
    length = request.headers.get("Content-Length")
    if "Transfer-Encoding" in request.headers:
        received = "Transfer-Encoding" if length is None else "Transfer-Encoding and Content-Length"
        raise HTTPException(411, f"Content-Length: expected it alone. Received: {received}", _CLOSE)
    if request.method != "POST":
        if length is not None and int(length) > 0:
            raise HTTPException(400, f"Body: expected none with {request.method}. Received: {length} bytes", _CLOSE)
    elif length is None:
        raise HTTPException(411, "Content-Length: expected a number of bytes. Received none", _CLOSE)
    elif int(length) > most:
        close = _CLOSE if int(length) > MOST_DISCARDED else {}
        raise HTTPException(413, f"Body: expected at most {most:,} bytes. Received: {int(length):,}", close)
