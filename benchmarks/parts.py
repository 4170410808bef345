"""The parts of a train step of the paper's MNIST networks, and what share each has of the whole.

python benchmarks/parts.py --json=out.json

Each part is compiled by itself, on the same model and the same shapes, and takes its turn with the whole step in every
round. A backward pass cannot run without its forward pass: what is given is the time of both less that of the forward
passes alone, in the same round, so that a part may come out below zero where it is less than what the machine wavers
by. Compiled apart, parts neither overlap nor share what they compute: their sum need not be the whole.
`prob_fake_after` is computed at every tenth step; with --steps a multiple of ten the shares hold a tenth of it.
"""

import numpy as np
from absl import app, flags
from common import (
    PRECISIONS,
    define_flags,
    in_turn,
    median,
    median_ratio,
    paper_model,
    random_images,
    report,
    train_step,
)

FLAGS = flags.FLAGS
define_flags(rounds=7, steps=10, batch_size=128, image_size=28, precisions=PRECISIONS)


class Parts:
    """`GAN.train_step` cut into functions that are given what they need; in order, they make a whole step.

    Args:
        model: The compiled model, in float32 or bfloat16.
    """

    def __init__(self, model):
        self.model = model

    def batch(self, batches):
        """Real images and latents."""
        from infogan_tf.data.pixels import unit_images

        images = unit_images(next(batches))
        return images, self.model.draw(len(images), self.model.stream_seed("train", self.model.step))

    def fake(self, latents):
        """The generator's images."""
        return self.model.generator(latents, training=True)

    def d_pass(self, real_images, fake_images, latents):
        """Real and fake images through D, the fakes' features through Q: the whole loss; and what is logged."""
        return self.model.d_pass(_real(real_images), fake_images, latents, self.model.stream_seed("regularize"))

    def d_gradients(self, real_images, fake_images, latents):
        """Of D's and Q's weights; and what is logged."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            total, logged = self.d_pass(real_images, fake_images, latents)
        return tape.gradient(total, self.model.variables_of("d")), logged

    def d_update(self, gradients):
        """Moves the weights of D and Q."""
        self.model.d_optimizer.apply(gradients, self.model.variables_of("d"))

    def g_pass(self, real_images, fake_images, latents):
        """The fakes through D and Q once more: the generator's whole loss; and what is logged."""
        return self.model.g_pass(_real(real_images), fake_images, latents, self.model.stream_seed("regularize"))

    def g_gradients(self, real_images, latents):
        """Of the generator's weights, with its forward pass and D's; and what is logged."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            total, logged = self.g_pass(real_images, self.fake(latents), latents)
        return tape.gradient(total, self.model.variables_of("g")), logged

    def g_update(self, gradients):
        """Moves the weights of the generator."""
        self.model.g_optimizer.apply(gradients, self.model.variables_of("g"))

    def log(self, latents, d_logged, g_logged):
        """Counts the figures and the step, and brings averages up to date; the figures' means so far."""
        import tensorflow as tf

        from infogan_tf.models.gan import AFTER_EVERY

        model, figures = self.model, d_logged | g_logged
        is_due = model.step % AFTER_EVERY == 0
        seed = model.stream_seed("regularize")
        figures["prob_fake_after"] = tf.cond(is_due, lambda: model._output_after(latents, seed), lambda: 0.0)
        model.log(figures, counts={"prob_fake_after": is_due})
        return model.end_step()


def _real(images):
    from infogan_tf.objectives.term import Real

    return Real(images)


def compiled(model, images: np.ndarray, batch_size: int):
    """Functions without arguments, by name: each part, compiled and bound to one batch; and the whole step."""
    import tensorflow as tf

    from infogan_tf.data.stream import stream

    parts, batches = Parts(model), iter(stream(images, batch_size))
    names = ("batch", "fake", "d_pass", "d_gradients", "d_update", "g_pass", "g_gradients", "g_update", "log")
    functions = {name: tf.function(getattr(parts, name)) for name in names}

    real_images, latents = functions["batch"](batches)
    fake_images = functions["fake"](latents)
    d_gradients, d_logged = functions["d_gradients"](real_images, fake_images, latents)
    g_gradients, g_logged = functions["g_gradients"](real_images, latents)
    inputs = {
        "batch": (batches,),
        "fake": (latents,),
        "d_pass": (real_images, fake_images, latents),
        "d_gradients": (real_images, fake_images, latents),
        "d_update": (d_gradients,),
        "g_pass": (real_images, fake_images, latents),
        "g_gradients": (real_images, latents),
        "g_update": (g_gradients,),
        "log": (latents, d_logged, g_logged),
    }
    bound = {name: lambda name=name: functions[name](*inputs[name]) for name in names}
    return bound | {"whole": train_step(model, images, batch_size)}


def main(_):
    """Prints the table."""
    images = random_images(FLAGS.image_size)
    contenders = {}
    for precision in FLAGS.precisions:
        model = paper_model(FLAGS.image_size, precision)
        functions = compiled(model, images, FLAGS.batch_size)
        contenders |= {(precision, name): function for name, function in functions.items()}
    times = in_turn(contenders, FLAGS.rounds, FLAGS.steps)

    rows = []
    for precision in FLAGS.precisions:
        of = {name: values for (which, name), values in times.items() if which == precision}
        parts = {
            "real images and latents": of["batch"],
            "G forward": of["fake"],
            "D and Q forward, real and fake": of["d_pass"],
            "D and Q backward": of["d_gradients"] - of["d_pass"],
            "D and Q update": of["d_update"],
            "D and Q forward for G": of["g_pass"],
            "G backward, through D and Q": of["g_gradients"] - of["fake"] - of["g_pass"],
            "G update": of["g_update"],
            "figures": of["log"],
        }
        parts["sum of the parts"] = sum(parts.values())
        parts["whole step"] = of["whole"]
        for name, values in parts.items():
            share = median_ratio(values, of["whole"])
            rows.append({"precision": precision, "part": name, "ms": median(values), "share of the whole": share})
    report(f"batch {FLAGS.batch_size}, median of {FLAGS.rounds} rounds of {FLAGS.steps} calls", rows, times)


if __name__ == "__main__":
    app.run(main)
