"""The command line: absl flags made from Config, a data set's defaults, and a --help that teaches."""

import dataclasses
import textwrap
from collections.abc import Callable

from absl import flags

from infogan_tf.config import Config, check, expected
from infogan_tf.errors import UserError

USAGE = """\
InfoGAN in Keras 3 and TensorFlow 2: train a generator whose latent codes mean something, without labels.

Start here:
  python main.py                                   train on the embedded digits, a few minutes on a laptop
  python main.py --recipe=invariant                the same, and better: real images inform the codes as well
  python main.py --dataset=mnist --lambda_info=1   the paper's MNIST run (downloads MNIST on first use)
  tensorboard --logdir runs                        watch losses, mutual information, pictures

Afterwards, with the folder that training named:
  python main.py --resume --run_dir=RUN            go on after a kill, or further with --steps=N
  python main.py --mode=evaluate --run_dir=RUN     measure it on 10,000 images; open RUN/report.html
  python main.py --mode=sweep --seeds=0,1,2,3,4    several seeds, one after another, and a table of them
  python main.py --mode=compare --runs=RUN,RUN     several runs side by side, in compare.html
  python main.py --mode=sample --run_dir=RUN --codes=c1=3 --output=class3.png
  python main.py --mode=export --run_dir=RUN       another SavedModel for TF Serving
  python main.py --mode=explore --run_dir=RUN      move its codes on a page in your browser

Flags, with their defaults for --dataset={dataset}:
"""


class HelpRequested(Exception):
    """The user asked for --help; the message is the page."""


class _FieldParser(flags.ArgumentParser):
    """Reads the text of one flag and checks it against its field."""

    def __init__(self, field: dataclasses.Field):
        self.field = field

    def parse(self, argument):
        """The value; a ValueError in words where it does not fit."""
        return value_of(self.field, argument)

    def flag_type(self):
        """For absl's own listings."""
        return "string"


def value_of(field: dataclasses.Field, text: str) -> object:
    """The value of an option that is written as `text`; a UserError that names the flag where it does not fit."""
    kinds = {int: int, str: str, bool: lambda text: {"true": True, "false": False}.get(text, text)}
    try:
        value = kinds.get(field.type, float)(text)
    except ValueError:
        value = text
    check(field, value)
    return value


def parse(argv: list[str], defaults_of: Callable[[str, str], Config]) -> tuple[Config, dict[str, object]]:
    """Reads a command line.

    Args:
        argv: the program's name and its arguments.
        defaults_of: gives the Config of a data set and a recipe by name; raises UserError for names that do not exist.

    Returns:
        The data set's defaults with the given flags over them, and the given flags alone.

    Raises:
        UserError: for an unknown flag, a value that does not fit, or an argument that is no flag.
        HelpRequested: for --help.
    """
    values = flags.FlagValues()
    for field in dataclasses.fields(Config):
        if field.type is bool:
            flags.DEFINE_boolean(field.name, field.default, field.metadata["help"], flag_values=values)
        else:
            parser, serializer = _FieldParser(field), flags.ArgumentSerializer()
            flags.DEFINE(parser, field.name, None, field.metadata["help"], values, serializer)
    flags.DEFINE_boolean("help", False, "This page.", short_name="h", flag_values=values)
    try:
        rest = values(argv)
    except flags.IllegalFlagValueError as error:
        raise UserError(_last_sentence(error)) from error
    except flags.Error as error:
        raise UserError(f"{error} (--help lists all flags)") from error
    if len(rest) > 1:
        raise UserError(f"expected flags only, such as --dataset=mnist. Received: {rest[1]!r}")
    given = {field.name: values[field.name].value for field in dataclasses.fields(Config) if values[field.name].present}
    names = given.get("dataset", Config.dataset), given.get("recipe", Config.recipe)
    config = dataclasses.replace(defaults_of(*names), **given)
    if values["help"].value:
        raise HelpRequested(help_text(config))
    return config, given


def help_text(config: Config) -> str:
    """The --help page, its defaults those of `config`."""
    lines, group = [USAGE.format(dataset=config.dataset)], None
    for field in dataclasses.fields(config):
        if field.metadata["group"] != group:
            group = field.metadata["group"]
            lines.append(f"{group}:")
        default = getattr(config, field.name)
        takes = "" if expected(field) in ("text", "true or false") else f"{expected(field)}; "
        shown = "not given" if default in ("", None) else str(default).lower() if field.type is bool else default
        text = f"{field.metadata['help']} ({takes}default: {shown})"
        lines.append(f"  --{field.name}")
        lines += textwrap.wrap(text, 96, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines)


def _last_sentence(error: flags.IllegalFlagValueError) -> str:
    """What `check` said, without absl's repetition of the flag; or absl's own words."""
    text = str(error)
    cause = error.__cause__ or error.__context__
    return str(cause) if isinstance(cause, UserError) else text
