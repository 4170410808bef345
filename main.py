"""InfoGAN on the command line: flags -> Config -> one call per mode. `python main.py --help` explains."""

import dataclasses
import importlib
import os
import pkgutil
import sys

# TensorFlow's start-up chatter; set before it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import configs
from infogan_tf.backend import require_tensorflow
from infogan_tf.config import Config
from infogan_tf.errors import RunStopped, UserError
from infogan_tf.flags import HelpRequested, parse


def defaults_of(dataset: str, recipe: str) -> Config:
    """The Config that configs/<dataset>.py has for a recipe."""
    names = [module.name for module in pkgutil.iter_modules(configs.__path__)]
    if dataset not in names:
        raise UserError(f"--dataset: expected one of {', '.join(names)}. Received: {dataset!r}")
    recipes = importlib.import_module(f"configs.{dataset}").RECIPES
    if recipe not in recipes:
        raise UserError(f"--recipe: expected one of {', '.join(recipes)} with {dataset}. Received: {recipe!r}")
    return dataclasses.replace(recipes[recipe], recipe=recipe)


def main(argv: list[str]) -> int:
    """Runs one command; returns the exit status: 0 done, 1 training broke, 2 bad input, 128 + n stopped by signal n."""
    try:
        config, given = parse(argv, defaults_of)
        require_tensorflow()
        # TensorFlow takes seconds to import, and --help and a mistyped flag need none of it.
        if config.mode == "train":
            from infogan_tf.training import train

            train(config, given, argv)
        elif config.mode == "sweep":
            from infogan_tf.sweep import sweep

            sweep(config, given, argv)
        elif config.mode == "explore":
            from infogan_tf.explorer.command import explore

            explore(config, given)
        else:
            from infogan_tf import finished

            getattr(finished, config.mode)(config, given)
    except HelpRequested as page:
        print(page)
    except UserError as error:
        print(f"main.py: {error}", file=sys.stderr)
        return 2
    except RunStopped as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return stopped.exit_code
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
