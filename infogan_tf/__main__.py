"""`python -m infogan_tf`, and the installed command `infogan`."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from infogan_tf.command_line import main as command


def main() -> int:
    """Runs the command of `sys.argv` with the recipes that are installed."""
    return command(sys.argv, _recipes())


def _recipes() -> ModuleType:
    try:
        return importlib.import_module("infogan_tf.configs")
    except ModuleNotFoundError:
        # A clone that is not installed has them beside the package; another folder of the name may come first.
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        return importlib.import_module("configs")


if __name__ == "__main__":
    sys.exit(main())
