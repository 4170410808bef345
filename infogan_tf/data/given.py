"""What a model's methods are given: arrays, lists of them, dicts, pairs with labels, or batches of these one by one.

All that does not fit the model is refused in one sentence, before it becomes an error of a graph.
"""

import dataclasses
import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.data.pixels import check_images

# The names that tensorflow-datasets, and others, give to the images of a dict.
NAMES = ("image", "images")
# What is received, of a data set that gives nothing.
NO_BATCH = "a data set without a batch"


@dataclasses.dataclass(frozen=True)
class Rows:
    """What is wanted: rows of one shape.

    Attributes:
        name: What they are, as messages call them.
        shape: Of one row.
        check: Raises a ValueError where values are none that they may have.
        of: Takes them from what stands for a batch.
    """

    name: str
    shape: tuple[int, ...]
    check: Callable[[np.ndarray | tf.Tensor], None]
    of: Callable

    def wrong(self, received: str) -> ValueError:
        """The refusal of what was received instead."""
        sizes = ", ".join(map(str, ["B", *self.shape]))
        return ValueError(f"{self.name}: expected shape [{sizes}]. Received: {received}")


def image_rows(shape: tuple[int, int, int]) -> Rows:
    """Images [B, H, W, C], of the shape [H, W, C]."""
    return Rows("images", shape, check_images, images_of)


def latent_rows(width: int) -> Rows:
    """Latents [B, width]."""
    return Rows("latents", (width,), _check_latents, _first_of)


def _check_latents(latents):
    values = np.asarray(latents)
    if values.dtype.kind not in "iuf" and values.dtype != tf.bfloat16.as_numpy_dtype:
        raise ValueError(f"latents: expected numbers. Received: {values.dtype}")
    if not np.isfinite(values).all():
        raise ValueError(f"latents: expected finite numbers. Received: {values[~np.isfinite(values)][0]} among them")


# === Of one batch, or of all at once ===


def images_of(batch):
    """The images of a batch: itself, or of a pair with labels the first, or of a dict those of NAMES.

    Raises:
        ValueError: For a dict without such a name.
    """
    images = _first_of(batch)
    if isinstance(images, Mapping):
        name = next((name for name in NAMES if name in images), None)
        if name is None:
            raise ValueError(
                f"images: expected images, alone, in pairs with labels, or under the name {NAMES[0]!r} of a dict. "
                f"Received: a dict of {', '.join(map(str, images))}"
            )
        images = images[name]
    return images


def labels_of(batch):
    """The labels of a batch: of a pair with images the second, or of a dict "label".

    Raises:
        ValueError: Where there are none.
    """
    labels = beside(*unpacked(batch)[:2])
    if labels is None:
        raise ValueError(
            "labels: expected those of the images, in a pair with them or as 'label' of a dict. Received none"
        )
    return labels


def beside(images, labels):
    """The labels of images: those that were given apart, or else "label" of a dict; None where there are none."""
    return images.get("label") if labels is None and isinstance(images, Mapping) else labels


def _first_of(batch):
    return unpacked(batch)[0]


def unpacked(batch) -> tuple:
    """What stands for a batch, or for all at once, as Keras has it: rows, labels and weights, None where none are.

    Raises:
        ValueError: For a tuple, or a list, of more than these, or of none.
    """
    if isinstance(batch, (tuple, list)) and not 1 <= len(batch) <= 3:
        raise ValueError(f"data: expected rows, alone or in a pair with labels. Received: {len(batch)} things in one")
    return keras.utils.unpack_x_y_sample_weight(batch)


def rows_of(given, wanted: Rows):
    """The rows of what is no batch after batch, whose shape fits; their values are not looked at.

    Raises:
        ValueError: Where there are none, or they are of another shape.
    """
    rows = given if isinstance(given, list) else wanted.of(given)
    if isinstance(rows, list):
        try:
            rows = np.asarray(rows)
        except ValueError:
            raise wanted.wrong(f"a list of {_shapes_in(rows)}") from None
    if isinstance(rows, (tf.RaggedTensor, tf.SparseTensor)) or not hasattr(rows, "shape"):
        raise wanted.wrong(f"{rows!r:.80}".splitlines()[0])
    _check_shape(rows.shape, wanted)
    return rows


def _shapes_in(rows):
    try:
        sizes = dict.fromkeys(str(list(np.shape(each))) for each in rows)
    except ValueError:
        return "lists of several lengths"
    return f"the shapes {', '.join(sizes)}"


def _check_shape(received, wanted: Rows, batches: bool = False):
    """Refuses a shape, of which sizes may be unknown, that cannot be that of wanted rows."""
    received = tf.TensorShape(tuple(received) if isinstance(received, (tuple, list)) else received)
    if received.is_compatible_with([None, *wanted.shape]):
        return
    sizes = "a scalar" if received.rank == 0 else f"shape {list(received)}"
    raise wanted.wrong(f"{sizes}{_way_out(tuple(received), wanted.shape, batches)}")


def _way_out(received, wanted, batches):
    one = "; dataset.batch(64) makes batches" if batches else "; of a single one, array[None] makes a batch"
    if received == wanted:
        return one
    if len(wanted) == 3:
        *sides, channels = wanted
        if received == tuple(sides):
            return f"{one}, and a last axis is missing, for the channel" if channels == 1 else one
        if received[1:] == tuple(sides):
            return "; array[..., None] adds the last axis, for the channel" if channels == 1 else ""
        if len(received) == 4 and received[1:] == (channels, *sides):
            return "; the channels come last"
        if received[2:] == wanted:
            return "; np.concatenate joins batches"
    return ""


def checked_rows(given, wanted: Rows):
    """The rows of one batch, or of all at once, checked.

    Raises:
        ValueError: For a data set of batches, for no rows, and for rows of another shape or of other values.
    """
    if comes_in_batches(given):
        raise wanted.wrong(f"a {type(given).__name__.lstrip('_')}, where one batch is due")
    rows = rows_of(given, wanted)
    if not len(rows):
        raise wanted.wrong("none at all")
    wanted.check(rows)
    return rows


# === Batch after batch ===


def comes_in_batches(given) -> bool:
    """Whether it is a data set or the like, which gives batch after batch, and not rows."""
    if isinstance(given, (Sequence, Mapping)) or hasattr(given, "shape"):
        return False
    return hasattr(given, "__iter__") or isinstance(given, keras.utils.PyDataset)


def batches_of(given, wanted: Rows) -> Iterator:
    """The rows of each batch, checked; of a data set that ends. Each batch is asked for once.

    Raises:
        ValueError: For a data set without an end or without a batch, or where a batch does not fit.
    """
    _check_count(given, wanted)
    is_pydataset = isinstance(given, keras.utils.PyDataset)  # which need not end where it says that it does
    is_empty = True
    for batch in map(given.__getitem__, range(len(given))) if is_pydataset else given:
        yield _checked_batch(batch, wanted)
        is_empty = False
    if is_empty:
        raise wanted.wrong(NO_BATCH)


def _checked_batch(batch, wanted):
    """The rows of a batch. A list is a pair with labels here, as Keras has it, and not rows."""
    _check_weights(batch)
    rows = rows_of(tuple(batch) if isinstance(batch, list) else batch, wanted)
    wanted.check(rows)
    return rows


def checked(given, wanted: Rows, steps: int | None = None, name_of_steps: str = ""):
    """What Keras's own methods are given, after a look at it: at all rows of an array, and at the first batch.

    Args:
        given: Rows as `rows_of` takes them, or their batches: a tf.data.Dataset, a PyDataset or a generator. Batches of
            a `tf.distribute` strategy, and of other libraries, are not looked at.
        wanted: What rows there should be.
        steps: How many batches are taken; None takes all that there are.
        name_of_steps: The argument that says so.

    Returns:
        The rows; or the batches as they were, a generator with its first batch put back.

    Raises:
        ValueError: Where there is none, where rows have another shape or other values, or where batches have no end
            and `steps` are not given.
    """
    if not comes_in_batches(given):
        return checked_rows(given, wanted)
    _check_count(given, wanted, steps, name_of_steps)
    if isinstance(given, tf.data.Dataset):
        spec = wanted.of(given.element_spec)
        # Bytes need no look, and what a data set does to give its first batch may be done once only.
        if spec.dtype == tf.uint8 and spec.shape.rank and spec.shape[1:].is_fully_defined():
            return given
        first = next(iter(given.take(1)), None)
    elif isinstance(given, keras.utils.PyDataset):
        first = given[0]
    elif isinstance(given, types.GeneratorType):
        first = next(given, None)
        given = _put_back(first, given)
    else:
        return given
    if first is None:
        raise wanted.wrong(NO_BATCH)
    _checked_batch(first, wanted)
    return given


def _check_count(given, wanted, steps=None, name_of_steps=""):
    """Refuses batches that say of themselves that they are none, without an end, or of something else."""
    count = None
    if isinstance(given, tf.data.Dataset):
        _check_weights(given.element_spec)
        _check_spec(wanted.of(given.element_spec), wanted)
        count = int(given.cardinality())
    elif isinstance(given, keras.utils.PyDataset):
        count = tf.data.INFINITE_CARDINALITY if given.num_batches is None else given.num_batches
    if count == 0:
        raise wanted.wrong(NO_BATCH)
    if count == tf.data.INFINITE_CARDINALITY and steps is None:
        what = f"{name_of_steps}: expected a number" if name_of_steps else f"{wanted.name}: expected data with an end"
        raise ValueError(f"{what}. Received: {'None, and ' if name_of_steps else ''}a data set that repeats for ever")


def _check_spec(spec, wanted):
    if not isinstance(spec, tf.TensorSpec):
        raise wanted.wrong(f"a data set of {type(spec).__name__.removesuffix('Spec')}s")
    _check_shape(spec.shape, wanted, batches=True)


def _check_weights(batch):
    refuse_weights(sample_weight=unpacked(batch)[2])


def refuse_weights(**weights) -> None:
    """Refuses weights of examples or classes, by the name of the argument: the losses here know none."""
    for name, given in weights.items():
        if given is not None:
            raise ValueError(
                f"{name}: expected None, as all images count alike here; data may have some of them more often. "
                f"Received: {type(given).__name__}"
            )


def _put_back(first, rest):
    """A generator, which is all that Keras takes for one; of tuples, which is all that it takes from one."""
    for batch in itertools.chain([first], rest):
        yield tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
