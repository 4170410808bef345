"""What a program frees goes back to the system."""

import platform
import subprocess
import sys

import pytest
from conftest import ROOT

# Half of the buffers of 2 MiB are freed, every second one: in a heap the others would hold them.
PROGRAM = """
import ctypes, sys
from pathlib import Path
from infogan_tf.environment.memory import free_large_buffers_at_once

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "at once":
    free_large_buffers_at_once()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.free(libc.malloc(30 * 2**20))  # after which glibc takes what is smaller for no large one
before, buffers = resident(), [libc.malloc(2 * 2**20) for _ in range(50)]
for buffer in buffers:
    ctypes.memset(buffer, 1, 2 * 2**20)
for buffer in buffers[::2]:
    libc.free(buffer)
print((resident() - before) / 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
def test_large_buffers_go_back_to_the_system():
    left = {}
    for how in ("as it is", "at once"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, how], cwd=ROOT, capture_output=True, text=True, check=True
        )
        left[how] = float(done.stdout)
    assert left["at once"] < 60 < 90 < left["as it is"], left
