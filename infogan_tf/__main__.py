"""`python -m infogan_tf`, and the installed command `infogan`."""

import sys

from infogan_tf import configs
from infogan_tf.command_line import main as command


def main() -> int:
    """Runs the command of `sys.argv` with the recipes that are installed."""
    return command(sys.argv, configs)


if __name__ == "__main__":
    sys.exit(main())
