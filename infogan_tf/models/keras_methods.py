"""Keras's own methods for models of images drawn from latents: what they are given is looked at first."""

import math
import types

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.data.given import (
    NO_BATCH,
    Rows,
    beside,
    checked,
    checked_rows,
    comes_in_batches,
    image_rows,
    latent_rows,
    refuse_weights,
    unpacked,
)
from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.callbacks import check_file, prepared
from infogan_tf.models.means import Means
from infogan_tf.models.program import Program


class KerasMethods(keras.Model):
    """`fit`, `evaluate`, `predict` and their like, which refuse in one sentence what does not fit the model.

    Attributes:
        layout: The layout of the latents, of a subclass.
        image_shape: Height, width and channels, of a subclass.
        means: What its steps log, once it is compiled.
    """

    layout: LatentLayout
    image_shape: tuple[int, int, int]
    means: Means
    # The `steps_per_execution` of the train function that there is.
    steps_made_for: int = 0

    # === Training and predicting ===

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        **kwargs,
    ):
        """As `keras.Model.fit`, of images [B, H, W, C]: integers in 0..255 or floats in 0..1.

        Args:
            x: The images: an array or a list, alone, in a pair with labels, or as "image" of a dict; or batches of
                these: a tf.data.Dataset, a PyDataset, a generator. Of an array the replicas of a `tf.distribute`
                strategy have to get equal parts of every batch, the last one too.
            y: Labels of an array of images: for a model that is told them integers [N] from 0; other models take any.
            batch_size: How many images of an array a step takes; 32 where it is None.
            epochs: Number of the last epoch.
            verbose: As in Keras.
            callbacks: Keras's own and others. Those that set a learning rate set it of each optimizer; TerminateOnNaN
                looks at every figure.
            validation_split: The share of an array's images, from its end, that serves for validation.
            validation_data: Images as `x` has them.
            shuffle: Whether to shuffle an array's images.
            class_weight: None; anything else is refused.
            sample_weight: None; anything else is refused.
            initial_epoch: Number of the first epoch, from 0.
            steps_per_epoch: How many batches are an epoch; has to be given for data without an end.
            validation_steps: How many batches serve for validation; likewise.
            **kwargs: As `keras.Model.fit` takes them (validation_batch_size, validation_freq).

        Returns:
            Keras's History.

        Raises:
            ValueError: Before the first step, for what does not fit; the message names it.
        """
        self._assert_compile_called("fit")
        refuse_weights(class_weight=class_weight)
        x, y = self._with_labels(x, y, sample_weight, steps_per_epoch, "steps_per_epoch")
        _check_batch_size(batch_size)
        if not 0.0 <= validation_split < 1.0:
            raise ValueError(f"validation_split: expected a share from 0 to below 1. Received: {validation_split!r}")
        validation_batch_size = kwargs.get("validation_batch_size") or batch_size
        if not comes_in_batches(x):
            trained_on = math.floor(len(x) * (1.0 - validation_split))  # as Keras has it
            self._check_shares(trained_on, batch_size)
            self._check_shares(len(x) - trained_on, validation_batch_size)
        if validation_data is not None:
            if isinstance(validation_data, (tuple, list)):  # a list is a pair here, in Keras
                given = unpacked(validation_data)
            else:
                given = validation_data, None, None
            validation_data = self._with_labels(*given, validation_steps, "validation_steps")
            if not comes_in_batches(validation_data[0]):
                self._check_shares(len(validation_data[0]), validation_batch_size)
        history = super().fit(
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=prepared(callbacks, self, validation_data is not None or bool(validation_split)),
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            **kwargs,
        )
        # A data set may show only when it is read that it gives nothing.
        if history.epoch and not set(self.means.names) & set(history.history):
            raise self._image_rows.wrong(NO_BATCH)
        return history

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, **kwargs):
        """As `keras.Model.evaluate`, of images as in `fit`."""
        # Keras's own `fit` asks so, after each epoch, of data that it has looked into.
        if not kwargs.get("_use_cached_eval_dataset"):
            self._assert_compile_called("evaluate")
            x, y = self._with_labels(x, y, sample_weight, steps, "steps")
            _check_batch_size(batch_size)
            if not comes_in_batches(x):
                self._check_shares(len(x), batch_size)
        found = super().evaluate(x, y, batch_size=batch_size, verbose=verbose, steps=steps, **kwargs)
        if found in ({}, []):
            raise self._image_rows.wrong(NO_BATCH)
        return found

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """As `keras.Model.train_on_batch`, of images as in `fit`; the replicas of a strategy share them out."""
        self._assert_compile_called("train_on_batch")
        refuse_weights(class_weight=class_weight)
        x, y = self._with_labels(x, y, sample_weight, check=checked_rows)
        self._check_shares(len(x), len(x))
        return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """As `keras.Model.test_on_batch`, of images as in `fit`."""
        self._assert_compile_called("test_on_batch")
        x, y = self._with_labels(x, y, sample_weight, check=checked_rows)
        return super().test_on_batch(x, y, return_dict=return_dict)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """As `keras.Model.predict`: the images that it generates of latents [B, layout.width]."""
        x = checked(x, self._latent_rows, steps, "steps")
        _check_batch_size(batch_size)
        return super().predict(x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks)

    def predict_on_batch(self, x):
        """As `keras.Model.predict_on_batch`, of latents as in `predict`."""
        return super().predict_on_batch(checked_rows(x, self._latent_rows))

    # === Writing ===

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """As `keras.Model.save`, to a file that ends in .keras.

        Raises:
            ValueError: For an .h5 file, which cannot hold a model of several networks; nothing was written then.
        """
        check_file(filepath)
        super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def export(self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **kwargs):
        """As `keras.Model.export`: what it gives of latents [B, layout.width], and no more.

        `infogan_tf.export_saved_model` writes what a server can be asked for by code.
        """
        # Keras knows the inputs of such a model only once it was called, which `fit` never does.
        signature = input_signature or [keras.InputSpec(dtype="float32", shape=(None, self.layout.width))]
        return super().export(filepath, format, verbose, signature, **kwargs)

    # === What they are given ===

    @property
    def _image_rows(self) -> Rows:
        return image_rows(self.image_shape)

    @property
    def _latent_rows(self) -> Rows:
        return latent_rows(self.layout.width)

    def _with_labels(self, x, y, sample_weight, *steps, check=checked):
        """Checked images, or their batches, and checked labels where they were given apart."""
        if isinstance(x, tuple) and y is None and sample_weight is None:
            x, y, sample_weight = unpacked(x)
        refuse_weights(sample_weight=sample_weight)
        if self.layout.told is not None:  # of a dict of arrays the images alone go on
            y = beside(x, y)
        x = check(x, self._image_rows, *steps)
        # In their place there may be a pair of further images and their labels.
        code, labels = (self.layout.classifier, y[-1]) if isinstance(y, tuple) else (self.layout.told, y)
        if code is not None and labels is not None:
            code.check_known(labels)
        return x, y

    def _check_shares(self, count, batch_size):
        """Refuses images in an array where replicas would get unequal parts of a batch, or none."""
        replicas, batch_size = self.distribute_strategy.num_replicas_in_sync, batch_size or 32  # Keras's own
        for size in (min(batch_size, count), count % batch_size):
            if size % replicas:
                raise ValueError(
                    f"images: expected a multiple of {replicas} replicas in every batch. "
                    f"Received: {count}, with batches of {batch_size} one of {size}"
                )

    # === What Keras does in them ===

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What the steps log, once it is compiled; Keras's own list would add a `loss` that is always 0."""
        return [self.means] if self.compiled else []

    def make_train_function(self, force=False):
        """As `keras.Model` has it, but that XLA compiles the `steps_per_execution` steps as one program.

        Keras 3.15's own fails under a strategy of several replicas (keras issue 20585).
        """
        if self.train_function is not None and self.steps_made_for == self.steps_per_execution and not force:
            return self.train_function
        self.steps_made_for = self.steps_per_execution
        strategy = self.distribute_strategy
        if strategy.num_replicas_in_sync == 1:
            super().make_train_function(force=True)
            if self.jit_compile and self.steps_per_execution > 1 and not self.run_eagerly:
                self.train_function = Program(self, self.train_function)
            return self.train_function

        @tf.function
        def one_step(parts):
            logs = strategy.run(self.train_step, args=(parts,))
            # Every replica logs the same figures.
            return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

        @tf.function
        def steps(iterator):
            for _ in tf.range(self.steps_per_execution - 1):
                one_step(next(iterator))
            return one_step(next(iterator))

        def train_function(iterator):
            # A graph cannot ask the generator of `train_on_batch`, and nobody has shared out its batch.
            if isinstance(iterator, types.GeneratorType):
                return one_step(_shared_out(next(iterator), strategy))
            return steps(iterator)

        self.train_function = train_function
        return train_function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing is left to build; Keras 3.15's own takes the mean of a batch over workers, which fails for uint8."""

    def _get_metrics_result_or_logs(self, logs):
        """An epoch's figures: what was never logged in it is absent, and not 0."""
        return self.means.counted()


def _shared_out(batch, strategy):
    """A batch as each replica of a strategy gets its equal part of it, in order."""

    def part(context):
        def own(rows):
            size = len(rows) // context.num_replicas_in_sync
            return rows[context.replica_id_in_sync_group * size :][:size]

        return tf.nest.map_structure(own, keras.utils.pack_x_y_sample_weight(*unpacked(batch)))

    return strategy.experimental_distribute_values_from_function(part)


def _check_batch_size(batch_size):
    if batch_size is not None and (not isinstance(batch_size, (int, np.integer)) or batch_size < 1):
        raise ValueError(f"batch_size: expected an integer from 1, or None. Received: {batch_size!r}")
