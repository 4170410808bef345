"""The texts that pages and model cards are filled into, and the one way to do it."""

import jinja2


def render(template: str, **values: object) -> str:
    """Fills in one of the templates beside this file.

    Args:
        template: Its file name. In .html text is escaped, and SVG is marked safe in the template; in .md it is not.
        **values: What the template names; one that is missing is an error.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("infogan_tf", "templates"),
        autoescape=jinja2.select_autoescape(("html",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**values)
