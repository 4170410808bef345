"""How this program was called, for the commands that it prints and those that it runs."""

import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

# Says to a process of this program's which one started it.
_STARTED_BY = "INFOGAN_TF_STARTED_BY"


def command_words(program: str) -> list[str]:
    """The words that call this program again from the folder where its user stands, as the user called it.

    Args:
        program: As it stands first in `sys.argv`: main.py, infogan_tf/__main__.py, or the installed command's path.
    """
    path = Path(program)
    if path.name == "__main__.py":
        return [_python(), "-m", "infogan_tf"]
    if path.suffix == ".py":
        return [_python(), program]
    found = shutil.which(path.name)
    return [path.name] if found and Path(found).resolve() == path.resolve() else [program]


def _python():
    """The word for Python that the user typed, where it finds this interpreter again; a link is another environment."""
    word = sys.orig_argv[0]
    found = shutil.which(word)
    return word if found and Path(found).absolute() == Path(sys.executable).absolute() else sys.executable


def environment_of_child() -> dict[str, str]:
    """The environment in which a process of this program's ends when this one is gone."""
    return os.environ | {_STARTED_BY: str(os.getpid())}


def end_with_parent(seconds: float = 1.0) -> None:
    """Where this program started this process: SIGTERM, on which a training saves and stops, once that one is gone.

    Args:
        seconds: Between two looks.
    """
    parent = os.environ.pop(_STARTED_BY, "")  # what this process starts is not that one's
    if parent.isdigit() and os.name == "posix":  # Windows gives no orphan another parent
        threading.Thread(target=_end_without, args=(int(parent), seconds), daemon=True).start()


def _end_without(parent, seconds):
    while os.getppid() == parent:
        time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGTERM)
