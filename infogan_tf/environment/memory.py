"""Memory of a program that runs for long: what it frees goes back to the system."""

import contextlib
import ctypes

# M_MMAP_THRESHOLD of glibc's malloc.h, and the bytes from which on a buffer is the system's own.
_MMAP_THRESHOLD, _LARGE = -3, 2**20


def free_large_buffers_at_once() -> None:
    """Lets buffers of 1 MiB and more go back to the system when they are freed.

    glibc raises that bound by itself, up to 32 MiB, as such buffers come and go; then they lie among others in heaps
    that shrink late or never. Other systems are left as they are.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # no such function, or no such library
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)
