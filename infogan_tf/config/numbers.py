"""Numbers as they are written by hand: ASCII digits, no separators, and no more than is computed with."""

import re

# The greatest number that is still one as a float32, and the least above 0 that is not computed with as 0.
GREATEST, LEAST = 3.4e38, 2.0**-126
# The least above 0 that a float32 holds: one that was drawn may be as small, and is written into tables.
LEAST_HELD = 2.0**-149
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?P<digits>\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_integer(text: str) -> int | None:
    """The integer that a text is, below 10**18 in size; None where it is none."""
    return int(text) if _INTEGER.fullmatch(text) else None


def read_number(text: str, least: float = LEAST) -> float | None:
    """The number that a text is, as 3, -0.5 or 1e-4; None where it is none, or none as a float32.

    Args:
        text: The text.
        least: The least number above 0 that is not too small.
    """
    written = _NUMBER.fullmatch(text)
    if not written:
        return None
    number = float(text)
    if number == 0 and written["digits"].strip("0."):  # so small that a float64 is 0
        return None
    return number if is_float32(number, least) else None


def is_float32(number: float, least: float = LEAST) -> bool:
    """Whether a number is one as a float32: finite, not too large, and 0 only where it is 0."""
    return number == 0 or least <= abs(number) <= GREATEST
