"""The command: flags -> Config -> the command of its mode. Programs hand it their recipes.

TensorFlow takes seconds to import: what flags and files alone decide is refused before.
"""

import dataclasses
import importlib
import os
import pkgutil
import shlex
import sys
from types import ModuleType

from infogan_tf.backend import require_tensorflow
from infogan_tf.commands.refusals import refuse
from infogan_tf.config.flags import help_text, parse
from infogan_tf.config.options import Config
from infogan_tf.errors import RunStopped, UserError
from infogan_tf.invocation import command_words
from infogan_tf.models import MODELS
from infogan_tf.models.choices import resolve, taken
from infogan_tf.networks import FAMILIES
from infogan_tf.runs.directory import MAY_CHANGE, existing_run


def recipe_of(recipes: ModuleType, dataset: str, recipe: str) -> Config:
    """The Config that the package of recipes has for a data set and a recipe by name; a UserError without one."""
    names = _datasets(recipes)
    if dataset not in names:
        raise UserError(f"--dataset: expected one of {', '.join(names)}. Received: {dataset!r}")
    known = _recipes(recipes, dataset)
    if recipe not in known:
        raise UserError(f"--recipe: expected one of {', '.join(known)} with {dataset}. Received: {recipe!r}")
    return dataclasses.replace(known[recipe], recipe=recipe)


def _datasets(recipes):
    return [module.name for module in pkgutil.iter_modules(recipes.__path__)]


def _recipes(recipes, dataset):
    return importlib.import_module(f"{recipes.__name__}.{dataset}").RECIPES


def main(argv: list[str], recipes: ModuleType) -> int:
    """Runs one command.

    Args:
        argv: The program's name and its arguments.
        recipes: The package of recipes, a module for each data set with its RECIPES.

    Returns:
        The exit status: 0 done, 1 training broke, 2 bad input, 128 + n stopped by signal n.
    """
    # TensorFlow's start-up chatter; set before it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        given, help_asked = parse(argv)
        recipe = recipe_of(recipes, given.get("dataset", Config.dataset), given.get("recipe", Config.recipe))
        # What works on runs that were begun takes their options from them.
        begun = given.get("resume") or given.get("mode", Config.mode) not in ("train", "sweep")
        config = dataclasses.replace(recipe, **given) if begun else resolve(recipe, given)
        if help_asked:
            print(help_text(config, _names(recipes, config.dataset), shlex.join(command_words(argv[0]))))
            return 0
        refuse(config, given)
        if config.dry_run:
            print(_listed(config, given))
            return 0
        require_tensorflow()
        command = importlib.import_module(f"infogan_tf.commands.{config.mode}")
        getattr(command, config.mode)(config, given, argv)
    except UserError as error:
        print(f"{command_words(argv[0])[-1]}: {error}", file=sys.stderr)
        return 2
    except RunStopped as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return stopped.exit_code
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    return 0


def _listed(config, given):
    """Every option of the run that would be trained, as flags that would ask for it."""
    if config.resume:
        config = existing_run(config.run_dir, given, MAY_CHANGE)[1]
    shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in taken(config).items()}
    return "\n".join(f"--{name}={value}" for name, value in shown.items() if value is not None)


def _names(recipes, dataset):
    """By option, the names that it takes, and what each is, for --help."""
    return {
        "dataset": dict.fromkeys(_datasets(recipes), ""),
        "recipe": dict.fromkeys(_recipes(recipes, dataset), ""),
        "model": {name: row.about for name, row in MODELS.items()},
        "networks": {name: row.about for name, row in FAMILIES.items()},
    }
