"""The runs of a sweep: which seeds, with which choices of options."""

import itertools
import math

from infogan_tf.config.flags import as_flag, parse, value_of
from infogan_tf.config.options import LONGEST_NAME, run_fields
from infogan_tf.errors import UserError

# The options of the sweep itself; the others are its runs'.
OWN = ("mode", "seeds", "grid", "run_dir", "resume", "dry_run")
MOST_RUNS = 1_000


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
        seeds = [value_of(field, part.strip()) for part in text.split(",")]
    except UserError:
        seeds = []
    if not seeds or len(set(seeds)) < len(seeds):
        raise UserError(f"--seeds: expected different integers from 0 such as 0,1,2. Received: {text!r}")
    return seeds


def parse_grid(text: str, given: dict[str, object]) -> dict[str, list[str]]:
    """The options to vary and their values, in a text such as "lambda_info=0.3,1;latents=noise:8,cat:9|noise:8,cat:10".

    Bars part values that hold commas; where there is none, commas do.

    Raises:
        UserError: Where an option does not exist, is given besides, or does not take a value, or has one twice.
    """
    fields = {field.name: field for field in run_fields() if field.name != "seed"}
    grid = {}
    for item in filter(None, (part.strip() for part in text.split(";"))):
        name, _, values = item.partition("=")
        if name not in fields or name in grid or name in given:
            why = "no option of a run" if name not in fields else "given twice"
            raise UserError(f"--grid: expected OPTION=VALUE,VALUE;... Received: {item!r}, whose {name!r} is {why}")
        grid[name] = [part.strip() for part in values.split("|" if "|" in values else ",")]
        if len({value_of(fields[name], value) for value in grid[name]}) < len(grid[name]):
            raise UserError(f"--grid: expected different values of {name}. Received: {item!r}")
    return grid


def options_of(runs: list[tuple[str, list[str]]], given: dict[str, object]) -> list[tuple[str, dict[str, object]]]:
    """The options that are given to each of the runs that `combinations` returns, by its folder's name."""
    shared = {name: value for name, value in given.items() if name not in OWN}
    return [(name, shared | parse(["", *flags])[0]) for name, flags in runs]


def combinations(grid: dict[str, list[str]], seeds: list[int]) -> list[tuple[str, list[str]]]:
    """Every run of the sweep, those that differ in the seed alone together: its folder's name, and its own flags.

    Raises:
        UserError: Where they are more than MOST_RUNS, or a folder cannot be called so or would be that of two runs.
    """
    count = math.prod(map(len, [*grid.values(), seeds]))
    if count > MOST_RUNS:
        raise UserError(f"--grid, --seeds: expected at most {MOST_RUNS:,} runs. Received: {count:,}")
    runs = {}
    for values in itertools.product(*grid.values()):
        options = [f"{name}={value}" for name, value in zip(grid, values, strict=True)]
        for seed in seeds:
            own = [*options, f"seed={seed}"]
            name = "-".join(own).replace("/", "_")
            if name in runs or len(name.encode()) > LONGEST_NAME:
                why = "is that of two runs" if name in runs else f"has more than {LONGEST_NAME} bytes"
                raise UserError(f"--grid: expected values that name a folder each. Received: {name!r}, which {why}")
            runs[name] = [f"--{option}" for option in own]
    return list(runs.items())
