"""What the console shows when a run is done."""

import shlex
from pathlib import Path

from infogan_tf.config.options import Config
from infogan_tf.errors import printable
from infogan_tf.evaluation.figures import describe, is_headline, title_of
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.models.base import GenerativeModel
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import read_lines
from infogan_tf.training.watching import duration


def summarize(
    config: Config,
    model: GenerativeModel,
    run: RunDirectory,
    steps: int,
    seconds: float,
    exported: Path,
    found: Evaluation | None,
    program: list[str],
) -> None:
    """Prints length, speed, L_I beside H(c) or else the main figures, c1's error, and the commands to go on with.

    Args:
        config: The run's options.
        model: The run's model.
        run: The run's folder.
        steps: How many steps were done now.
        seconds: How long they took, from the command on.
        exported: The folder of the SavedModel.
        found: What the evaluation measured, or None without one.
        program: The words that call this program.
    """
    lines = read_lines(run.metrics_file)
    images = sum(line["images_per_second"] * line["seconds"] for line in lines)
    speed = images / sum(line["seconds"] for line in lines)
    print(f"\nDone: {config.steps:,} steps; {steps:,} of them now, in {duration(seconds)} ({speed:,.0f} images/s).")
    if set(model.read_codes) & set(model.layout.codes):
        _print_information(model, lines[-1], found)
    elif found:
        _print_figures(found)
    for name, value in lines[-1].items():
        if name.endswith("_error"):
            how = "classes are labels" if config.labelled else "classes matched one-to-one to labels"
            print(f"\n  {name}: {value:.2%} of the test images, {how}")
    folder, again = shlex.quote(str(run)), shlex.join(program)
    print(f"\nPictures   {run.samples}")
    if found:
        print(f"Report     {run.report}")
    print(f"Measure    {again} --mode=evaluate --run_dir={folder}")
    print(f"Watch      tensorboard --logdir {folder}")
    print(f"Sample     {again} --mode=sample --run_dir={folder} --count=100 --output=grid.png")
    print(f"Explore    {again} --mode=explore --run_dir={folder}")
    print(
        "Serve      docker run --rm -p 127.0.0.1:8501:8501 "
        f"-v {shlex.quote(str(exported.parent.resolve()))}:/models/infogan -e MODEL_NAME=infogan tensorflow/serving"
    )


def _print_figures(found):
    """What is told first of a model that has no codes."""
    print(f"\n  Measured ({found.setting}):\n")
    for name, value in found.figures.items():
        if is_headline(name):
            print(f"  {title_of(name)}: {describe(name).text(value, found.stderrs.get(name))}")


def _print_information(model, line, found):
    """L_I of each code that is read: of the evaluation, or of the last epoch, whose line of metrics is given."""
    figures, where = (found.figures, "fresh samples") if found else (line, "the last epoch's training batches")
    print(f"\n  Mutual information L_I of {where}, nats:\n")
    print("  code         L_I    H(c)   most that Q can show")
    for code in model.read_codes:
        does = found.codes[code.name].get("does", "") if found else type(code).__name__.lower()
        value = figures.get(f"mutual_info/{code.name}")
        text = "unknown" if value is None else f"{value:.4f}"
        print(f"  {code.name:<5} {text:>10} {code.entropy:>7.4f} {code.ceiling:>8.4f}   {printable(does)}")
