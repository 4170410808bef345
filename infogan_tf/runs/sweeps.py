"""The folder of a sweep: its runs, the commands that make them, and what tells it from another one."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from infogan_tf.config.grid import combinations, options_of, parse_grid, parse_seeds, shared_flags
from infogan_tf.config.options import Config
from infogan_tf.data.located import located
from infogan_tf.errors import UserError
from infogan_tf.files import as_json, read_json, versions, write_text
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import last_step, read_lines
from infogan_tf.runs.records import MAY_CHANGE, existing_run

NOTE, TABLE, PAGE = "sweep.json", "sweep.md", "compare.html"
# What runs made one by one have to be of, even where nobody says so anew.
_WHOSE = ("dataset", "recipe", "model")


@dataclasses.dataclass(frozen=True)
class Planned:
    """A run of a sweep.

    Attributes:
        run: Where it is, or will be.
        flags: Those of the command that makes it, but for its folder.
        options: The same, paths spelled out as a run keeps them.
    """

    run: RunDirectory
    flags: tuple[str, ...]
    options: Mapping[str, object]

    def is_begun(self) -> bool:
        """Whether there is something to go on with."""
        return self.run.config_file.is_file()

    def is_done(self) -> bool:
        """Whether it has all its steps, and the last thing that a run writes is there: a version of its export."""
        if not versions(self.run.export):
            return False
        _, config = existing_run(str(self.run), {})
        return last_step(read_lines(self.run.metrics_file)) >= config.steps

    def command(self, program: Sequence[str]) -> list[str]:
        """What makes it, or goes on with it where it was begun."""
        return [*program, *self.flags, f"--run_dir={self.run}", *(["--resume"] if self.is_begun() else [])]


def planned_runs(config: Config, given: Mapping[str, object], folder: Path | str) -> list[Planned]:
    """Every run of a sweep in `folder`, those that differ in the seed alone together.

    Raises:
        UserError: Where the grid or the seeds are none; see `parse_grid`, `parse_seeds` and `combinations`; or one of
            them names no data.
    """
    plan = combinations(parse_grid(config.grid, given), parse_seeds(config.seeds))
    options, shared = dict(options_of(plan, given)), shared_flags(given)
    return [Planned(RunDirectory(Path(folder, name)), (*shared, *own), located(options[name])) for name, own in plan]


def write_note(folder: Path, given: Mapping[str, object]) -> Path:
    """Writes what all runs share; returns the file."""
    write_text(folder / NOTE, as_json({"flags": shared_flags(given)}))
    return folder / NOTE


def existing_sweep(config: Config, given: Mapping[str, object], plan: Sequence[Planned]) -> Path:
    """The folder of a sweep that was begun.

    A folder whose runs were made one by one, by the commands that --dry_run prints, has no note: there the runs
    themselves are looked at.

    Args:
        config: The options that all runs share, and --run_dir.
        given: Those of them that the user gave, which are to be as they were.
        plan: Its runs.

    Raises:
        UserError: Where it is none, or the options are others.
    """
    run_dir, folder = config.run_dir, Path(config.run_dir)
    if run_dir and not (folder / NOTE).exists() and any(each.is_begun() for each in plan):
        whose = {name: getattr(config, name) for name in _WHOSE}
        for each in plan:
            if each.is_begun():
                existing_run(str(each.run), whose | each.options, [name for name in MAY_CHANGE if name != "steps"])
        if found := [name for name in (TABLE, PAGE) if (folder / name).exists()]:
            raise UserError(
                f"--run_dir: expected runs made one by one, without a {found[0]} among them, which would be written "
                f"over. Received: {run_dir!r}"
            )
        return folder
    if not run_dir or not (folder / NOTE).is_file():
        raise UserError(
            f"--run_dir: expected a sweep's folder, with a {NOTE} or some of its runs. Received: {run_dir!r}"
        )
    kept, flags = read_json(folder / NOTE).get("flags"), shared_flags(given)
    if not isinstance(kept, list) or not all(isinstance(flag, str) for flag in kept):
        raise UserError(f"{folder / NOTE}: expected a list of texts named 'flags'")
    if kept != flags:
        raise UserError(
            f"--resume: expected the flags of the sweep in {folder}, {shlex.join(kept) or 'none'}. "
            f"Received: {shlex.join(flags) or 'none'}"
        )
    return folder
