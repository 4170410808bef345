"""Connections with bounds: uvicorn's own, with deadlines, and a room for the bytes that are held for all of them."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Iterator

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# So much is read from a connection at a time.
READ_BYTES = 2**14


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much clients may ask of the server.

    Attributes:
        receive_seconds: In which a request has to arrive whole, headers and body; also how long a connection may idle.
        send_seconds: In which an answer has to be taken whole, once it fills the client's buffer.
        connections: At most open at once. Where one more comes, the one is closed whose client
            has been waited for longest.
        body_bytes: Of the body of a request.
        bodies_bytes: Of all bodies that are held at once.
        answers_bytes: Of all answers that are held at once.
        at_once: Requests that the model works on at once.
        waiting: Requests that wait for it, or for their turn with it.
    """

    receive_seconds: float = 30.0
    send_seconds: float = 30.0
    connections: int = 200
    body_bytes: int = 8 * 2**20
    bodies_bytes: int = 64 * 2**20
    answers_bytes: int = 128 * 2**20
    at_once: int = 2
    waiting: int = 64


class Connection(H11Protocol):
    """A connection of uvicorn, which has no deadline of its own for what a client sends and takes, but while it idles.

    Args:
        limits: What a client may ask.
        **kwargs: As uvicorn's class takes them.
    """

    def __init__(self, *, limits: Limits, **kwargs):
        super().__init__(**kwargs)
        self.limits = limits
        # In `request.state`, for whoever answers.
        self.app_state = {**self.app_state, "connection": self}
        self._deadlines: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begins to wait for a request."""
        super().connection_made(transport)
        # So that uvicorn hears of every byte that the client has not taken yet, and keeps no more in memory.
        transport.set_write_buffer_limits(0)
        # So that no other connection waits long while what one sent is parsed.
        transport.max_size = READ_BYTES
        self._begin("receive", self.limits.receive_seconds)
        # One that was aborted is among them until the event loop comes to it.
        open_ones = [each for each in self.connections if not each.transport.is_closing()]
        if len(open_ones) > self.limits.connections:
            min(open_ones, key=Connection._waits_until).abort()

    def data_received(self, data: bytes) -> None:
        """Takes what the client sent."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Ends an answer, of which the last bytes may still have to be taken."""
        super().on_response_complete()
        if not self.flow.write_paused:
            self._end("send")
        self._look()

    def pause_writing(self) -> None:
        """The client does not take what is sent as fast as it comes."""
        super().pause_writing()
        self._begin("send", self.limits.send_seconds)

    def resume_writing(self) -> None:
        """All that was sent was taken."""
        super().resume_writing()
        if self.cycle is None or self.cycle.response_complete:
            self._end("send")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any longer."""
        super().connection_lost(exc)
        for name in list(self._deadlines):
            self._end(name)

    def abort(self) -> None:
        """Closes the connection at once, whatever is still to be sent."""
        self.transport.abort()

    def _look(self):
        """Keeps the deadline for the request that is arriving, where one is."""
        state = self.conn.their_state
        if state is h11.SEND_BODY or (state is h11.IDLE and self.conn.trailing_data[0]):
            self._begin("receive", self.limits.receive_seconds)
        else:
            self._end("receive")

    def _begin(self, name, seconds):
        if name not in self._deadlines:
            self._deadlines[name] = self.loop.call_later(seconds, self.abort)

    def _end(self, name):
        if name in self._deadlines:
            self._deadlines.pop(name).cancel()

    def _waits_until(self):
        """When the connection is closed if the client does nothing; infinite where it waits for an answer."""
        waits = [*self._deadlines.values(), *filter(None, [self.timeout_keep_alive_task])]
        return min((each.when() for each in waits), default=float("inf"))


class Full(Exception):
    """There is no room for more."""


class Room:
    """Bytes held at once for all connections. Where more come than fit, the connection goes that came first.

    Args:
        limit: The most bytes.
    """

    def __init__(self, limit: int):
        self.limit, self.held, self._kept = limit, {}, set()

    @contextlib.contextmanager
    def holding(self, connection: Connection) -> Iterator[None]:
        """What is taken for this connection within the context is given back at its end."""
        try:
            yield
        finally:
            self.held.pop(connection, None)
            self._kept.discard(connection)

    def take(self, connection: Connection, count: int) -> None:
        """Takes room for more bytes.

        Raises:
            Full: Where closing connections makes no room.
        """
        self.held[connection] = self.held.get(connection, 0) + count
        while sum(self.held.values()) > self.limit:
            first = next((other for other in self.held if other is not connection and other not in self._kept), None)
            if first is None:
                del self.held[connection]
                raise Full
            del self.held[first]
            first.abort()

    def keep(self, connection: Connection) -> None:
        """This connection is not closed for others any more."""
        self._kept.add(connection)
