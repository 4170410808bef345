"""The errors that a user can mend: main.py prints their one line in place of a traceback."""


class UserError(ValueError):
    """Bad input: the message names the flag or file, what was expected and what was received."""


class NotMeasuredError(ValueError):
    """A measure that cannot be had of what it was given: the message says why, in one line, and becomes a note."""


class RunStopped(Exception):
    """A training run that stopped before its end; the message says at which step, why, and how to go on."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


def first_line(error: Exception) -> str:
    """The first line of what an error says; the name of its type where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
