"""The texts that pages and model cards are filled into, and the one way to do it."""

import functools
import json
import re

import jinja2

from infogan_tf.errors import printable

# What Markdown and the mathematics in it take for their own; an underscore within a word they leave alone.
_MARKS = re.compile(r"[\\`*\[\]<>|$~&]|(?<![^\W_])_|_(?![^\W_])")


def markdown(text: str) -> str:
    """A text of anybody's as a part of a line of Markdown, or a cell of its tables, that shows it as it is."""
    return _MARKS.sub(r"\\\g<0>", printable(text))


def render(template: str, **values: object) -> str:
    """Fills in one of the templates beside this file.

    Args:
        template: Its file name. In .html text is escaped, and SVG is marked safe in the template; in .md it is not.
        **values: What the template names; one that is missing is an error. What anybody may have called something goes
            through the filter `markdown` in a .md.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("infogan_tf", "templates"),
        autoescape=jinja2.select_autoescape(("html",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # As jinja's own tojson is for HTML, "<" would be a number here.
    environment.filters |= {"markdown": markdown, "json": functools.partial(json.dumps, ensure_ascii=False)}
    return environment.get_template(template).render(**values)
