"""Reads metrics.jsonl, which has a line of figures for each epoch."""

import json
from pathlib import Path


def read_lines(path: Path) -> list[dict[str, float]]:
    """Returns the objects of a JSON-lines file up to the first line that a kill cut short; [] without a file."""
    lines = []
    if not Path(path).exists():
        return lines
    for text in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines
