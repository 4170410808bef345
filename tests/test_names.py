"""Names that people give to runs, labels and files stand as they are in charts, pages, tables and on the console."""

import html
import re
import warnings

import pytest

from infogan_tf.commands import sweep
from infogan_tf.config.options import Config
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.export.metadata import make_metadata
from infogan_tf.export.model_card import model_card
from infogan_tf.reports import charts
from infogan_tf.reports.comparison import Run
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.templates import markdown

NAMES = [
    "$x$ and $y$",
    "\\frac{a}{b}",
    "_hidden_",
    "<b>bold</b>",
    "a|b",
    "x_1^2",
    "$\\bad{",
    "日本",
    "50% & more",
    "~~no~~",
]


def texts(svg):
    """What stands on a chart."""
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_shows_a_name_as_it_is(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lines = charts.line_chart({name: ([1, 2, 3], [1.0, 2.0, 3.0]), "empty": ([], [])}, "step", name, {name: 2.0})
        table = charts.heat_map([[1, 2], [3, 4]], [name, "other"], [name, "other"], name, "class")
    assert texts(lines).count(name) == 3  # the axis, the reference and the legend
    assert "empty" not in texts(lines)
    assert texts(table).count(name) == 3


def shown_by_markdown(text):
    """Markdown's text as a reader sees it, by an independent reader of it."""
    reader = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    page = reader.MarkdownIt("gfm-like", {"linkify": False}).render(f"| name |\n|---|\n| {text} |\n")
    cells = re.findall(r"<td>(.*)</td>", page)
    return [html.unescape(cell) for cell in cells], re.findall(r"<(\w+)", page)


@pytest.mark.parametrize(
    "name", [*NAMES, "`code`", "[a](b)", "![a](b)", "*a* **b**", "&amp;", "<!-- -->", "a\\|b", "__x__"]
)
def test_markdown_shows_a_name_as_it_is(name):
    cells, tags = shown_by_markdown(markdown(name))
    assert cells == [name]
    assert set(tags) == {"table", "thead", "tbody", "tr", "th", "td"}
    assert not re.search(r"(?<!\\)\$", markdown(name))  # what is between two of them is a formula, to many readers


def test_a_word_with_underscores_is_left_alone_and_a_line_stays_one():
    assert markdown("c1_error of fashion_mnist, rho = 0.68") == "c1_error of fashion_mnist, rho = 0.68"
    assert markdown("a\nb\x1b[0m") == "a\\\\nb\\\\x1b\\[0m"


def test_a_model_card_shows_names_as_they_are(live_model):
    evaluation = {
        "step": 2, "figures": {"fid": 1.0}, "stderrs": {},
        "codes": {"c1": {"does": "$a|b_ <img src=x>"}, "c2": {"does": "~x~ | y"}},
    }  # fmt: skip
    card = model_card(make_metadata(live_model, "float32", "_my_set", {"crop": "a|b~c~<d>"}, evaluation))
    assert "\n# InfoGAN on \\_my_set\n" in card
    assert "| c1 | categorical | 0 to 9 | \\$a\\|b\\_ \\<img src=x\\> |\n" in card
    assert "*c1 varied along each row: \\$a\\|b\\_ \\<img src=x\\>. All" in card
    assert '| crop | "a\\|b\\~c\\~\\<d\\>" |\n' in card


def test_a_sweep_shows_runs_as_they_are_called(tmp_path, capsys):
    found = Evaluation("quick", 2, figures={"fid": 1.0})
    runs = [Run(name, RunDirectory(tmp_path / name), Config(), [], found) for name in ("data_dir=a|$b-seed=0", "x\x1b")]
    assert "| data_dir=a\\|\\$b-seed=0 |" in sweep.sweep_table(runs, markdown)
    assert "| data_dir=a|$b-seed=0 |" in sweep.sweep_table(runs)
    assert "\x1b" not in sweep.sweep_table(runs)
