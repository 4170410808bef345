"""A call of the exported model: the time that one image takes, and images per second in batches.

python benchmarks/export_call.py --json=out.json
python benchmarks/export_call.py --peer=torch        (needs PyTorch: pip install -e ".[benchmark]")

The paper's MNIST generator is exported and loaded again, and its signature `serving_default` called in Python, with
noise and codes as tensors. With --peer=torch the same generator in PyTorch, eager in inference mode, takes its turn
with the same inputs. Every call is timed by itself; PyTorch / ours is the median of the rounds' ratios.
"""

import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags
from common import define_flags, in_turn, median, median_ratio, paper_model, random_images, report

FLAGS = flags.FLAGS
define_flags(rounds=9, steps=50, image_size=28, peer=None)

BATCH_SIZES = (1, 64)


def exported_call(model, folder: Path):
    """A function of noise and codes, arrays by name, that binds them to a call of the exported model."""
    import tensorflow as tf

    from infogan_tf.export import export_saved_model

    signature = tf.saved_model.load(str(export_saved_model(model, folder))).signatures["serving_default"]

    def bind(inputs):
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        return lambda: signature(**tensors)["images"]

    return bind


def torch_call():
    """The same of the twin in PyTorch."""
    import torch
    from torch_twin import TorchTwin

    twin = TorchTwin(random_images(FLAGS.image_size, 2), batch_size=2, bfloat16=False)
    twin.generator.eval()

    def bind(inputs):
        noise, classes, *uniforms = (torch.from_numpy(array) for array in inputs.values())
        parts = noise, classes.long(), torch.stack(uniforms, dim=1)
        return lambda: twin.infer(*parts)

    return bind


def main(_):
    """Prints the table."""
    if FLAGS.peer:
        import torch_twin  # noqa: F401, before TensorFlow: see there

    model = paper_model(FLAGS.image_size, "float32")
    with tempfile.TemporaryDirectory() as folder:
        calls = {"ours": exported_call(model, Path(folder))}
    if FLAGS.peer:
        calls["torch"] = torch_call()
    contenders = {}
    for batch_size in BATCH_SIZES:
        noise, values = model.layout.sample_parts(batch_size, model.stream_seed("sample"))
        inputs = {"noise": noise.numpy(), **{name: value.numpy() for name, value in values.items()}}
        contenders |= {(batch_size, who): bind(inputs) for who, bind in calls.items()}
    times = in_turn(contenders, FLAGS.rounds, FLAGS.steps, warm_up=10)

    rows = []
    for batch_size in BATCH_SIZES:
        row = {"batch": batch_size}
        for who, title in (("ours", "ours"), ("torch", "PyTorch"))[: len(calls)]:
            own = times[batch_size, who]
            row[f"{title}, ms"] = float(np.median(own))
            row[f"{title}, 90th percentile"] = float(np.percentile(own, 90))
            row[f"{title}, images/s"] = 1e3 * batch_size / median(own)
        if FLAGS.peer:
            row["PyTorch / ours"] = median_ratio(times[batch_size, "torch"], times[batch_size, "ours"])
        rows.append(row)
    report(f"float32, {FLAGS.rounds} rounds of {FLAGS.steps} calls", rows, times)


if __name__ == "__main__":
    app.run(main)
