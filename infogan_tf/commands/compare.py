"""--mode=compare: one page about several runs."""

from pathlib import Path

from infogan_tf.commands.output import new_output, writing_to
from infogan_tf.config.options import Config
from infogan_tf.environment.invocation import command_words
from infogan_tf.files import write_text
from infogan_tf.reports.comparison import compare_runs, find_runs


def compare(config: Config, given: dict[str, object], argv: list[str]) -> Path:
    """Writes one page about several runs.

    Raises:
        UserError: For bad input; nothing was written then.
    """
    name = config.output or "compare.html"
    output = new_output(name, (".html",), "a new .html file")
    page, _ = compare_runs(find_runs(config.runs), command_words(argv[0]))
    with writing_to(name):
        write_text(output, page)
    print(f"Wrote {output}.")
    return output
