"""What the console shows when a run is done."""

import shlex
from pathlib import Path

from infogan_tf.callbacks import duration, read_lines
from infogan_tf.config import Config
from infogan_tf.data import ImageData, stream
from infogan_tf.models import InfoGAN
from infogan_tf.run_directory import RunDirectory

SAMPLES = 10_000
BATCH = 500


def measured_mutual_info(model: InfoGAN, data: ImageData) -> dict[str, float]:
    """L_I by code in nats, of 10,000 fresh samples with inference statistics."""
    images = stream(data.test_images, min(BATCH, len(data.test_images)), seed=model.seed)
    steps = -(-SAMPLES // min(BATCH, len(data.test_images)))
    logs = model.evaluate(images, steps=steps, verbose=0, return_dict=True)
    return {code.name: logs[f"mutual_info/{code.name}"] for code in model.layout.codes}


def summarize(
    model: InfoGAN, data: ImageData, config: Config, run: RunDirectory, steps: int, seconds: float, exported: Path
) -> None:
    """Prints length, speed, L_I beside H(c), c1's error, and the commands to go on with.

    Args:
        model: trained.
        data: that it was trained on.
        config: of the run.
        run: its folder.
        steps: done in this session.
        seconds: since the command was given.
        exported: the SavedModel's folder.
    """
    lines = read_lines(run.metrics_file)
    images = sum(line["images_per_second"] * line["seconds"] for line in lines)
    speed = images / sum(line["seconds"] for line in lines)
    print(f"\nDone: {config.steps:,} steps; {steps:,} of them now, in {duration(seconds)} ({speed:,.0f} images/s).\n")
    print("  Mutual information, nats, of 10,000 fresh samples with inference statistics:\n")
    print("  code         L_I    H(c)   most that Q can show")
    for name, value in measured_mutual_info(model, data).items():
        code = model.layout[name]
        print(f"  {name:<5} {value:>10.4f} {code.entropy:>7.4f} {code.ceiling:>8.4f}   {type(code).__name__.lower()}")
    for name, value in lines[-1].items():
        if name.endswith("_error"):
            print(f"\n  {name}: {value:.2%} of the test images, classes matched one-to-one to labels")
    folder = shlex.quote(str(run))
    print(f"\nPictures   {run.samples}")
    print(f"Watch      tensorboard --logdir {folder}")
    print(f"Sample     python main.py --mode=sample --run_dir={folder} --count=100 --output=grid.png")
    print(
        "Serve      docker run --rm -p 127.0.0.1:8501:8501 "
        f"-v {shlex.quote(str(exported.parent.resolve()))}:/models/infogan -e MODEL_NAME=infogan tensorflow/serving"
    )
