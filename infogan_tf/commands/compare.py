"""--mode=compare: several runs side by side, as a page or as data."""

from pathlib import Path

from infogan_tf.commands.output import comparison_output, suffix_of, writing_to
from infogan_tf.config.options import Config
from infogan_tf.environment.invocation import command_words
from infogan_tf.files import write_text
from infogan_tf.reports.comparison import compare_runs, find_runs
from infogan_tf.reports.results import results_text


def compare(config: Config, given: dict[str, object], argv: list[str]) -> Path:
    """Writes a page about several runs, or what is known of them as JSON.

    Raises:
        UserError: For bad input; nothing was written then.
    """
    output, runs = comparison_output(config.output), find_runs(config.runs)
    is_data = suffix_of(str(output)) == ".json"
    text = results_text(runs) if is_data else compare_runs(runs, command_words(argv[0]))[0]
    with writing_to(str(output)):
        write_text(output, text)
    print(f"Wrote {output}.")
    return output
