"""What every model here has: networks by role, players that train them, latents, seeds, averages, saving, reading."""

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.data.given import images_of, labels_of, unpacked
from infogan_tf.data.pixels import unit_images
from infogan_tf.errors import UserError
from infogan_tf.latents.codes import Code
from infogan_tf.latents.language import lacking, read_latents
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models import updates
from infogan_tf.models.averages import AVERAGE_EVERY, Averages
from infogan_tf.models.batches import in_batches
from infogan_tf.models.callbacks import Optimizers
from infogan_tf.models.keras_methods import KerasMethods
from infogan_tf.models.means import Means
from infogan_tf.networks.spectral_norm import SpectralNorm
from infogan_tf.objectives.term import Real, Term
from infogan_tf.random import drawn_here, fold_in
from infogan_tf.replicas import num_replicas, over_replicas

# Every random draw of a run is a pure function of (seed, stream, position): what is drawn in one stream moves no other.
STREAMS = {"train": 0, "evaluate": 1, "pictures": 2, "sample": 3, "measure": 4, "regularize": 5}
# What `keras.Model.compile` takes that has no meaning here, and why.
_MEANINGLESS = {
    "optimizer": "each player has an optimizer of its own",
    "loss": "the losses are the model's own; regularizers adds terms to them",
    "loss_weights": "the losses are the model's own; each term has its weight",
    "metrics": "nothing is predicted here that could be compared with a label; infogan_tf.evaluation.metrics measures "
    "what the trained model gives",
    "weighted_metrics": "all images count alike here",
    "auto_scale_loss": "float16 losses are always scaled",
}


class GenerativeModel(KerasMethods):
    """A generator of images from latents, and the other networks that a subclass trains it with.

    A subclass names in PLAYERS which networks each of its optimizers trains: saving, checkpoints, averages, TensorBoard
    and exports loop over that. Calling the model generates images.

    Args:
        layout: A LatentLayout, or its text such as "noise:62,cat:10,uniform:2".
        networks: The networks by role, those of PLAYERS.
        posterior_stddev: The fixed standard deviation of continuous posteriors, where `layout` is text; None learns it.
        seed: Of every draw of latents, an integer.
        **kwargs: As `keras.Model` takes them.
    """

    # By player, the roles of the networks that the optimizer <player>_optimizer trains.
    PLAYERS: ClassVar[dict[str, tuple[str, ...]]] = {}
    # The roles of the networks that read images, one after another; none where nothing is read.
    READERS: ClassVar[tuple[str, ...]] = ()
    # What they read: the "codes" or the "noise" that images are drawn from, or "classes" of images; empty
    # where nothing is read.
    READS: ClassVar[str] = ""
    # What it is told of real images, a kind of code that its latents have then: "label" or "caption"; empty where
    # nothing is told.
    TOLD: ClassVar[str] = ""

    def __init__(
        self,
        layout: LatentLayout | str,
        networks: Mapping[str, keras.Model],
        posterior_stddev: float | None = None,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(layout, str):
            layout = LatentLayout.parse(layout, posterior_stddev)
        if not isinstance(layout, LatentLayout):
            raise ValueError(f"layout: expected a LatentLayout, or its text. Received: {layout!r}")
        if len(networks["generator"].output_shape) != 4:
            shape = list(networks["generator"].output_shape)
            raise ValueError(f"generator: expected one of images [B, H, W, C]. Received: of shape {shape}")
        if not isinstance(seed, (int, np.integer)):
            raise ValueError(f"seed: expected an integer. Received: {seed!r}")
        if networks["generator"].input_shape[-1] != layout.width:
            raise ValueError(
                f"generator: expected one of {layout.width} inputs for the latents {layout.text}. "
                f"Received: one of {networks['generator'].input_shape[-1]}"
            )
        if wanted := lacking(read_latents(layout.text), self.READS, self.TOLD):
            raise UserError(f"--latents: expected {wanted}, for {type(self).__name__}. Received: {layout.text!r}")

        parameters = self.num_parameters(layout)
        for role in self.READERS[-1:]:
            if networks[role].output_shape[-1] != parameters:
                raise ValueError(
                    f"{role}: expected one of {parameters} outputs for the latents {layout.text}. "
                    f"Received: one of {networks[role].output_shape[-1]}"
                )

        for role in (role for role in networks if role != "trunk"):  # whose features other networks read
            for output in getattr(networks[role], "outputs", None) or ():
                if output.dtype != "float32":
                    raise ValueError(
                        f"{role}: expected outputs in float32, as of a last layer with dtype='float32', whatever the "
                        f"policy of the others. Received: {output.dtype}"
                    )

        # === Layers ===
        for role, network in networks.items():
            setattr(self, role, network)
        # Counts train steps. The optimizers' counters stand still where float16 skips a step; this one never does.
        self.step = self.add_weight(name="step", shape=(), dtype="int64", initializer="zeros", trainable=False)
        # Until `compile` makes them.
        self.averages = None
        self.terms = []
        self.built = True

        # === Config ===
        self.layout = layout
        self.seed = seed

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        networks = {role: keras.saving.serialize_keras_object(network) for role, network in self.networks.items()}
        return {**super().get_config(), "layout": self.layout.text, **networks, "seed": self.seed}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The inverse of `get_config`."""
        networks = {role: keras.saving.deserialize_keras_object(config[role], custom_objects) for role in cls.roles()}
        return cls(**{**config, **networks})

    # === Networks and players ===

    @classmethod
    def roles(cls) -> tuple[str, ...]:
        """What its networks are to it."""
        return tuple(role for roles in cls.PLAYERS.values() for role in roles)

    @classmethod
    def num_parameters(cls, layout: LatentLayout) -> int:
        """How many numbers its readers say of an image."""
        return layout.num_parameters

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The networks by role."""
        return {role: getattr(self, role) for role in self.roles()}

    @property
    def network_variables(self) -> list[keras.Variable]:
        """All variables of the networks, batch norm's moving averages among them."""
        return [variable for network in self.networks.values() for variable in network.variables]

    @property
    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """The optimizers by player; those of a model that is compiled."""
        return {player: getattr(self, f"{player}_optimizer") for player in self.PLAYERS}

    def trainable_of(self, player: str) -> list[keras.Variable]:
        """The trainable variables of a player's networks."""
        return [variable for role in self.PLAYERS[player] for variable in getattr(self, role).trainable_variables]

    def variables_of(self, player: str) -> list[keras.Variable]:
        """What a player's optimizer updates: its networks, and what its terms learn."""
        learnt = [v for term in self.terms if player == term.PLAYER for v in term.trainable_variables]
        return self.trainable_of(player) + learnt

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return tuple(self.generator.output_shape[1:])

    @property
    def read_codes(self) -> tuple[Code, ...]:
        """The codes that it reads back from images."""
        return self.layout.read_codes

    # === Compiling ===

    def compile_players(
        self,
        optimizers: Mapping[str, keras.optimizers.Optimizer],
        terms: Sequence[Term] = (),
        average_decay: float = 0.0,
        **kwargs,
    ) -> None:
        """Makes what all models train with; a subclass calls it in its own `compile`.

        Args:
            optimizers: By player, one for each of PLAYERS.
            terms: Further terms of the losses, in the order in which they are added.
            average_decay: Decay per step of the weights' exponential moving averages, in [0, 1); 0 keeps none.
            **kwargs: As `keras.Model.compile` takes them (jit_compile, run_eagerly, steps_per_execution).

        Raises:
            ValueError: For an argument of `keras.Model.compile` without a meaning here, an optimizer that is no
                optimizer, that two players share, or that belongs to other weights, or a decay out of range.
        """
        for name, why in _MEANINGLESS.items():
            given = kwargs.pop(name, None)
            if given is not None:
                raise ValueError(f"{name}: expected None, as {why}. Received: {given!r}")
        own = updates.own_optimizers(optimizers)
        # Keras forgets no layer of an earlier `compile`, and would save it in place of the one that follows it.
        for layer in [*self.terms, *filter(None, [self.averages])]:
            self._tracker.untrack(layer)
        # Before Keras looks which layers XLA can compile: on a GPU it does so unless told otherwise.
        self.terms = list(terms)
        # Without optimizer=None Keras makes a phantom "rmsprop" that is saved and logged.
        super().compile(optimizer=None, loss=None, **kwargs)
        self.compiled = False  # until all of it is there, should what follows be refused
        if not 0.0 <= average_decay < 1.0:
            raise ValueError(f"average_decay: expected a number from 0 to below 1. Received: {average_decay!r}")
        layers = [layer for network in self.networks.values() for layer in network.layers]
        float16 = any(layer.compute_dtype == "float16" for layer in layers)
        for player, optimizer in own.items():
            setattr(self, f"{player}_optimizer", updates.with_loss_scale(optimizer) if float16 else optimizer)
        for term in self.terms:
            missing = [role for role in term.NEEDS if role not in self.roles()]
            if missing:
                raise ValueError(f"{term.name}: expected a model with {missing[0]}. Received: {type(self).__name__}")
            term.prepare(self)
        # Built here, so that saved state has somewhere to go when a model is loaded.
        for player, optimizer in self.optimizers.items():
            updates.build(optimizer, self.variables_of(player), f"{player}_optimizer")
            updates.go_by_steps(optimizer, self.step)
        # Where Keras's callbacks look for a model's optimizer.
        self.optimizer = Optimizers(self.optimizers, self.step)
        self.averages = Averages(self.network_variables, average_decay) if average_decay else None
        self.means = Means(self.logged())
        self.compiled = True

    def logged(self) -> list[str]:
        """The names of all that its steps log; called once its terms were prepared."""
        return [name for term in self.terms for name in term.logged()]

    def warnings(self, logs: Mapping[str, float], step: int) -> dict[str, str]:
        """What the figures of an epoch that ended at `step` tell of its losses: a sentence each, or empty, by name."""
        return {term.name: term.warning(logs, step) for term in self.terms}

    def players_config(self) -> dict[str, object]:
        """The optimizers and what Keras keeps, as arguments of `compile`, for `keras.saving`."""
        kept = {f"{player}_optimizer": optimizer for player, optimizer in self.optimizers.items()}
        return {
            **{name: keras.saving.serialize_keras_object(optimizer) for name, optimizer in kept.items()},
            "average_decay": self.averages.decay if self.averages else 0.0,
            "jit_compile": self.jit_compile,
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config):
        """The inverse of `get_compile_config`."""
        self.compile(**{name: _deserialized(value) for name, value in config.items()})

    # === Training ===

    def training_state(self) -> dict[str, keras.Variable]:
        """Every variable that training goes on from, once it is compiled, by a unique name; the epoch's figures too."""
        groups = {
            "model": self.weights,
            "metrics": self.metrics_variables,
            **{f"{player}_optimizer": optimizer.variables for player, optimizer in self.optimizers.items()},
        }
        return {f"{group}/{i:03d}/{v.path}": v for group, variables in groups.items() for i, v in enumerate(variables)}

    def take_state_of(self, other: "GenerativeModel") -> None:
        """Goes on from where a model stands that was built alike; what was traced for this one serves on."""
        state = other.training_state()
        for name, variable in self.training_state().items():
            variable.assign(state[name])

    def stream_seed(self, stream: str, position: tf.Tensor | int = 0) -> tf.Tensor:
        """The stateless seed, int32 [2], of `position` in one of STREAMS."""
        return fold_in(tf.constant([self.seed % (2**31 - 1), STREAMS[stream]]), position)

    def real_of(self, data) -> Real:
        """What a step is given of real images, from `data` as `fit` takes it; in place of labels there may be a pair.

        The pair is of further images whose classes are known, and these.
        """
        known = unpacked(data)[1]
        labelled = (unit_images(known[0]), known[1]) if isinstance(known, tuple) else None
        conditions = None
        if self.TOLD:
            conditions = self.layout.told.known(labels_of(data))
        return Real(unit_images(images_of(data)), conditions, labelled)

    def draw(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """`count` latents: this replica's own of those that all replicas draw together."""
        return drawn_here(count, lambda rows: self.layout.sample(rows, seed))

    def update(self, player: str, tape: tf.GradientTape, loss: tf.Tensor, due: tf.Tensor | None = None) -> None:
        """One update of what a player trains; `loss` is as `scaled` gave it on the tape.

        Where `due`, a bool that is the same on all replicas, is false, weights and optimizer stay as they are.

        Spectral norm's power iteration follows it, once: the weights changed, and it is the new ones that are seen by
        whatever comes next, be it another player's pass, an evaluation or an export.
        """
        variables = self.variables_of(player)
        gradients = tape.gradient(loss, variables)
        # Where a data set's length is not known, Keras asks for one batch too many, of which no step is to be counted.
        with tf.control_dependencies([loss]):
            if due is None:
                updates.apply(self.optimizers[player], gradients, variables)
            else:
                updates.apply_where(due, self.optimizers[player], gradients, variables)
        for role in self.PLAYERS[player]:
            for layer in getattr(self, role)._flatten_layers():
                if isinstance(layer, SpectralNorm):
                    layer.iterate()

    def scaled(self, player: str, loss: tf.Tensor) -> tf.Tensor:
        """A loss as the player's optimizer takes it: scaled in float16, and by replicas, whose gradients Keras adds."""
        return self.optimizers[player].scale_loss(loss / num_replicas())

    def log(self, figures: Mapping[str, tf.Tensor], counts: Mapping[str, tf.Tensor] | None = None) -> None:
        """Counts scalars in, by name; those of `counts` as often as it says."""
        if num_replicas() > 1:
            (values,) = over_replicas(tf.stack(list(figures.values())))
            figures = dict(zip(figures, tf.unstack(values), strict=True))
        self.means.update_state(figures, counts=counts)

    def end_step(self) -> dict[str, tf.Tensor]:
        """What ends a train step: averages, the step's number; returns the means so far."""
        if self.averages:
            self.averages.update(self.network_variables, self.step)
        with tf.control_dependencies([tf.convert_to_tensor(self.means.counts)]):  # as in `update`
            self.step.assign_add(1)
        return self.get_metrics_result()

    def evaluation_seed(self) -> tf.Tensor:
        """The stateless seed, int32 [2], of the next batch of an evaluation."""
        # The metric's count is the position in this evaluation: it starts at 0 each time.
        return self.stream_seed("evaluate", self.means.counts[0])

    def end_test_step(self, figures: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What ends a test step: counts scalars in, by name; returns the means of these so far."""
        self.log(figures)
        results = self.get_metrics_result()
        return {name: results[name] for name in figures}

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Within this block the networks have the averages of their weights, where `average_decay` keeps them.

        Before step AVERAGE_EVERY these are the weights that training began with; the networks have their present ones.
        """
        if self.averages is None or self.step.numpy() < AVERAGE_EVERY:
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

    def float32_twin(self) -> "GenerativeModel":
        """A copy, not compiled, that computes in float32, with the averaged weights where there are any."""
        twin = type(self).from_config(self.get_config())
        for network in twin.networks.values():
            for layer in network._flatten_layers():  # itself among them
                layer.dtype_policy = "float32"
        with self.averaged():
            for role, network in self.networks.items():
                getattr(twin, role).set_weights(network.get_weights())
        twin.step.assign(self.step)
        return twin

    def call(self, latents, training=False):
        """Generates images [B, H, W, C] in [0, 1] from latents [B, layout.width]."""
        return self.generator(latents, training=training)

    def q_parameters(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """What its readers say of images [B, H, W, C] in [0, 1], [B, num_parameters]."""
        outputs = images
        for role in self.READERS:
            outputs = getattr(self, role)(outputs, training=training)
        return outputs

    def posterior(self, images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """Q(c|x) by code that is read, of images [B, H, W, C] in [0, 1]; see `LatentLayout.posterior`.

        Of a model that reads noise it is q(z|x), by the name "noise": mean and stddev [B, noise.size].
        """
        if not self.READERS:
            return {}
        # TensorFlow 2.21's oneDNN convolutions give an empty batch a wrong shape, so it is read with a blank image.
        count = tf.shape(images)[0]
        blank = tf.zeros((tf.cast(count == 0, tf.int32), *self.image_shape), images.dtype)
        posterior = self.posterior_of(self.q_parameters(tf.concat([images, blank], axis=0)))
        return tf.nest.map_structure(lambda value: value[:count], posterior)

    def posterior_of(self, parameters: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """What the parameters [B, num_parameters] of the posterior stand for, as `posterior` has it."""
        return self.layout.posterior(parameters)

    def describe(self, images: tf.Tensor) -> tf.Tensor:
        """The trunk's features [B, F] of images [B, H, W, C] in [0, 1], with inference statistics."""
        return self.trunk(images, training=False)

    def generate(self, latents: np.ndarray | tf.Tensor, batch_size: int = 500, progress: bool = False) -> np.ndarray:
        """Generates images, float32 [B, H, W, C] in [0, 1], of any number of latents [B, layout.width].

        This method and the next three compute `batch_size` at a time, of a np.memmap without loading all of it, into
        arrays that are made once; `progress` shows a bar. They take what `fit` takes, arrays or batches with an end,
        and refuse the same, but for an array of no rows, which gives none; and raise ValueError for a `batch_size`
        below 1.
        """
        return self._in_batches("generate", self.call, latents, self._latent_rows, batch_size, progress)

    def encode(
        self, images: np.ndarray | tf.data.Dataset, batch_size: int = 500, progress: bool = False
    ) -> dict[str, dict[str, np.ndarray]]:
        """Q(c|x) by code that is read, or q(z|x), of any number of images as in `fit`; see `posterior`."""
        return self._in_batches(
            "encode", lambda x: self.posterior(unit_images(x)), images, self._image_rows, batch_size, progress
        )

    def read(
        self, latents: np.ndarray | tf.Tensor, batch_size: int = 500, progress: bool = False
    ) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
        """Generates images of any number of latents [B, layout.width] and reads their codes back.

        Returns:
            The images, float32 [B, H, W, C] in [0, 1]; log Q(c|x) by code that is read, [B] each, in nats; and Q(c|x)
            by the same codes, see `LatentLayout.posterior`.
        """

        def read_batch(batch):
            batch = tf.cast(batch, tf.float32)
            images = self(batch, training=False)
            if not self.read_codes:
                return images, {}, {}
            parameters = self.q_parameters(images)
            return images, self.layout.log_prob(parameters, batch), self.layout.posterior(parameters)

        return self._in_batches("read", read_batch, latents, self._latent_rows, batch_size, progress)

    def features(
        self, images: np.ndarray | tf.data.Dataset, batch_size: int = 500, progress: bool = False
    ) -> np.ndarray:
        """The features that its networks see images by, float32 [B, F], of any number of images as in `fit`."""
        return self._in_batches(
            "features", lambda x: self.describe(unit_images(x)), images, self._image_rows, batch_size, progress
        )

    def most_probable(self, images: np.ndarray | tf.data.Dataset) -> dict[str, np.ndarray]:
        """The most probable value of each code that is read, [B], of any number of images as in `fit`."""
        posterior = self.encode(images)
        return {code.name: code.most_probable(posterior[code.name]) for code in self.read_codes}

    def _in_batches(self, name, function, given, wanted, batch_size, progress):
        """`in_batches`; the function is traced once for each `name`."""
        compiled = self.__dict__.setdefault("_compiled_functions", {})
        if name not in compiled:
            # TensorFlow counts by a function's code how often it is traced, and warns; all models share the code. A
            # partial has none, and counts by itself.
            compiled[name] = tf.function(functools.partial(function), reduce_retracing=True)
        return in_batches(compiled[name], given, wanted, batch_size, progress)


def _deserialized(value):
    """What `keras.saving.serialize_keras_object` gave, or a list of it, as it was; anything else as it is."""
    if isinstance(value, list):
        return [_deserialized(each) for each in value]
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value


def check_fit(role: str, network: keras.Model, source: keras.Model) -> None:
    """Raises a ValueError where a network, which is `role`, does not take what another gives."""
    if not tf.TensorShape(network.input_shape).is_compatible_with(source.output_shape):
        raise ValueError(
            f"{role}: expected inputs of shape {list(source.output_shape[1:])}, which {source.name} gives. "
            f"Received: of shape {list(network.input_shape[1:])}"
        )
