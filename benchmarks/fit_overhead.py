"""What fit() with every callback costs over the bare compiled step, the two alternating in one run.

python benchmarks/fit_overhead.py --dataset=mnist --epochs=5 --steps=500 --json=out.json

Each round times one epoch of fit(), with metrics, c1's error, pictures, TensorBoard and a checkpoint, and as many calls
of the same compiled step in a loop. The ratio of each pair counts, not the times: machines are shared.
"""

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

from absl import app, flags
from common import config_of, define_flags, report

FLAGS = flags.FLAGS
define_flags()
flags.DEFINE_string("dataset", "digits", "Data set, by its file in configs/.")
flags.DEFINE_integer("epochs", 5, "Rounds.", lower_bound=1)
flags.DEFINE_integer("steps", 0, "Steps in an epoch; 0 takes the data set's own.", lower_bound=0)


def main(_):
    """Prints the table."""
    from infogan_tf.data import load_data
    from infogan_tf.data.stream import stream
    from infogan_tf.models.build import build_model
    from infogan_tf.precision import choose_precision
    from infogan_tf.runs.directory import RunDirectory
    from infogan_tf.training.fit import fit

    config = config_of(FLAGS.dataset)
    steps = FLAGS.steps or config.eval_every
    config = dataclasses.replace(config, eval_every=steps, checkpoint_every=steps)
    data = load_data(config.dataset)
    precision, _ = choose_precision(config.precision)
    model = build_model(config, data.image_shape, precision)
    model.make_train_function()

    def bare():
        batches = iter(stream(data.train.images, config.batch_size))
        model.train_function(batches)
        started = time.perf_counter()
        for _ in range(steps):
            logs = model.train_function(batches)
        float(logs["d_loss"])
        return time.perf_counter() - started

    def whole(folder):
        run = RunDirectory(folder)
        run.path.mkdir(exist_ok=True)
        model.step.assign(0)
        round_config = dataclasses.replace(config, steps=steps)
        started = time.perf_counter()
        fit(model, data, round_config, run, "")
        return time.perf_counter() - started

    with tempfile.TemporaryDirectory() as folder:
        whole(Path(folder, "warm-up"))
        rounds = [(bare(), whole(Path(folder, str(i)))) for i in range(FLAGS.epochs)]
    rows = [
        {"round": i, "bare step, ms": 1e3 * a / steps, "fit(), ms": 1e3 * b / steps, "fit() / bare": b / a}
        for i, (a, b) in enumerate(rounds, 1)
    ]
    columns = list(rows[0])[1:]
    rows.append({"round": "median", **{name: statistics.median(row[name] for row in rows) for name in columns}})
    report(f"{config.dataset}, batch {config.batch_size}, {precision}, {steps} steps an epoch", rows)


if __name__ == "__main__":
    app.run(main)
