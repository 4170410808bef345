"""InfoGAN as a Keras model: one train step that updates D and Q, then G."""

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from infogan_tf.latents import Categorical, Code, LatentLayout, fold_in
from infogan_tf.layers import batch_statistics
from infogan_tf.losses import ADVERSARIAL_LOSSES
from infogan_tf.models.averages import Averages
from infogan_tf.models.class_prior import ClassPrior
from infogan_tf.models.means import Means
from infogan_tf.regularizers import Batch, Regularizer
from infogan_tf.strategy import drawn_here

# Every random draw of a run is a pure function of (seed, stream, position): what is drawn in one stream moves no other.
STREAMS = {"train": 0, "evaluate": 1, "pictures": 2, "sample": 3, "measure": 4, "regularize": 5}

# prob_fake_after costs one more pass through G and D; every tenth step is enough for a curve.
PROB_FAKE_AFTER_EVERY = 10

NETWORKS = ("generator", "trunk", "d_head", "q_head")


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
        # Until `compile` makes them.
        self.averages = None
        self.class_priors = {}
        self.built = True

        # === Config ===
        self.layout = layout
        self.seed = seed

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        networks = {name: getattr(self, name) for name in NETWORKS}
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
        for name in NETWORKS:
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
        lambda_warmup: int = 0,
        learn_prior: bool = False,
        adversarial_loss: str = "nonsaturating",
        real_target: float = 1.0,
        regularizers: Sequence[Regularizer] = (),
        d_updates: int = 1,
        g_updates: int = 1,
        average_decay: float = 0.0,
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
            lambda_warmup: steps in which the weights of L_I rise from 0, in a straight line.
            learn_prior: whether the generator learns how frequent the classes of categorical codes are.
            adversarial_loss: one of `losses.ADVERSARIAL_LOSSES`.
            real_target: what D is to say of real images; see there.
            regularizers: further terms of the losses, in the order in which they are added.
            d_updates: updates of D and Q in a step, each on a part of its own of the step's real images.
            g_updates: updates of the generator in a step. The last of D's and the first of the generator's share
                their latents.
            average_decay: of the weights' exponential moving averages, see `averaged`; 0 keeps none.
            **kwargs: as `keras.Model.compile` takes them (jit_compile, run_eagerly, steps_per_execution).
        """
        # Here, where Keras looks which layers XLA can compile: on a GPU it does so unless told otherwise.
        self.regularizers = list(regularizers)
        # Without optimizer=None Keras makes a phantom "rmsprop" that is saved and logged.
        super().compile(optimizer=None, loss=None, **kwargs)
        float16 = any(layer.compute_dtype == "float16" for layer in self.trunk.layers + self.generator.layers)
        self.d_optimizer = _with_loss_scale(d_optimizer) if float16 else d_optimizer
        self.g_optimizer = _with_loss_scale(g_optimizer) if float16 else g_optimizer
        learnt = [code for code in self.layout.codes if learn_prior and isinstance(code, Categorical)]
        self.class_priors = {code.name: ClassPrior(code.num_classes, f"{code.name}_prior") for code in learnt}
        for regularizer in self.regularizers:
            regularizer.prepare(self)
        # Built here, so that saved state has somewhere to go when a model is loaded.
        self.d_optimizer.build(self.d_variables)
        self.g_optimizer.build(self.g_variables)
        self.averages = Averages(self.network_variables, average_decay) if average_decay else None
        self.means = Means(self._logged())
        self.adversarial_loss = ADVERSARIAL_LOSSES[adversarial_loss]
        self.real_target = real_target
        self.lambda_warmup = lambda_warmup
        self.updates = {"d_updates": d_updates, "g_updates": g_updates}
        by_kind = {True: lambda_cat, False: lambda_cont}
        self.code_weights = {
            code.name: lambda_info if by_kind[code.discrete] is None else by_kind[code.discrete]
            for code in self.layout.codes
        }
        self.compiled_with = {
            "lambda_info": lambda_info,
            "lambda_cat": lambda_cat,
            "lambda_cont": lambda_cont,
            "lambda_warmup": lambda_warmup,
            "learn_prior": learn_prior,
            "adversarial_loss": adversarial_loss,
            "real_target": real_target,
            **self.updates,
            "average_decay": average_decay,
        }

    def get_compile_config(self):
        """Every argument of `compile`, for `keras.saving`."""
        optimizers = {"d_optimizer": self.d_optimizer, "g_optimizer": self.g_optimizer}
        return {
            **{name: keras.saving.serialize_keras_object(optimizer) for name, optimizer in optimizers.items()},
            **self.compiled_with,
            "regularizers": [keras.saving.serialize_keras_object(each) for each in self.regularizers],
            "jit_compile": self.jit_compile,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config):
        """The inverse of `get_compile_config`."""
        config = dict(config)
        for name in ("d_optimizer", "g_optimizer"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        config["regularizers"] = [keras.saving.deserialize_keras_object(each) for each in config["regularizers"]]
        self.compile(**config)

    def _logged(self):
        """The names of the figures that a step logs."""
        names = ["d_loss", "g_loss", "q_loss", "mutual_info"]
        names += [f"mutual_info/{code.name}" for code in self.layout.codes]
        names += ["prob_real", "prob_fake_before", "prob_fake_after"]
        return names + [f"{p}_{each.name}" for p in "dg" for each in self.regularizers if each.has(f"{p}_term")]

    @property
    def d_variables(self) -> list[keras.Variable]:
        """What `d_optimizer` updates: trunk, D head, Q head, and what regularisers learn."""
        parts = (self.trunk, self.d_head, self.q_head, *self.regularizers)
        return [variable for part in parts for variable in part.trainable_variables]

    @property
    def g_variables(self) -> list[keras.Variable]:
        """What `g_optimizer` updates: the generator, and class frequencies that are learnt."""
        parts = (self.generator, *self.class_priors.values())
        return [variable for part in parts for variable in part.trainable_variables]

    @property
    def network_variables(self) -> list[keras.Variable]:
        """All variables of the four networks, batch norm's moving averages among them."""
        return [variable for name in NETWORKS for variable in getattr(self, name).variables]

    # === Training ===

    def train_step(self, data):
        """An update of trunk, D head and Q head, then one of the generator, on one draw of latents.

        Under a `tf.distribute` strategy each replica sees its part of the real images and of the latents that one
        device would have drawn; gradients and figures are the means over the whole batch.
        """
        d_updates, g_updates = self.updates["d_updates"], self.updates["g_updates"]
        rounds = d_updates + g_updates - 1
        parts = tf.split(unit_images(data), d_updates)  # [B, H, W, C] each
        seed, other_seed = self.stream_seed("train", self.step), self.stream_seed("regularize", self.step)
        figures = {}
        for i in range(rounds):
            # D's updates are the first of the rounds, the generator's the last.
            real_images = parts[min(i, d_updates - 1)]
            # G's weights do not move before its own update, so one forward pass serves both updates.
            with tf.GradientTape() as g_tape:
                latents = self._draw(tf.shape(real_images)[0], fold_in(seed, i) if i else seed)
                fake_images = self.generator(latents, training=True)
            if i < d_updates:
                with tf.GradientTape() as d_tape:
                    total, d_figures = self.d_pass(
                        real_images, tf.stop_gradient(fake_images), latents, fold_in(other_seed, 2 * i)
                    )
                    total = _scaled(total, self.d_optimizer)
                _apply(self.d_optimizer, d_tape.gradient(total, self.d_variables), self.d_variables)
                figures |= d_figures
            if i >= rounds - g_updates:
                with g_tape:
                    total, g_figures = self.g_pass(real_images, fake_images, latents, fold_in(other_seed, 2 * i + 1))
                    total = _scaled(total, self.g_optimizer)
                _apply(self.g_optimizer, g_tape.gradient(total, self.g_variables), self.g_variables)
                figures |= g_figures

        is_due = self.step % PROB_FAKE_AFTER_EVERY == 0
        figures["prob_fake_after"] = tf.cond(is_due, lambda: self._prob_fake_after(latents), lambda: 0.0)
        self.means.update_state(_over_replicas(figures), counts={"prob_fake_after": is_due})
        if self.averages:
            self.averages.update(self.network_variables, self.step)
        self.step.assign_add(1)
        return self.get_metrics_result()

    def d_pass(self, real_images, fake_images, latents, seed):
        """Real and fake images through D, and the fake ones through Q, in training; `seed` is the regularisers'.

        Returns:
            What D and Q minimise, a scalar; and what is logged of this pass, by name.
        """
        images = tf.concat([real_images, fake_images], axis=0)
        for regularizer in self.regularizers:
            images = regularizer.show(self, images, seed)
        # One pass of both through D; batch norm's statistics are of each alone.
        with batch_statistics(parts=2):
            features = self.trunk(images, training=True)
            real_logits, fake_logits = tf.split(self.d_head(features, training=True), 2)
        real_features, fake_features = tf.split(features, 2)
        log_probs = self._log_probs(fake_features, latents, training=True)
        loss = self.adversarial_loss.discriminator(real_logits, fake_logits, self.real_target)
        batch = Batch(real_images, fake_images, latents, real_features, fake_features, seed)
        added, terms = self._regularizers_terms("d", batch)
        figures = {"d_loss": loss, "prob_real": tf.reduce_mean(tf.sigmoid(real_logits))}
        figures |= self._information_figures(log_probs) | terms
        return loss + self._information_loss(log_probs) + self._reading_loss(log_probs) + added, figures

    def g_pass(self, real_images, fake_images, latents, seed):
        """Fake images through D and Q for the generator, in training; `seed` is the regularisers'.

        Returns:
            What the generator minimises, a scalar; and what is logged of this pass, by name.
        """
        images = fake_images
        for regularizer in self.regularizers:
            images = regularizer.show(self, images, seed)
        # The scope uses the batch's statistics without recording them: D's moving averages then hold real and fake
        # images in equal parts, which is what D is trained on.
        with keras.StatelessScope():
            features = self.trunk(images, training=True)
            logits = self.d_head(features, training=True)
            total = loss = self.adversarial_loss.generator(logits)
            if any(self.code_weights.values()):
                total += self._information_loss(self._log_probs(features, latents, training=True))
        added, terms = self._regularizers_terms("g", Batch(real_images, fake_images, latents, None, features, seed))
        figures = {"g_loss": loss, "prob_fake_before": tf.reduce_mean(tf.sigmoid(logits)), **terms}
        return total + added, figures

    def _regularizers_terms(self, player, batch):
        """The weighted sum of the regularisers' terms for "d" or "g", and each term by the name it is logged under."""
        terms, total = {}, tf.constant(0.0)
        for regularizer in self.regularizers:
            if regularizer.has(f"{player}_term"):
                term = getattr(regularizer, f"{player}_term")(self, batch)
                terms[f"{player}_{regularizer.name}"] = term
                total += regularizer.weight * term
        return total, terms

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
        figures = {
            "d_loss": self.adversarial_loss.discriminator(real_logits, fake_logits, self.real_target),
            "g_loss": self.adversarial_loss.generator(fake_logits),
            "prob_real": tf.reduce_mean(tf.sigmoid(real_logits)),
            "prob_fake_before": tf.reduce_mean(tf.sigmoid(fake_logits)),
            **self._information_figures(log_probs),
        }
        self.means.update_state(_over_replicas(figures))
        results = self.get_metrics_result()
        return {name: results[name] for name in figures}

    def stream_seed(self, stream: str, position: tf.Tensor | int = 0) -> tf.Tensor:
        """The stateless seed, int32 [2], of `position` in one of STREAMS."""
        return fold_in(tf.constant([self.seed % (2**31 - 1), STREAMS[stream]]), position)

    def _draw(self, count, seed):
        """`count` latents: this replica's own of those that all replicas draw together."""
        latents = drawn_here(count, lambda rows: self.layout.sample(rows, seed))
        if not self.class_priors:
            return latents
        noise, blocks = self.layout.split(latents)
        for i, (name, prior) in enumerate(self.class_priors.items(), len(self.layout.codes) + 1):
            blocks[name] = drawn_here(count, functools.partial(prior.sample, seed=fold_in(seed, i)))
        return tf.concat([noise, *blocks.values()], axis=-1)

    def log_prior(self, code: Code) -> tf.Tensor:
        """log p(c) of every class of a discrete code, [num_classes], in nats; learnt or not."""
        prior = self.class_priors.get(code.name)
        return tf.constant(code.log_prior) if prior is None else prior.log_probabilities()

    def learnt_layout(self) -> LatentLayout:
        """The layout with the class frequencies that were learnt."""
        return self.layout.with_probabilities(
            {name: prior.probabilities().numpy() for name, prior in self.class_priors.items()}
        )

    def _mutual_info(self, log_probs):
        """L_I by code, scalars in nats, under the prior as it is now."""
        learnt = {name: prior.entropy() for name, prior in self.class_priors.items()}
        return self.layout.mutual_info(log_probs, learnt)

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
        """-lambda L_I summed over codes."""
        loss = -sum(self.code_weights[name] * value for name, value in self._mutual_info(log_probs).items())
        if self.lambda_warmup:
            loss *= tf.minimum(1.0, tf.cast(self.step, tf.float32) / self.lambda_warmup)
        return loss

    def _reading_loss(self, log_probs):
        """-E[log Q(c|x)] summed over the codes of weight 0: it trains Q's head to read them, and nothing else."""
        unweighted = [value for name, value in log_probs.items() if not self.code_weights[name]]
        return -sum((tf.reduce_mean(value) for value in unweighted), tf.constant(0.0))

    def _information_figures(self, log_probs):
        """What is logged of log Q(c|x), scalars by name.

        Sums are one operation each: TensorFlow's graph optimizer may reorder a chain of additions, not always alike in
        another process, and a resumed run is to log the same digits.
        """
        mutual_info = self._mutual_info(log_probs)
        return {
            "q_loss": -tf.reduce_sum(tf.stack([tf.reduce_mean(value) for value in log_probs.values()])),
            "mutual_info": tf.reduce_sum(tf.stack(list(mutual_info.values()))),
            **{f"mutual_info/{name}": value for name, value in mutual_info.items()},
        }

    def _prob_fake_after(self, latents):
        # Replicas cannot talk to each other inside a branch.
        with keras.StatelessScope(), batch_statistics(across_replicas=False):
            logits = self.d_head(self.trunk(self.generator(latents, training=True), training=True), training=True)
        return tf.reduce_mean(tf.sigmoid(logits))

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Within this block the networks have the averages of their weights, where `average_decay` keeps them."""
        if self.averages is None:
            yield
            return
        own = [variable.numpy() for variable in self.network_variables]
        self.averages.assign_to(self.network_variables)
        try:
            yield
        finally:
            for variable, value in zip(self.network_variables, own, strict=True):
                variable.assign(value)

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
