"""What the console shows when a run is done."""

import shlex
from pathlib import Path

from infogan_tf.callbacks import duration, read_lines
from infogan_tf.config import Config
from infogan_tf.evaluation.result import Evaluation
from infogan_tf.latents import LatentLayout
from infogan_tf.run_directory import RunDirectory


def summarize(
    config: Config, run: RunDirectory, steps: int, seconds: float, exported: Path, found: Evaluation | None
) -> None:
    """Prints length, speed, L_I beside H(c), c1's error, and the commands to go on with.

    Args:
        config: of the run.
        run: its folder.
        steps: done in this session.
        seconds: that they took, from the command on.
        exported: the SavedModel's folder.
        found: what the evaluation measured, or None without one.
    """
    lines = read_lines(run.metrics_file)
    images = sum(line["images_per_second"] * line["seconds"] for line in lines)
    speed = images / sum(line["seconds"] for line in lines)
    print(f"\nDone: {config.steps:,} steps; {steps:,} of them now, in {duration(seconds)} ({speed:,.0f} images/s).\n")
    figures, where = (found.figures, "fresh samples") if found else (lines[-1], "the last epoch's training batches")
    print(f"  Mutual information L_I of {where}, nats:\n")
    print("  code         L_I    H(c)   most that Q can show")
    for code in LatentLayout.parse(config.latents, config.posterior_stddev).codes:
        does = found.codes[code.name].get("does", "") if found else type(code).__name__.lower()
        # Where the evaluation measured, H(c) is that of class frequencies that were learnt.
        facts = found.codes[code.name] if found else {"entropy": code.entropy, "ceiling": code.ceiling}
        value = figures[f"mutual_info/{code.name}"]
        print(f"  {code.name:<5} {value:>10.4f} {facts['entropy']:>7.4f} {facts['ceiling']:>8.4f}   {does}")
    for name, value in lines[-1].items():
        if name.endswith("_error"):
            print(f"\n  {name}: {value:.2%} of the test images, classes matched one-to-one to labels")
    folder = shlex.quote(str(run))
    print(f"\nPictures   {run.samples}")
    if found:
        print(f"Report     {run.report}")
    print(f"Measure    python main.py --mode=evaluate --run_dir={folder}")
    print(f"Watch      tensorboard --logdir {folder}")
    print(f"Sample     python main.py --mode=sample --run_dir={folder} --count=100 --output=grid.png")
    print(f"Explore    python main.py --mode=explore --run_dir={folder}")
    print(
        "Serve      docker run --rm -p 127.0.0.1:8501:8501 "
        f"-v {shlex.quote(str(exported.parent.resolve()))}:/models/infogan -e MODEL_NAME=infogan tensorflow/serving"
    )
