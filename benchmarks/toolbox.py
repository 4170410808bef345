"""What each option of the toolbox changes: c1's error, FID and time, over seeds, each option alone beside none.

python benchmarks/toolbox.py --folder=runs/toolbox --json=out.json

Every option is a sweep of main.py in a folder of its own. Runs that are done are not done again, so a program that was
stopped goes on.
"""

import statistics
import subprocess
import sys
from pathlib import Path

from absl import app, flags
from common import define_flags, report

FLAGS = flags.FLAGS
define_flags(steps=1_500)
flags.DEFINE_string("dataset", "digits", "Data set, by its file in configs/.")
flags.DEFINE_string("seeds", "0,1,2", "Seeds of every option.")
flags.DEFINE_string("folder", "runs/toolbox", "Where the sweeps lie, a folder each.")
flags.DEFINE_list("only", None, "Which of the options, by the names below; all if not given.")

# One size each, the paper's where it names one; none was tuned here.
OPTIONS = {
    "none": [],
    "hinge": ["--adversarial_loss=hinge"],
    "least_squares": ["--adversarial_loss=least_squares"],
    "Wasserstein with gradient penalty": ["--adversarial_loss=wasserstein", "--gradient_penalty_weight=10"],
    "gradient penalty": ["--gradient_penalty_weight=10"],
    "relativistic with R1 and R2": ["--adversarial_loss=relativistic", "--r1_weight=0.1", "--r2_weight=0.1"],
    "R1": ["--r1_weight=1"],
    "label smoothing": ["--label_smoothing=0.1"],
    "feature matching": ["--feature_matching_weight=1"],
    "minibatch discrimination": ["--minibatch_kernels=50"],
    "virtual batch norm": ["--virtual_batch_norm"],
    "spectral norm": ["--spectral_norm"],
    "instance noise": ["--instance_noise=0.1", "--instance_noise_steps=1000"],
    "augmentation": ["--augmentation=shift:0.125,brightness:0.2,cutout:0.5"],
    "contrast": ["--contrast_weight=1"],
    "historical averaging": ["--historical_averaging_weight=0.001"],
    "averages": ["--average_decay=0.99"],
    "two D updates": ["--d_updates=2"],
    "two G updates": ["--g_updates=2"],
    "slow start of lambda": ["--lambda_warmup=750"],
}
MAIN = Path(__file__).resolve().parents[1] / "main.py"


def main(_):
    """Prints the table."""
    unknown = set(FLAGS.only or ()) - set(OPTIONS)
    if unknown:
        sys.exit(f"--only: expected some of {', '.join(OPTIONS)}. Received: {', '.join(sorted(unknown))}")
    rows = [_row(name, _sweep(name)) for name in FLAGS.only or OPTIONS]
    report(f"{FLAGS.dataset}, {FLAGS.steps:,} steps, seeds {FLAGS.seeds}", rows)


def _sweep(name):
    """The finished runs of one option."""
    from infogan_tf.reports.comparison import read_runs

    folder = Path(FLAGS.folder, name.replace(" ", "_"))
    flags_of_runs = [f"--dataset={FLAGS.dataset}", f"--steps={FLAGS.steps}", *OPTIONS[name]]
    resume = ["--resume"] if (folder / "sweep.json").is_file() else []
    command = [sys.executable, str(MAIN), "--mode=sweep", *flags_of_runs, f"--seeds={FLAGS.seeds}", *resume]
    status = subprocess.run([*command, f"--run_dir={folder}"]).returncode
    if status:
        sys.exit(status)
    return read_runs(sorted(path.parent for path in folder.glob("*/evaluation.json")))


def _row(name, runs):
    """A row of the table; runs that broke are missing in it."""
    from infogan_tf.commands.sweep import figures_of

    figures = [figures_of(run) for run in runs]
    errors, distances = [each["c1_error"] for each in figures], [each["fid"] for each in figures]
    # The first epoch compiles.
    speeds = [line["images_per_second"] for run in runs for line in run.lines[1:]]
    return {
        "option": name,
        "flags": " ".join(OPTIONS[name]),
        "c1's error, %": ", ".join(f"{100 * error:.1f}" for error in errors),
        "median": 100 * statistics.median(errors) if runs else "all broke",
        "FID": ", ".join(f"{distance:.2f}" for distance in distances),
        "median FID": statistics.median(distances) if runs else "all broke",
        "images a second": statistics.median(speeds) if speeds else "none",
    }


if __name__ == "__main__":
    app.run(main)
