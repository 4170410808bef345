"""InfoGAN as a Keras model: one train step that updates D and Q, then G."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from infogan_tf.latents import LatentLayout, fold_in
from infogan_tf.layers import batch_statistics
from infogan_tf.losses import discriminator_loss, generator_loss
from infogan_tf.models.means import Means

# Every random draw of a run is a pure function of (seed, stream, position): what is drawn in one stream moves no other.
STREAMS = {"train": 0, "evaluate": 1, "pictures": 2, "sample": 3, "measure": 4}

# prob_fake_after costs one more pass through G and D; every tenth step is enough for a curve.
PROB_FAKE_AFTER_EVERY = 10


@keras.saving.register_keras_serializable(package="infogan_tf")
class InfoGAN(keras.Model):
    """Trains a generator whose latent codes can be read back from its images (Chen et al. 2016).

        min_{G,Q} max_D  V(D, G) - lambda L_I(G, Q)

    D and Q share the trunk. Trunk, D head and Q head belong to `d_optimizer`, the generator to `g_optimizer`, and the
    information term stands in both losses. Calling the model generates images from latents.

    `fit` takes images [B, H, W, C], uint8 in 0..255 or float in 0..1, from an array or a tf.data.Dataset (labels beside
    them are ignored). It logs the epoch's means of:

        d_loss                  -V(D, G), nats
        g_loss                  -E[log D(G(z, c))] after the D update, nats
        q_loss                  -sum of E[log Q(c|x)] over the codes, unweighted, nats
        mutual_info, mutual_info/<code>   L_I in total and by code, nats
        prob_real               mean D(x)
        prob_fake_before        mean D(G(z, c)) before the G update (D already updated)
        prob_fake_after         the same of the same latents after the G update; every tenth step

    `evaluate` gives the same figures, but prob_fake_after, with inference statistics, on given images and fresh
    latents.

    Args:
        layout: a LatentLayout, or its text such as "noise:62,cat:10,uniform:2".
        generator, trunk, d_head, q_head: the four networks, as `networks.paper_networks` builds them.
        posterior_stddev: fixes the standard deviation of continuous posteriors where `layout` is text; None learns it.
        seed: of every draw of latents.
    """

    def __init__(
        self,
        layout: LatentLayout | str,
        generator: keras.Model,
        trunk: keras.Model,
        d_head: keras.Model,
        q_head: keras.Model,
        posterior_stddev: float | None = None,
        seed: int = 0,
        name: str = "infogan",  # Keras's own choice counts models, and would differ between a run and its resumption
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if isinstance(layout, str):
            layout = LatentLayout.parse(layout, posterior_stddev)
        if generator.input_shape[-1] != layout.width or q_head.output_shape[-1] != layout.num_parameters:
            raise ValueError(
                f"layout {layout} needs a generator of {layout.width} inputs and a Q head of {layout.num_parameters} "
                f"outputs. Received: {generator.input_shape[-1]} and {q_head.output_shape[-1]}"
            )

        # === Layers ===
        self.generator = generator
        self.trunk = trunk
        self.d_head = d_head
        self.q_head = q_head
        # Counts train steps. The optimizers' counters stand still where float16 skips a step; this one never does.
        self.step = self.add_weight(name="step", shape=(), dtype="int64", initializer="zeros", trainable=False)
        self.built = True

        # === Metrics ===
        names = ["d_loss", "g_loss", "q_loss", "mutual_info"]
        names += [f"mutual_info/{code.name}" for code in layout.codes]
        names += ["prob_real", "prob_fake_before", "prob_fake_after"]
        self.means = Means(names)

        # === Config ===
        self.layout = layout
        self.seed = seed

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        networks = {name: getattr(self, name) for name in ("generator", "trunk", "d_head", "q_head")}
        return {
            **super().get_config(),
            "layout": self.layout.text,
            **{name: keras.saving.serialize_keras_object(network) for name, network in networks.items()},
            "posterior_stddev": self.layout.posterior_stddev,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The inverse of `get_config`."""
        config = dict(config)
        for name in ("generator", "trunk", "d_head", "q_head"):
            config[name] = keras.saving.deserialize_keras_object(config[name], custom_objects)
        return cls(**config)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What the steps log; Keras's own list would add a `loss` that is always 0."""
        return [self.means]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return tuple(self.generator.output_shape[1:])

    # === Compiling ===

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer,
        g_optimizer: keras.optimizers.Optimizer,
        lambda_info: float = 1.0,
        lambda_cat: float | None = None,
        lambda_cont: float | None = None,
        **kwargs,
    ):
        """Sets what `fit` needs.

        A code of weight 0 is the paper's baseline, a regular GAN: Q's head still learns to read the code, so that L_I
        is a fair reading, but no gradient of it reaches the generator or the trunk.

        Args:
            d_optimizer: updates trunk, D head and Q head.
            g_optimizer: updates the generator.
            lambda_info: the weight of L_I.
            lambda_cat: the weight for categorical and Bernoulli codes, in place of lambda_info.
            lambda_cont: the weight for continuous codes, in place of lambda_info.
            **kwargs: as `keras.Model.compile` takes them (jit_compile, run_eagerly, steps_per_execution).
        """
        # Without optimizer=None Keras makes a phantom "rmsprop" that is saved and logged.
        super().compile(optimizer=None, loss=None, **kwargs)
        float16 = any(layer.compute_dtype == "float16" for layer in self.trunk.layers + self.generator.layers)
        self.d_optimizer = _with_loss_scale(d_optimizer) if float16 else d_optimizer
        self.g_optimizer = _with_loss_scale(g_optimizer) if float16 else g_optimizer
        # Built here, so that saved state has somewhere to go when a model is loaded.
        self.d_optimizer.build(self.d_variables)
        self.g_optimizer.build(self.g_variables)
        self.lambdas = {"lambda_info": lambda_info, "lambda_cat": lambda_cat, "lambda_cont": lambda_cont}
        by_kind = {True: lambda_cat, False: lambda_cont}
        self.code_weights = {
            code.name: lambda_info if by_kind[code.discrete] is None else by_kind[code.discrete]
            for code in self.layout.codes
        }

    def get_compile_config(self):
        """Both optimizers and the weights, for `keras.saving`."""
        optimizers = {"d_optimizer": self.d_optimizer, "g_optimizer": self.g_optimizer}
        return {
            **{name: keras.saving.serialize_keras_object(optimizer) for name, optimizer in optimizers.items()},
            **self.lambdas,
            "jit_compile": self.jit_compile,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config):
        """The inverse of `get_compile_config`."""
        config = dict(config)
        for name in ("d_optimizer", "g_optimizer"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        self.compile(**config)

    @property
    def d_variables(self) -> list[keras.Variable]:
        """What `d_optimizer` updates: trunk, D head and Q head."""
        return [
            *self.trunk.trainable_variables,
            *self.d_head.trainable_variables,
            *self.q_head.trainable_variables,
        ]

    @property
    def g_variables(self) -> list[keras.Variable]:
        """What `g_optimizer` updates."""
        return self.generator.trainable_variables

    # === Training ===

    def train_step(self, data):
        """One update of trunk, D head and Q head, then one of the generator, on one draw of latents.

        Under a `tf.distribute` strategy each replica sees its part of the real images and of the latents that one
        device would have drawn; gradients and figures are the means over the whole batch.
        """
        real_images = unit_images(data)  # [B, H, W, C]
        latents = self._draw(tf.shape(real_images)[0], self.stream_seed("train", self.step))

        # G's weights do not move before its own update, so one forward pass serves both updates.
        with tf.GradientTape() as g_tape:
            fake_images = self.generator(latents, training=True)

        with tf.GradientTape() as d_tape:
            d_total, d_loss, log_probs, real_logits = self.d_pass(real_images, tf.stop_gradient(fake_images), latents)
            d_total = _scaled(d_total, self.d_optimizer)
        _apply(self.d_optimizer, d_tape.gradient(d_total, self.d_variables), self.d_variables)

        with g_tape:
            g_total, g_loss, fake_logits_before = self.g_pass(fake_images, latents)
            g_total = _scaled(g_total, self.g_optimizer)
        _apply(self.g_optimizer, g_tape.gradient(g_total, self.g_variables), self.g_variables)

        is_due = self.step % PROB_FAKE_AFTER_EVERY == 0
        figures = self._figures(d_loss, g_loss, log_probs, real_logits, fake_logits_before)
        figures["prob_fake_after"] = tf.cond(is_due, lambda: self._prob_fake_after(latents), lambda: 0.0)
        self.means.update_state(_over_replicas(figures), counts={"prob_fake_after": is_due})
        self.step.assign_add(1)
        return self.get_metrics_result()

    def d_pass(self, real_images, fake_images, latents):
        """Real and fake images through D, and the fake ones through Q, in training.

        Returns:
            What D and Q minimise, a scalar; of it -V(D, G); log Q(c|x) by code; and D's logits of the real images.
        """
        # One pass of both through the trunk; batch norm's statistics are of each alone.
        with batch_statistics(parts=2):
            features = self.trunk(tf.concat([real_images, fake_images], axis=0), training=True)
        real_logits, fake_logits = tf.split(self.d_head(features), 2)
        log_probs = self._log_probs(tf.split(features, 2)[1], latents, training=True)
        loss = discriminator_loss(real_logits, fake_logits)
        return loss + self._information_loss(log_probs) + self._reading_loss(log_probs), loss, log_probs, real_logits

    def g_pass(self, fake_images, latents):
        """Fake images through D and Q for the generator, in training.

        Returns:
            What the generator minimises, a scalar; of it -E[log D(G(z, c))]; and D's logits.
        """
        # The scope uses the batch's statistics without recording them: D's moving averages then hold real and fake
        # images in equal parts, which is what D is trained on.
        with keras.StatelessScope():
            features = self.trunk(fake_images, training=True)
            logits = self.d_head(features)
            total = loss = generator_loss(logits)
            if any(self.code_weights.values()):
                total += self._information_loss(self._log_probs(features, latents, training=True))
        return total, loss, logits

    def make_train_function(self, force=False):
        """As `keras.Model` has it; Keras 3.15's own fails under a strategy of several replicas (keras issue 20585)."""
        strategy = self.distribute_strategy
        if strategy.num_replicas_in_sync == 1:
            return super().make_train_function(force)
        if self.train_function is not None and not force:
            return self.train_function

        def one_step(iterator):
            logs = strategy.run(self.train_step, args=(next(iterator),))
            # Every replica logs the same figures.
            return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

        @tf.function
        def train_function(iterator):
            for _ in tf.range(self.steps_per_execution - 1):
                one_step(iterator)
            return one_step(iterator)

        self.train_function = train_function
        return train_function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing is left to build; Keras 3.15's own takes the mean of a batch over workers, which fails for uint8."""

    def test_step(self, data):
        """The train step's figures with inference statistics, on fresh latents; nothing is updated."""
        real_images = unit_images(data)
        # The metric's count is the position in this evaluation: it starts at 0 each time.
        latents = self._draw(tf.shape(real_images)[0], self.stream_seed("evaluate", self.means.counts[0]))
        features = self.trunk(self.generator(latents, training=False), training=False)
        real_logits = self.d_head(self.trunk(real_images, training=False))
        fake_logits = self.d_head(features)
        log_probs = self.layout.log_prob(self.q_head(features, training=False), latents)
        d_loss, g_loss = discriminator_loss(real_logits, fake_logits), generator_loss(fake_logits)
        self.means.update_state(_over_replicas(self._figures(d_loss, g_loss, log_probs, real_logits, fake_logits)))
        results = self.get_metrics_result()
        results.pop("prob_fake_after")
        return results

    def stream_seed(self, stream: str, position: tf.Tensor | int = 0) -> tf.Tensor:
        """The stateless seed, int32 [2], of `position` in one of STREAMS."""
        return fold_in(tf.constant([self.seed % (2**31 - 1), STREAMS[stream]]), position)

    def _draw(self, count, seed):
        """`count` latents: this replica's own of those that all replicas draw together."""
        replica = tf.distribute.get_replica_context()
        latents = self.layout.sample(count * replica.num_replicas_in_sync, seed)
        start = tf.cast(replica.replica_id_in_sync_group, tf.int32) * count
        return latents[start : start + count]

    def _log_probs(self, features, latents, training):
        """log Q(c|x) by code, [B] each; a code of weight 0 is read from features that pass no gradient on."""
        log_probs = {}
        weighted = [name for name, weight in self.code_weights.items() if weight]
        unweighted = [name for name, weight in self.code_weights.items() if not weight]
        for names, inputs in ((weighted, features), (unweighted, tf.stop_gradient(features))):
            if names:
                found = self.layout.log_prob(self.q_head(inputs, training=training), latents)
                log_probs |= {name: found[name] for name in names}
        return log_probs

    def _information_loss(self, log_probs):
        """-lambda E[log Q(c|x)] summed over codes: -lambda L_I, but for the constant H(c)."""
        return -sum(self.code_weights[name] * tf.reduce_mean(value) for name, value in log_probs.items())

    def _reading_loss(self, log_probs):
        """-E[log Q(c|x)] summed over the codes of weight 0: it trains Q's head to read them, and nothing else."""
        unweighted = [value for name, value in log_probs.items() if not self.code_weights[name]]
        return -sum((tf.reduce_mean(value) for value in unweighted), tf.constant(0.0))

    def _figures(self, d_loss, g_loss, log_probs, real_logits, fake_logits):
        """What is logged of a batch, scalars by name."""
        mutual_info = self.layout.mutual_info(log_probs)
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "q_loss": -sum(tf.reduce_mean(value) for value in log_probs.values()),
            "mutual_info": sum(mutual_info.values()),
            **{f"mutual_info/{name}": value for name, value in mutual_info.items()},
            "prob_real": tf.reduce_mean(tf.sigmoid(real_logits)),
            "prob_fake_before": tf.reduce_mean(tf.sigmoid(fake_logits)),
        }

    def _prob_fake_after(self, latents):
        # Replicas cannot talk to each other inside a branch.
        with keras.StatelessScope(), batch_statistics(across_replicas=False):
            logits = self.d_head(self.trunk(self.generator(latents, training=True), training=True))
        return tf.reduce_mean(tf.sigmoid(logits))

    # === Using ===

    def call(self, latents, training=False):
        """Generates images [B, H, W, C] in [0, 1] from latents [B, layout.width]."""
        return self.generator(latents, training=training)

    def posterior(self, images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """Q(c|x) of images in [0, 1], [B, H, W, C], with inference statistics; see `LatentLayout.posterior`."""
        # TensorFlow 2.21's oneDNN convolutions give an empty batch a wrong shape, so it is read with a blank image.
        count = tf.shape(images)[0]
        padded = tf.pad(images, [[0, tf.cast(count == 0, tf.int32)], [0, 0], [0, 0], [0, 0]])
        posterior = self.layout.posterior(self.q_head(self.trunk(padded, training=False), training=False))
        return tf.nest.map_structure(lambda value: value[:count], posterior)

    def generate(self, latents: np.ndarray | tf.Tensor, batch_size: int = 500, progress: bool = False) -> np.ndarray:
        """Generates images, float32 [B, H, W, C] in [0, 1], of any number of latents [B, layout.width].

        This method and the next three compute `batch_size` at a time, of a np.memmap without loading all of it, into
        arrays that are made once; `progress` shows a bar. They raise ValueError for a `batch_size` below 1.
        """
        return self._in_batches(self._compiled("generate", self.call), latents, batch_size, progress)

    def encode(
        self, images: np.ndarray, batch_size: int = 500, progress: bool = False
    ) -> dict[str, dict[str, np.ndarray]]:
        """Q(c|x) by code of any number of images, uint8 or float in [0, 1]; see `LatentLayout.posterior`."""
        posterior = self._compiled("encode", lambda batch: self.posterior(unit_images(batch)))
        return self._in_batches(posterior, images, batch_size, progress)

    def read(
        self, latents: np.ndarray | tf.Tensor, batch_size: int = 500, progress: bool = False
    ) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
        """Generates images of any number of latents [B, layout.width] and reads their codes back.

        Returns:
            The images, float32 [B, H, W, C] in [0, 1]; log Q(c|x) by code, [B] each, in nats; and Q(c|x) by code, see
            `LatentLayout.posterior`.
        """

        def read_batch(batch):
            images = self(batch, training=False)
            parameters = self.q_head(self.trunk(images, training=False), training=False)
            return images, self.layout.log_prob(parameters, batch), self.layout.posterior(parameters)

        return self._in_batches(self._compiled("read", read_batch), latents, batch_size, progress)

    def features(self, images: np.ndarray, batch_size: int = 500, progress: bool = False) -> np.ndarray:
        """The trunk's features, float32 [B, F], of any number of images, uint8 or float in [0, 1]."""
        features = self._compiled("features", lambda batch: self.trunk(unit_images(batch), training=False))
        return self._in_batches(features, images, batch_size, progress)

    def _compiled(self, name, function):
        """`function` as a tf.function, made once for each model."""
        compiled = self.__dict__.setdefault("_compiled_functions", {})
        if name not in compiled:
            compiled[name] = tf.function(function, reduce_retracing=True)
        return compiled[name]

    @staticmethod
    def _in_batches(function, inputs, batch_size, progress):
        """`function` of all inputs, a batch at a time, in arrays that are made once."""
        if batch_size < 1:
            raise ValueError(f"batch_size: expected at least 1. Received: {batch_size}")
        count = len(inputs)
        size = max(1, min(batch_size, count))
        arrays = []
        for start in tqdm(range(0, max(1, count), size), unit="batch", disable=not progress):
            batch = tf.convert_to_tensor(inputs[start : start + size])
            taken = len(batch)
            # The last batch is filled up with zeros: all have one shape, which is traced once, and none is empty.
            outputs = function(tf.pad(batch, [[0, size - taken], *[[0, 0]] * (batch.ndim - 1)]))
            parts = [part.numpy() for part in tf.nest.flatten(outputs)]
            arrays = arrays or [np.empty((count, *part.shape[1:]), part.dtype) for part in parts]
            for array, part in zip(arrays, parts, strict=True):
                array[start : start + taken] = part[:taken]
        return tf.nest.pack_sequence_as(outputs, arrays)


def unit_images(data: tf.Tensor | tuple | Mapping) -> tf.Tensor:
    """Images as float32 in [0, 1], from uint8 0..255 or floats that already are; labels beside them are dropped."""
    images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
    if images.dtype == tf.uint8:
        return tf.cast(images, tf.float32) / 255.0
    return tf.cast(images, tf.float32)


def _with_loss_scale(optimizer):
    """Float16 gradients underflow unless the loss is scaled; Keras scales only compile()'s own optimizer."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, name=optimizer.name)


def _scaled(loss, optimizer):
    """`loss` as its optimizer takes it: scaled in float16, and by replicas, whose gradients Keras sums up."""
    return optimizer.scale_loss(loss / tf.distribute.get_replica_context().num_replicas_in_sync)


def _apply(optimizer, gradients, variables):
    """One update. A float16 step that overflows on one replica is skipped on all."""
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync > 1 and isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
        broken = replica.all_reduce("SUM", 1.0 - tf.cast(finite, tf.float32))
        gradients = [tf.where(broken > 0, np.nan, gradient) for gradient in gradients]
    optimizer.apply(gradients, variables)


def _over_replicas(figures):
    """The means over replicas of scalars by name, in one exchange."""
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return figures
    values = replica.all_reduce("MEAN", tf.stack(list(figures.values())))
    return dict(zip(figures, tf.unstack(values), strict=True))
