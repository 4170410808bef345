"""A generative adversarial network: one train step that updates D, then G."""

import functools
from collections.abc import Sequence
from typing import ClassVar

import keras
import tensorflow as tf

from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.base import GenerativeModel, check_fit
from infogan_tf.networks.layers import batch_statistics
from infogan_tf.objectives.adversarial import ADVERSARIAL_LOSSES
from infogan_tf.objectives.term import Batch, Real, Term
from infogan_tf.random import fold_in

# D's output on fakes after the G update costs one more pass through G and D; every tenth step is enough for a curve.
AFTER_EVERY = 10


@keras.saving.register_keras_serializable(package="infogan_tf")
class GAN(GenerativeModel):
    """Trains a generator whose images a discriminator cannot tell from real ones (Goodfellow et al. 2014).

        min_G max_D  V(D, G) = E_x[log D(x)] + E_z[log(1 - D(G(z)))]

    D is a trunk of features and a head; `compile` chooses what the two players minimise, and adds terms to it. Calling
    the model generates images from latents.

    `fit` takes images [B, H, W, C], integers in 0..255 or floats in 0..1, from an array or a tf.data.Dataset (labels
    beside them are ignored). It logs the epoch's means of:

        d_loss                  what D minimises, before its terms; in nats with the default loss, -V(D, G)
        g_loss                  what G minimises, likewise, after the D update; -E[log D(G(z))]
        prob_real               D(x)
        prob_fake_before        D(G(z)) before the G update (D already updated)
        prob_fake_after         the same of the same latents after the G update; every tenth step

    and what its terms log. With a loss that makes D's output no probability, the mean of D's output itself is logged:
    output_real, output_fake_before, output_fake_after. `evaluate` gives the same figures, but those after the update,
    with inference statistics, on given images and fresh latents.

    Args:
        layout: A LatentLayout, or its text such as "normal_noise:100".
        generator: Latents [B, layout.width] to images [B, H, W, C] in [0, 1].
        trunk: Images to features [B, F].
        d_head: Features to the logit of "real", [B, 1].
        seed: Of every draw of latents, an integer.
        name: Of the model.
        **others: The further networks of a subclass, by role; and what `keras.Model` takes.
    """

    PLAYERS: ClassVar[dict[str, tuple[str, ...]]] = {"g": ("generator",), "d": ("trunk", "d_head")}

    def __init__(
        self,
        layout: LatentLayout | str,
        generator: keras.Model,
        trunk: keras.Model,
        d_head: keras.Model,
        seed: int = 0,
        name: str = "gan",  # Keras's own choice counts models, and would differ between a run and its resumption
        **others,
    ):
        networks = {"generator": generator, "trunk": trunk, "d_head": d_head}
        networks |= {role: others.pop(role) for role in self.roles() if role in others}
        super().__init__(layout, networks, seed=seed, name=name, **others)
        check_fit("trunk", trunk, generator)
        for role in self.roles():
            if role.endswith("_head"):
                check_fit(role, networks[role], trunk)
        if d_head.output_shape[-1] != 1:
            raise ValueError(f"d_head: expected one output. Received: {d_head.output_shape[-1]}")

    # === Compiling ===

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer,
        g_optimizer: keras.optimizers.Optimizer,
        adversarial_loss: str = "nonsaturating",
        real_target: float = 1.0,
        regularizers: Sequence[Term] = (),
        d_updates: int = 1,
        g_updates: int = 1,
        average_decay: float = 0.0,
        **kwargs,
    ):
        """Sets what `fit` needs.

        Args:
            d_optimizer: Updates trunk and D head, and Q head where there is one.
            g_optimizer: Updates the generator.
            adversarial_loss: One of `adversarial.ADVERSARIAL_LOSSES`.
            real_target: What D is to say of real images, in (0, 1]; below 1 is one-sided label smoothing, which a loss
                without a target for D's output does not know.
            regularizers: Terms that are added to the losses, in this order.
            d_updates: Updates of D in a step, each on a part of its own of the step's real images.
            g_updates: Updates of the generator in a step. The last of D's and the first of the generator's share their
                latents.
            average_decay: Decay per step of the weights' exponential moving averages, in [0, 1), see `averaged`; 0
                keeps none.
            **kwargs: As `keras.Model.compile` takes them (jit_compile, run_eagerly, steps_per_execution).

        Raises:
            ValueError: For an unknown loss, or a target that it does not know; for numbers out of range; and as
                `GenerativeModel.compile_players`.
        """
        for what, given in (("d_updates", d_updates), ("g_updates", g_updates)):
            if not isinstance(given, int) or given < 1:
                raise ValueError(f"{what}: expected an integer from 1. Received: {given!r}")
        if not 0.0 < real_target <= 1.0:
            raise ValueError(f"real_target: expected a number above 0, at most 1. Received: {real_target!r}")
        loss = ADVERSARIAL_LOSSES.get(adversarial_loss)
        if loss is None:
            raise ValueError(
                f"adversarial_loss: expected one of {', '.join(ADVERSARIAL_LOSSES)}. Received: {adversarial_loss!r}"
            )
        if real_target != 1.0 and not loss.takes_target:
            raise ValueError(f"real_target: expected 1 with the {adversarial_loss} loss. Received: {real_target}")
        self.adversarial_loss = loss
        self.d_objective = (
            functools.partial(loss.discriminator, real_target=real_target) if loss.takes_target else loss.discriminator
        )
        self.updates = {"d_updates": d_updates, "g_updates": g_updates}
        self.compiled_with = {"adversarial_loss": adversarial_loss, "real_target": real_target, **self.updates}
        self.regularizers = list(regularizers)
        optimizers = {"d": d_optimizer, "g": g_optimizer}
        self.compile_players(optimizers, [*self.own_terms(), *self.regularizers], average_decay, **kwargs)

    def own_terms(self) -> list[Term]:
        """The terms that make the model what it is; they come before those that `compile` is given."""
        return []

    def get_compile_config(self):
        """Every argument of `compile`, for `keras.saving`; None before it."""
        if not self.compiled:
            return None
        regularizers = [keras.saving.serialize_keras_object(term) for term in self.regularizers]
        return {**self.players_config(), **self.compiled_with, "regularizers": regularizers}

    def logged(self):  # noqa: D102
        outputs = [f"{self.adversarial_loss.output_name}_{of}" for of in ("real", "fake_before", "fake_after")]
        return ["d_loss", "g_loss", *super().logged(), *outputs]

    def warnings(self, logs, step):  # noqa: D102
        return {"adversarial loss": self.adversarial_loss.warning(logs), **super().warnings(logs, step)}

    # === Training ===

    def train_step(self, data):
        """An update of what D's optimizer trains, then one of the generator, on one draw of latents.

        Under a `tf.distribute` strategy each replica sees its part of the real images and of the latents that one
        device would have drawn; gradients and figures are the means over the whole batch.
        """
        d_updates, g_updates = self.updates["d_updates"], self.updates["g_updates"]
        rounds = d_updates + g_updates - 1
        parts = parts_of(self.real_of(data), d_updates)
        seed, other_seed = self.stream_seed("train", self.step), self.stream_seed("regularize", self.step)
        figures = {}
        for i in range(rounds):
            # D's updates are the first of the rounds, the generator's the last.
            real = parts[min(i, d_updates - 1)]
            # G's weights do not move before its own update, so one forward pass serves both updates.
            with tf.GradientTape() as g_tape:
                latents = self.latents_for(real, fold_in(seed, i) if i else seed)
                fake_images = self.generator(latents, training=True)
            if i < d_updates:
                with tf.GradientTape() as d_tape:
                    total, d_figures = self.d_pass(
                        real, tf.stop_gradient(fake_images), latents, fold_in(other_seed, 2 * i)
                    )
                    total = self.scaled("d", total)
                self.update("d", d_tape, total)
                figures |= d_figures
            if i >= rounds - g_updates:
                with g_tape:
                    last_seed = fold_in(other_seed, 2 * i + 1)
                    total, g_figures = self.g_pass(real, fake_images, latents, last_seed)
                    total = self.scaled("g", total)
                self.update("g", g_tape, total)
                figures |= g_figures

        is_due = self.step % AFTER_EVERY == 0
        after = f"{self.adversarial_loss.output_name}_fake_after"
        figures[after] = tf.cond(is_due, lambda: self._output_after(latents, last_seed), lambda: 0.0)
        self.log(figures, counts={after: is_due})
        return self.end_step()

    def latents_for(self, real: Real, seed: tf.Tensor) -> tf.Tensor:
        """Latents [B, layout.width] of as many generated images as there are real ones."""
        return self.draw(tf.shape(real.images)[0], seed)

    def conditions_of(self, latents: tf.Tensor) -> tf.Tensor | None:
        """What D is told of images beside them, [B, N], a part of the latents [B, layout.width]; None without."""
        return None

    def logits(self, features: tf.Tensor, conditions: tf.Tensor | None, training: bool) -> tf.Tensor:
        """D's logits [B, 1] of features [B, F]; of `conditions`, see `conditions_of`, a subclass makes something."""
        return self.d_head(features, training=training)

    def d_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor, batch: Batch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """What D minimises before its terms, a scalar, of its logits [B, 1]; and what else is logged, by name."""
        return self.d_objective(real_logits, fake_logits), {}

    def d_pass(self, real, fake_images, latents, seed):
        """Real and fake images through D, in training; `seed` is the terms'.

        Returns:
            What D's optimizer minimises, a scalar; and what is logged of this pass, by name.
        """
        images = self.shown(tf.concat([real.images, fake_images], axis=0), seed)
        conditions = self.conditions_of(latents)
        if conditions is not None:
            conditions = tf.tile(conditions, (2, 1))
        # One pass of both through D; batch norm's statistics are of each alone.
        with batch_statistics(parts=2):
            features = self.trunk(images, training=True)
            real_logits, fake_logits = tf.split(self.logits(features, conditions, training=True), 2)
        real_features, fake_features = tf.split(features, 2)
        batch = Batch(real, fake_images, latents, real_features, fake_features, seed, *tf.split(images, 2))
        loss, own = self.d_loss(real_logits, fake_logits, batch, training=True)
        total, figures = self._with_terms("d", loss, batch)
        return total, {"d_loss": loss, **self.outputs(real=real_logits), **own, **figures}

    def g_pass(self, real, fake_images, latents, seed):
        """Fake images through D for the generator, in training; `seed` is the terms'.

        Returns:
            What the generator's optimizer minimises, a scalar; and what is logged of this pass, by name.
        """
        images = self.shown(fake_images, seed)
        # The scope uses the batch's statistics without recording them: D's moving averages then hold real and fake
        # images in equal parts, which is what D is trained on.
        with keras.StatelessScope():
            features = self.trunk(images, training=True)
            conditions = self.conditions_of(latents)
            logits = self.logits(features, conditions, training=True)
            loss = self.generator_loss(logits, real, conditions, fold_in(seed, 4))
        batch = Batch(real, fake_images, latents, None, features, seed, None, images)
        total, figures = self._with_terms("g", loss, batch)
        return total, {"g_loss": loss, **self.outputs(fake_before=logits), **figures}

    def shown(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """What D is shown of images [B, H, W, C] in training."""
        for term in self.terms:
            images = term.show(self, images, seed)
        return images

    def generator_loss(
        self, fake_logits: tf.Tensor, real: Real, conditions: tf.Tensor | None, seed: tf.Tensor | None
    ) -> tf.Tensor:
        """The generator's loss, a scalar, of D's logits [B, 1] of fake images under `conditions`.

        One that reads D's logits of real images, too, takes them under the same, and as D is shown them in training by
        `seed`; None is as in inference.
        """
        if not self.adversarial_loss.is_paired:
            return self.adversarial_loss.generator(fake_logits)
        training = seed is not None
        features = self.trunk(self.shown(real.images, seed) if training else real.images, training=training)
        return self.adversarial_loss.generator(fake_logits, self.logits(features, conditions, training))

    def _with_terms(self, player, loss, batch):
        """The loss of "d" or "g" with its terms, and what they log."""
        figures = {}
        for term in self.terms:
            if term.has(player):
                added, found = term.added(player, self, batch)
                loss += added
                figures |= found
        return loss, figures

    def outputs(self, **logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """The means of D's output, by the names they are logged under."""
        loss = self.adversarial_loss
        return {f"{loss.output_name}_{of}": loss.mean_output(value) for of, value in logits.items()}

    def _output_after(self, latents, seed):
        # Replicas cannot talk to each other inside a branch.
        with keras.StatelessScope(), batch_statistics(across_replicas=False):
            images = self.shown(self.generator(latents, training=True), seed)
            features = self.trunk(images, training=True)
            logits = self.logits(features, self.conditions_of(latents), training=True)
        return self.adversarial_loss.mean_output(logits)

    def test_step(self, data):
        """The train step's figures with inference statistics, on fresh latents; nothing is updated."""
        real = self.real_of(data)
        seed = self.evaluation_seed()
        latents = self.latents_for(real, seed)
        fake_images = self.generator(latents, training=False)
        real_features, features = self.describe(real.images), self.describe(fake_images)
        conditions = self.conditions_of(latents)
        real_logits, fake_logits = (self.logits(each, conditions, training=False) for each in (real_features, features))
        batch = Batch(real, fake_images, latents, real_features, features, seed, real.images, fake_images)
        d_loss, own = self.d_loss(real_logits, fake_logits, batch, training=False)
        figures = {
            "d_loss": d_loss,
            "g_loss": self.generator_loss(fake_logits, real, conditions, None),
            **self.outputs(real=real_logits, fake_before=fake_logits),
            **own,
        }
        for term in self.terms:
            figures |= term.evaluated(self, latents, features)
        return self.end_test_step(figures)


def parts_of(real: Real, count: int) -> list[Real]:
    """`count` parts of what a step is given, as equal as can be; of fewer images than parts some are in several."""
    if count == 1:
        return [real]

    def part(rows, i):
        size = tf.shape(rows)[0]
        start, end = size * i // count, size * (i + 1) // count
        return rows[start : tf.maximum(end, start + 1)]

    return [real.map(functools.partial(part, i=i)) for i in range(count)]
