"""The runs of a sweep: which seeds, with which choices of options."""

import itertools

from infogan_tf.config.flags import as_flag, value_of
from infogan_tf.config.options import check, run_fields
from infogan_tf.errors import UserError

# The options of the sweep itself; the others are its runs'.
OWN = ("mode", "seeds", "grid", "run_dir", "resume")


def shared_flags(given: dict[str, object]) -> list[str]:
    """The given options that all runs of the sweep have, as flags."""
    return [as_flag(name, value) for name, value in given.items() if name not in OWN]


def parse_seeds(text: str) -> list[int]:
    """The seeds in a text such as "0,1,2".

    Raises:
        UserError: For anything else, or a seed given twice.
    """
    field = next(field for field in run_fields() if field.name == "seed")
    try:
        seeds = [int(part) for part in text.split(",")]
        for seed in seeds:
            check(field, seed)
    except ValueError:
        seeds = []
    if not seeds or len(set(seeds)) < len(seeds):
        raise UserError(f"--seeds: expected different integers from 0 such as 0,1,2. Received: {text!r}")
    return seeds


def parse_grid(text: str, given: dict[str, object]) -> dict[str, list[str]]:
    """The options to vary and their values, in a text such as "lambda_info=0.3,1;batch_size=64,128".

    A value with commas in it cannot be written so, and its option not be varied.

    Raises:
        UserError: Where an option does not exist, is given besides, or does not take a value, or has one twice.
    """
    fields = {field.name: field for field in run_fields() if field.name != "seed"}
    grid = {}
    for item in filter(None, (part.strip() for part in text.split(";"))):
        name, _, values = item.partition("=")
        if name not in fields or name in grid or name in given:
            why = "given twice" if name in grid or name in given else "no option of a run"
            raise UserError(f"--grid: expected OPTION=VALUE,VALUE;... Received: {item!r}, whose {name!r} is {why}")
        grid[name] = [part.strip() for part in values.split(",")]
        if len({value_of(fields[name], value) for value in grid[name]}) < len(grid[name]):
            raise UserError(f"--grid: expected different values of {name}. Received: {item!r}")
    return grid


def combinations(grid: dict[str, list[str]], seeds: list[int]) -> list[tuple[str, list[str]]]:
    """Every run of the sweep: its folder's name and the flags that are its own."""
    runs = []
    for values in itertools.product(*grid.values()):
        options = [f"{name}={value}" for name, value in zip(grid, values, strict=True)]
        for seed in seeds:
            own = [*options, f"seed={seed}"]
            runs.append(("-".join(own).replace("/", "_"), [f"--{option}" for option in own]))
    return runs
