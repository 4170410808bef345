"""Pairs of images that share one code, for a network that is to say which."""

import keras
import tensorflow as tf
from keras import layers

from infogan_tf.networks.blocks import LEAK, Maker
from infogan_tf.objectives.term import Term
from infogan_tf.random import drawn_here, fold_in


@keras.saving.register_keras_serializable(package="infogan_tf")
class Contrast(Term):
    """-E[log H(i | x, x')] for pairs that share code number i alone: InfoGAN-CR, Lin et al. 2020 (arXiv:1906.06034).

    G and H minimise it together. H there is a network of its own; here it is a head on the trunk's features of both
    images, as Q's is, and belongs to D's optimizer; the trunk is shown them as D is.

    Args:
        weight: Lambda of the paper's equation 6.
        start: The first step that it counts in, from 0; before, the term is 0. The paper switches it on late.
        sync_batch_norm: Whether the head's batch norm takes its statistics over all replicas of a `tf.distribute`
            strategy.
    """

    NEEDS = ("q_head",)

    def __init__(self, weight: float, start: int = 0, sync_batch_norm: bool = True, **kwargs):
        super().__init__(weight, **kwargs)
        self.start = start
        self.sync_batch_norm = sync_batch_norm

    def prepare(self, model):  # noqa: D102
        make = Maker(model.q_head.layers[0].dtype_policy, self.sync_batch_norm)
        self.head = keras.Sequential(
            [
                keras.Input((2 * model.trunk.output_shape[-1],)),
                layers.Dense(128, use_bias=False, dtype=make.dtype, name="fc"),
                make.batch_norm("fc_bn", LEAK),
                layers.Dense(len(model.layout.codes), dtype="float32", name="shared"),
            ],
            name="head",
        )

    def d_term(self, model, batch):  # noqa: D102
        return self._cross_entropy(model, batch, training_generator=False)

    def g_term(self, model, batch):  # noqa: D102
        return self._cross_entropy(model, batch, training_generator=True)

    def _cross_entropy(self, model, batch, training_generator):
        count = tf.shape(batch.latents)[0]
        seed = fold_in(batch.seed, 2)
        first, second, shared = self.pairs(model.layout, count, seed)
        images = model.generator(tf.concat([first, second], axis=0), training=True)
        if not training_generator:
            images = tf.stop_gradient(images)
        # The scope records no statistics: D's are of the images that it is to tell apart.
        with keras.StatelessScope():
            features = model.trunk(model.shown(images, fold_in(batch.seed, 13)), training=True)
            logits = self.head(tf.concat(tf.split(features, 2), axis=-1), training=True)
        # No branch saves the passes before the start, as in `FeatureMatching`.
        counts = tf.cast(model.step >= self.start, tf.float32)
        return counts * tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=shared, logits=logits))

    def get_config(self):  # noqa: D102
        return {**super().get_config(), "start": self.start, "sync_batch_norm": self.sync_batch_norm}

    @staticmethod
    def pairs(layout, count: tf.Tensor | int, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Latents [count, width] twice, and the number of the one code, int32 [count], that they have in common."""

        def draw(stream):
            return drawn_here(count, lambda rows: layout.sample(rows, fold_in(seed, stream)))

        first, second = draw(0), draw(1)
        shared = drawn_here(
            count,
            lambda rows: tf.random.stateless_uniform(
                (rows,), fold_in(seed, 2), maxval=len(layout.codes), dtype=tf.int32
            ),
        )
        _, blocks = layout.split(first)
        noise, others = layout.split(second)
        columns = [noise]
        for i, code in enumerate(layout.codes):
            columns.append(tf.where((shared == i)[:, tf.newaxis], blocks[code.name], others[code.name]))
        return first, tf.concat(columns, axis=-1), shared
