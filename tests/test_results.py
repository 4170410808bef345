"""The commands that docs/results/ names ask this version for the options that its runs had."""

import json
import shlex

import pytest
from conftest import ROOT

import configs
from infogan_tf.command_line import recipe_of
from infogan_tf.config.flags import parse
from infogan_tf.models.choices import resolve, taken

# These change no figure of a run, or go by the machine.
OF_WATCHING = (
    "eval_every", "checkpoint_every", "keep_checkpoints", "evaluation", "recipe", "precision", "jit_compile", "seed",
)  # fmt: skip


def commands():
    """File, the beginning of the names of its runs that the command is about, and the command."""
    found = []
    for path in sorted((ROOT / "docs" / "results").glob("*.json")):
        again = json.loads(path.read_text()).get("to repeat now") or {}
        by_run = again if isinstance(again, dict) else {"": again}
        found += [(path.name, run, text) for run, text in by_run.items() if text.startswith("infogan ")]
    return found


@pytest.mark.parametrize(("name", "run", "command"), commands())
def test_the_command_asks_for_the_options_of_the_runs(name, run, command):
    given, _ = parse(shlex.split(command))
    given = {option: value for option, value in given.items() if option not in ("mode", "seeds")}
    now = taken(resolve(recipe_of(configs, given["dataset"], given.get("recipe", "paper"), given.get("steps")), given))
    table = json.loads((ROOT / "docs" / "results" / name).read_text())
    about = [each for each in table["runs"] if each["name"].startswith(run)]
    assert about
    for each in about[:1] if run else about:
        options = table.get("options", {}) | each.get("options", {})
        assert {option: now[option] for option in options if option in now and option not in OF_WATCHING} == {
            option: value for option, value in options.items() if option in now and option not in OF_WATCHING
        }
