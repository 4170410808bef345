"""The command line's flags: absl's, made from Config, and a --help that teaches."""

import dataclasses
import re
import textwrap
from collections.abc import Mapping

from absl import flags

from infogan_tf.config.numbers import read_integer, read_number
from infogan_tf.config.options import Config, check, expected
from infogan_tf.errors import UserError

USAGE = """\
InfoGAN in Keras 3 and TensorFlow 2: train a generator whose latent codes mean something, without labels.

Start here:
  {program}                                   train on the embedded digits, a few minutes on a laptop
  {program} --recipe=invariant                the same, and better: real images inform the codes as well
  {program} --dataset=mnist --lambda_info=1   the paper's MNIST run (downloads MNIST on first use)
  tensorboard --logdir runs                   watch losses, mutual information, pictures

Afterwards, with the folder that training named:
  {program} --resume --run_dir=RUN            go on after a kill, or further with --steps=N
  {program} --mode=evaluate --run_dir=RUN     measure it on 10,000 images; open RUN/report.html
  {program} --mode=sweep --seeds=0,1,2,3,4    several seeds, one after another, and a table of them
  {program} --mode=compare --runs=RUN,RUN     several runs side by side, in compare.html
  {program} --mode=sample --run_dir=RUN --codes=c1=3 --output=class3.png
  {program} --mode=encode --run_dir=RUN --dataset=~/photos --output=sorted/
  {program} --mode=export --run_dir=RUN       another SavedModel for TF Serving
  {program} --mode=explore --run_dir=RUN      move its codes on a page in your browser
  {program} --dry_run                         every option as it would be

Flags, with their defaults for --dataset={dataset}:
"""


_OF_ABSL = re.compile(r"--?(flagfile|undefok)\b")


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


class _SwitchParser(flags.BooleanParser):
    """Reads the text of a flag that is true or false."""

    def __init__(self, field: dataclasses.Field):
        super().__init__()
        self.field = field

    def parse(self, argument):
        """The value; a ValueError in words where it is none."""
        try:
            return super().parse(argument)
        except ValueError:
            return value_of(self.field, argument)


def value_of(field: dataclasses.Field, text: str) -> object:
    """The value of an option that is written as `text`; a UserError that names the flag where it does not fit."""
    if field.type is bool:
        value = {"true": True, "false": False}.get(text)
    elif field.type is str:
        value = text
    else:
        value = read_integer(text) if field.type is int else read_number(text)
    check(field, text if value is None else value)
    return value


def as_flag(name: str, value: object) -> str:
    """An option as it is written on the command line."""
    return f"--{name}={str(value).lower() if isinstance(value, bool) else value}"


def parse(argv: list[str]) -> tuple[dict[str, object], bool]:
    """Reads a command line.

    Args:
        argv: The program's name and its arguments.

    Returns:
        The given options by name, each a value that its flag takes; and whether --help was asked for.

    Raises:
        UserError: For an unknown flag, a value that does not fit, a flag that the mode does not read, or an argument
            that is no flag.
    """
    values = flags.FlagValues()
    fields = dataclasses.fields(Config)
    for field in fields:
        if field.type is bool:
            switch = flags.BooleanFlag(field.name, field.default, field.metadata["help"])
            switch.parser = _SwitchParser(field)
            flags.DEFINE_flag(switch, values)
        else:
            # One that takes true and false among others may stand alone, for true.
            alone = "true" in field.metadata["choices"]
            arguments = _FieldParser(field), flags.ArgumentSerializer(), field.name, None, field.metadata["help"]
            flags.DEFINE_flag(flags.Flag(*arguments, boolean=alone), values)
    flags.DEFINE_boolean("help", False, "This page.", short_name="h", flag_values=values)
    for argument in argv[1:]:
        if _OF_ABSL.match(argument):  # it reads a file of flags, and swallows those that it does not know
            raise UserError(f"Unknown command line flag {argument.lstrip('-')!r} (--help lists all flags)")
    try:
        rest = values(argv)
    except flags.IllegalFlagValueError as error:
        raise UserError(_last_sentence(error)) from error
    except (flags.Error, ValueError) as error:  # the latter of --noFLAG=VALUE
        raise UserError(f"{error} (--help lists all flags)") from error
    if len(rest) > 1:
        raise UserError(f"expected flags only, such as --dataset=mnist. Received: {rest[1]!r}")
    given = {field.name: values[field.name].value for field in fields if values[field.name].present}
    _refuse_unread(given, {field.name: field.metadata["modes"] for field in fields})
    return given, values["help"].value


def _refuse_unread(given, modes):
    """Raises a UserError for an option that says what to do, and not in this mode."""
    mode = given.get("mode", Config.mode)
    for name in given:
        if modes[name] and mode not in modes[name]:
            wanted = " or ".join(f"--mode={each}" for each in modes[name])
            raise UserError(f"--{name}: expected with {wanted}. Received: with --mode={mode}, which does not read it")


def help_text(config: Config, names: Mapping[str, Mapping[str, str]], program: str) -> str:
    """The --help page.

    Args:
        config: Whose values are shown as defaults.
        names: By option, the names that it takes, with what each is, or nothing.
        program: The command, as it was called.
    """
    lines, group = [USAGE.format(dataset=config.dataset, program=program)], None
    for field in dataclasses.fields(config):
        if field.metadata["group"] != group:
            group = field.metadata["group"]
            lines.append(f"{group}:")
        default = getattr(config, field.name)
        takes = "" if expected(field) in ("text", "true or false") else f"{expected(field)}; "
        shown = "not given" if default in ("", None) else str(default).lower() if field.type is bool else default
        known = [f"{name}, {about}" if about else name for name, about in names.get(field.name, {}).items()]
        listed = f" One of: {'; '.join(known)}." if known else ""
        text = f"{field.metadata['help']}{listed} ({takes}default: {shown})"
        lines.append(f"  --{field.name}")
        lines += textwrap.wrap(text, 96, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines)


def _last_sentence(error: flags.IllegalFlagValueError) -> str:
    """What `check` said, without absl's repetition of the flag; or absl's own words."""
    text = str(error)
    cause = error.__cause__ or error.__context__
    return str(cause) if isinstance(cause, UserError) else text
