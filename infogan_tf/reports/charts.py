"""Charts as SVG text, ready to stand in a page."""

import io
import warnings

import matplotlib
import matplotlib.ticker
import numpy as np
from matplotlib.figure import Figure

# Distinguishable with any colour vision (Okabe and Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
# Beyond it, near the largest float, Matplotlib finds no ticks.
_LARGEST = 1e300
# Characters of names that have room side by side.
LEGEND_WIDTH = 50
_STYLE = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and takes the page's font
    "svg.hashsalt": "infogan_tf",  # the same figure gives the same bytes
    "text.parse_math": False,  # a name with two $ in it is no formula
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
}


def line_chart(
    series: dict[str, tuple[list[float], list[float]]],
    x_label: str,
    y_label: str,
    references: dict[str, float] | None = None,
) -> str:
    """Lines by name, each of (x values, y values), and dashed horizontal lines at named references."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.4, 3.0), layout="constrained")
        axes = figure.add_subplot(xlabel=x_label, ylabel=y_label)
        for x, y in series.values():
            # A line of nothing keeps its colour, so that a name has one on every chart, but is not in the legend.
            axes.plot(x, y, linewidth=1.6, marker="." if len(x) < 3 else None)
        for name, y in (references or {}).items():
            axes.axhline(y, linestyle="--", linewidth=1, color="#666666")
            axes.annotate(name, (1, y), xycoords=("axes fraction", "data"), ha="right", va="bottom", color="#444444")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5, integer=True))
        if any(x for x, _ in series.values()):
            # Below the axes: a legend inside hides what it explains.
            columns = max(1, min(3, LEGEND_WIDTH // max(map(len, series))))
            # Each line by itself: of those that it looks for, it leaves out names that begin with _.
            shown = [(line, name) for line, name in zip(axes.lines, series, strict=False) if len(line.get_xdata())]
            figure.legend(*zip(*shown, strict=True), loc="outside lower center", ncols=columns, frameon=False)
        return _svg(figure)


def curve(lines: list[dict[str, float]], key: str) -> tuple[list[float], list[float]]:
    """The steps and values of one logged figure, from the lines of metrics.jsonl that have one that can be drawn."""
    points = [(line["step"], line[key]) for line in lines if key in line and abs(line[key]) < _LARGEST]
    return [step for step, _ in points], [value for _, value in points]


def heat_map(counts: list[list[int]], rows: list[str], columns: list[str], y_label: str, x_label: str) -> str:
    """A table of counts, darker where there are more of the row's total."""
    with matplotlib.rc_context(_STYLE | {"axes.grid": False}):
        size = 1.4 + 0.34 * max(len(rows), len(columns))
        figure = Figure(figsize=(size, size), layout="constrained")
        axes = figure.add_subplot(xlabel=x_label, ylabel=y_label)
        shares = [[count / max(sum(row), 1) for count in row] for row in counts]
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(columns)), columns, rotation=90 if max(map(len, columns)) > 4 else 0)
        axes.set_yticks(range(len(rows)), rows)
        for i, row in enumerate(counts):
            for j, count in enumerate(row):
                if count:
                    ink = "white" if shares[i][j] > 0.5 else "black"
                    axes.text(j, i, count, ha="center", va="center", fontsize=7, color=ink)
        return _svg(figure)


def change_maps(maps: dict[str, np.ndarray], columns: int = 6) -> str:
    """Pictures of where something changes, [H, W] each, by name; each from black, 0, to the brightest, its own most."""
    rows = -(-len(maps) // columns)
    height, width = next(iter(maps.values())).shape
    side = 1.6  # inches
    with matplotlib.rc_context(_STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(side * min(columns, len(maps)), rows * (side * height / width + 0.4)))
        grid = figure.subplots(rows, min(columns, len(maps)), squeeze=False).ravel()
        for axes in grid:
            axes.set_axis_off()
        for axes, (name, values) in zip(grid, maps.items(), strict=False):
            most = float(values.max())
            axes.imshow(values, cmap="inferno", vmin=0.0, vmax=most or 1.0, interpolation="nearest")
            axes.set_title(f"{name}: {most:.2f}", fontsize=9)
        figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=1 - 0.3 / figure.get_size_inches()[1],
                               wspace=0.08, hspace=0.35)  # fmt: skip
        return _svg(figure)


def _svg(figure) -> str:
    text = io.StringIO()
    with warnings.catch_warnings():
        # As text stays text, the page's font draws it.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    # What stands before the element belongs to a file, not into a page.
    return text.getvalue()[text.getvalue().index("<svg") :]
