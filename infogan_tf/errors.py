"""The errors that a user can mend: main.py prints their one line in place of a traceback."""

# The exit status of a program that could not write or read a file, as sysexits.h has it.
NOT_WRITTEN = 74


class UserError(ValueError):
    """Bad input: the message names the flag or file, what was expected and what was received."""


class NotMeasuredError(ValueError):
    """A measure that cannot be had of what it was given: the message says why, in one line, and becomes a note."""


class RunStopped(Exception):
    """A training run that stopped before its end; the message says at which step, why, and how to go on."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


def about_file(error: OSError) -> str:
    """Says which file or folder the system has something against, and what."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def first_line(error: Exception) -> str:
    """The first line of what an error says; the name of its type where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def printable(text: str) -> str:
    """A text of anybody's as a part of one line; line breaks and what else steers a terminal stand by their numbers."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
