"""How this program was called, for the commands that it prints and those that it runs."""

import shutil
import sys
from pathlib import Path


def command_words(program: str) -> list[str]:
    """The words that call this program again from the folder where its user stands.

    Args:
        program: As it stands first in `sys.argv`: main.py, infogan_tf/__main__.py, or the installed command's path.
    """
    path = Path(program)
    python = sys.orig_argv[0] if sys.orig_argv[0] else sys.executable
    if path.name == "__main__.py":
        return [python, "-m", "infogan_tf"]
    if path.suffix == ".py":
        return [python, program]
    found = shutil.which(path.name)
    return [path.name] if found and Path(found).resolve() == path.resolve() else [program]


def process_words(program: str) -> list[str]:
    """The words that call it in a process of this one's, whatever folder that works in."""
    path = Path(program)
    is_script = path.suffix == ".py" and path.name != "__main__.py"
    return [sys.executable, str(path.resolve())] if is_script else [sys.executable, "-m", "infogan_tf"]
