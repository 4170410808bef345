"""Reads metrics.jsonl, which has a line of figures for each epoch."""

from pathlib import Path

from infogan_tf.errors import UserError
from infogan_tf.files import parse_json


def read_lines(path: Path) -> list[dict[str, float]]:
    """Returns the objects of a JSON-lines file, but for a last one that a kill cut short; [] without a file.

    Raises:
        UserError: Where it cannot be read, or holds anything but figures by name, with a step that grows.
    """
    if not Path(path).exists():
        return []
    try:
        *whole, last = Path(path).read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
    lines = []
    # Of a line without an end nothing is known, unless it is all there.
    for number, text in enumerate([*whole, last] if _figures(last) else whole, 1):
        line = _figures(text)
        if line is None or line["step"] <= last_step(lines):
            wanted = "figures by name in every line, with a step that grows"
            raise UserError(f"{path}: expected {wanted}. Received: {text[:80]!r} in line {number}")
        lines.append(line)
    return lines


def last_step(lines: list[dict[str, float]]) -> int:
    """The step at which the last of the epochs ended; 0 without any."""
    return lines[-1]["step"] if lines else 0


def _figures(text: bytes) -> dict[str, float] | None:
    """The figures of a line; None where it holds something else."""
    try:
        line = parse_json(text.decode())
    except ValueError:
        return None
    if not isinstance(line, dict) or not all(map(_is_number, line.values())):
        return None
    return line if isinstance(line.get("step"), int) else None


def _is_number(value):
    """Whether it is a number that a float holds; also NaN and infinity, which a training that breaks may log."""
    return isinstance(value, float) or (type(value) is int and abs(value) < 2**63)
