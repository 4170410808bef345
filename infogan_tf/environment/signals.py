"""What this process does on a signal, for as long as a block lasts."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

# Those that ask a process to end: Ctrl-C, a kill, a terminal that was closed (which Windows does not tell).
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextlib.contextmanager
def on_signals(handlers: dict[signal.Signals, Handler]) -> Iterator[None]:
    """Handles signals while the block lasts.

    What this process was told to ignore, as `nohup` does with a closed terminal's signal, stays ignored. Outside of the
    main thread, where Python hears no signals, nothing is changed.

    Args:
        handlers: By signal, as `signal.signal` takes them.
    """
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            # None is a handler that is not Python's: it could not be set again.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                previous[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
