"""The command: flags -> Config -> the command of its mode. Programs hand it their recipes.

TensorFlow takes seconds to import: what flags and files alone decide is refused before.
"""

import dataclasses
import importlib
import io
import os
import shlex
import sys
from collections.abc import Mapping
from types import ModuleType

from infogan_tf.commands.refusals import refuse
from infogan_tf.config.flags import as_flag, help_text, parse
from infogan_tf.config.options import Config
from infogan_tf.data import LOADERS
from infogan_tf.data.facts import ImageFacts
from infogan_tf.data.located import located
from infogan_tf.environment.backend import prefer_fast_kernels, require_tensorflow
from infogan_tf.environment.invocation import command_words, end_with_parent
from infogan_tf.environment.terminal import unread_is_dropped
from infogan_tf.errors import NOT_WRITTEN, RunStopped, UserError, about_file, printable
from infogan_tf.models import MODELS
from infogan_tf.models.choices import resolve, taken
from infogan_tf.networks import FAMILIES
from infogan_tf.networks.presets import PRESETS
from infogan_tf.runs.records import MAY_CHANGE, existing_run
from infogan_tf.runs.start import options_of_start
from infogan_tf.runs.sweeps import planned_runs


def recipe_of(recipes: ModuleType, dataset: str, recipe: str, steps: int | None = None) -> Config:
    """The Config that the package of recipes has for a data set and a recipe by name.

    Args:
        recipes: The package.
        dataset: The data set's name, or where images of one's own are.
        recipe: The recipe's name.
        steps: For how many steps, where what it does at a certain step goes by that; None for the recipe's own number.

    Raises:
        UserError: Where the data set has no such recipe.
    """
    known = _recipes(recipes, dataset)
    if recipe not in known:
        raise UserError(f"--recipe: expected one of {', '.join(known)} with {dataset}. Received: {recipe!r}")
    found = known[recipe]
    return dataclasses.replace(found(steps=steps) if callable(found) else found, dataset=dataset, recipe=recipe)


def _recipes(recipes, dataset):
    """By name, those of a data set."""
    return _module_of(recipes, dataset).RECIPES


def _module_of(recipes, dataset):
    """The module of a data set; images of one's own, and data sets by tfds:NAME, have images.py."""
    return importlib.import_module(f"{recipes.__name__}.{dataset if dataset in LOADERS else 'images'}")


def main(argv: list[str], recipes: ModuleType) -> int:
    """Runs one command.

    Args:
        argv: The program's name and its arguments.
        recipes: The package of recipes, a module for each data set with its RECIPES.

    Returns:
        The exit status: 0 done, 1 training broke, 2 bad input, 74 a file cannot be written or read, 128 + n stopped by
        signal n.
    """
    # TensorFlow's start-up chatter; set before it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    end_with_parent()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever called
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without ± shows its number
        sys.stdout.reconfigure(errors="backslashreplace")
    with unread_is_dropped("stderr"):
        return _status(argv, recipes)


def _status(argv, recipes):
    program = command_words(argv[0])[-1]
    try:
        _run(argv, recipes)
        sys.stdout.flush()  # here, and not when Python ends: a reader that has gone is no traceback
    except UserError as error:
        print(printable(f"{program}: {error}"), file=sys.stderr)
        return 2
    except RunStopped as stopped:
        if str(stopped):
            print(f"\n{stopped}", file=sys.stderr)
        return stopped.exit_code
    except BrokenPipeError:
        # Who read the output has seen enough, as in `--help | head`. What is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        print(printable(f"{program}: {about_file(error)}"), file=sys.stderr)
        return NOT_WRITTEN
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    return 0


def _run(argv, recipes):
    def resolved(options: Mapping[str, object]) -> Config:
        return resolve(_recipe_for(recipes, options), options)

    given, help_asked = parse(argv)
    given = located(given)
    # What works on runs that were begun takes their options from them; of a sweep each run has its own.
    is_new = given.get("mode", Config.mode) == "train" and not given.get("resume")
    config = resolved(given) if is_new else dataclasses.replace(_recipe_for(recipes, given), **given)
    if help_asked:
        print(help_text(config, _names(recipes, config.dataset), shlex.join(command_words(argv[0]))))
        return
    refuse(config, given, resolved)
    if config.dry_run:
        for line in _commands(config, given, argv) if config.mode == "sweep" else _listed(config, given):
            print(line)
        return
    require_tensorflow()
    prefer_fast_kernels()
    command = importlib.import_module(f"infogan_tf.commands.{config.mode}")
    further = []
    if config.mode == "sweep":
        further = [resolved]
    elif config.mode == "train":
        further = [_by_facts(recipes, config, given)]
    # What is long goes on when nobody reads any more what it says.
    with unread_is_dropped("stdout"):
        getattr(command, config.mode)(config, given, argv, *further)


def _recipe_for(recipes, options):
    """The defaults: of the data set by recipe, or of the run to start from."""
    if options.get("start_from"):
        return options_of_start(options)
    named = (options.get(name, getattr(Config, name)) for name in ("dataset", "recipe"))
    return recipe_of(recipes, *named, options.get("steps"))


def _by_facts(recipes, config, given):
    """The function from what is known of the images to a new run's options; None where the recipe goes by none.

    Networks that the user chose, and options that only those of photos take, are for images of any kind. What the
    recipe does at a certain step goes by the length that the user chose.
    """
    found = getattr(_module_of(recipes, config.dataset), "BY_FACTS", {}).get(config.recipe)
    if not found or config.resume or config.start_from:
        return None

    def by_facts(facts: ImageFacts) -> Config:
        recipe = dataclasses.replace(found(facts, given.get("steps")), dataset=config.dataset, recipe=config.recipe)
        photos = dataclasses.replace(facts, figures=False)
        if "networks" in given and facts.figures:
            return by_facts(photos)
        try:
            return resolve(recipe, given)
        except UserError:
            if not facts.figures:
                raise
            return by_facts(photos)

    return by_facts


def _listed(config, given):
    """Every option of the run that would be trained, as flags that would ask for it."""
    if config.resume:
        config = existing_run(config.run_dir, given, MAY_CHANGE)[1]
    flags = [as_flag(name, value) for name, value in taken(config).items() if value is not None]
    return [shlex.quote(flag) for flag in flags]


def _commands(config, given, argv):
    """A command for each run of a sweep that is not done."""
    plan, program = planned_runs(config, given, config.run_dir), command_words(argv[0])
    return [shlex.join(each.command(program)) for each in plan if not each.is_done()]


def _names(recipes, dataset):
    """By option, the names that it takes, and what each is, for --help."""
    return {
        "dataset": dict.fromkeys(LOADERS, ""),
        "recipe": dict.fromkeys(_recipes(recipes, dataset), ""),
        "model": {name: row.about for name, row in MODELS.items()},
        "networks": {name: row.about for name, row in FAMILIES.items()},
        "preset": {name: row.about for name, row in PRESETS.items()},
    }
