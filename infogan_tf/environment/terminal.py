"""Output that nobody reads any more stops nothing."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def unread_is_dropped(*names: str) -> Iterator[None]:
    """Drops what the block writes to the program's output once that cannot be written.

    Its reader has gone then, as in `| head`; the terminal was closed; or the file that it goes to is on a full disk.

    Args:
        names: Of them in `sys`: "stdout", "stderr" or both.
    """
    streams = {name: getattr(sys, name) for name in names}
    for name, stream in streams.items():
        setattr(sys, name, _Forgiving(stream))
    try:
        yield
    finally:
        for name, stream in streams.items():
            getattr(sys, name).flush()
            setattr(sys, name, stream)


class _Forgiving:
    """A text stream as it is, but for what it raises where it cannot write."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._dropping():
            self._stream.flush()

    @contextlib.contextmanager
    def _dropping(self):
        try:
            yield
        except OSError:
            # What the stream still holds, and what comes, goes nowhere, also when Python ends.
            with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nothing:
                os.dup2(nothing.fileno(), self._stream.fileno())
