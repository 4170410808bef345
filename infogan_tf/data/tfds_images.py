"""The images of any data set of tensorflow-datasets, decoded once into the cache as those of a folder are."""

import functools
import io
import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from infogan_tf.data.arrays import split_of
from infogan_tf.data.cache import digest_of, kept_or_made, write_rows
from infogan_tf.data.decoding import Form, NotDecodedError, look
from infogan_tf.data.folder import LOOKED_AT, Wanted, decoded, side_of, size_of
from infogan_tf.data.images import ImageData
from infogan_tf.data.labels import Table, with_labels
from infogan_tf.data.tfds import find_builder, prepare, without_warnings
from infogan_tf.errors import UserError, first_line


def load_tfds_images(
    name: str, builder: str, wanted: Wanted, cache_dir: Path, data_dir: str | None, table: Table | None = None
) -> ImageData:
    """The images of a data set of tensorflow-datasets, decoded first where the cache has none.

    `train` and `test` are the split; where it has not both, a tenth of `train`, or of what there is, is held out by a
    hash of the index, as of arrays. Of several images in an example the one called `image` is taken, or the first by
    name. The labels are the feature `label`, or what the data set itself names for supervised learning, if that is a
    class; the attributes are what is true or false of an example.

    Args:
        name: What the data set is called.
        builder: Its name there, as in "emnist/letters".
        wanted: What the images are made to be. Their size and channels are the data set's own by default, as those of
            an array; of images of different sizes they are found out as those of a folder.
        cache_dir: The folder of the cache, which is made.
        data_dir: Folder of prepared data, as in `tfds.data_folder`.
        table: What is said of the images elsewhere, in place of their attributes, by their index as of arrays.

    Raises:
        UserError: Where it has no images, is not there and cannot be downloaded, or cannot be read; where the cache
            cannot be written, or the table is of other images.
    """
    records = _Records(find_builder(builder, data_dir), f"tfds:{builder}")
    prepare(records.builder, builder, data_dir)
    train, test = split_of([count for _, count in records.splits])
    if not len(train) or not len(test):
        raise UserError(
            f"--dataset: expected two images or more. Received: {records.name}, with {len(train) + len(test)}"
        )
    order = np.concatenate([train, test])
    rows = None if table is None else table.rows_of([str(index) for index in order])

    def make(target):
        places = order.argsort()
        form, read = _form_and_reader(records, wanted)
        labels, attributes = [], []

        def contents():
            for content, label, its_attributes in records.read():
                labels.append(label)
                attributes.append(np.packbits(np.array(its_attributes, bool)))
                yield content

        def images():
            for number, (place, (_, image)) in enumerate(zip(places, decoded(contents(), read, form), strict=False)):
                if isinstance(image, str):
                    raise records.refused(f"image {number:,} of which cannot be read ({image})")
                yield int(place), image

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of files that are odd
            count = write_rows(target, len(places), (form.height, form.width, form.channels), images())
        if count != len(places):
            raise records.refused(f"which has {count:,} images, and not {len(places):,}")
        record = {"train": len(train), "test": len(test), "classes": [], "skipped": []}
        if records.attributes:
            record["attributes"] = records.attributes
            record["bits"] = [attributes[index].tobytes().hex() for index in order]
        if min(labels) >= 0:  # -1 stands for one that nobody tells, as those of a competition's test images
            numbers, labels = np.unique(labels, return_inverse=True)
            classes = [records.classes[number] for number in numbers]
            record |= {"classes": classes, "labels": labels[order].tolist()}
        return record

    data = kept_or_made(name, digest_of([*records.facts(), wanted]), cache_dir, make)
    return data if table is None else with_labels(data, table, rows)


class _Records:
    """What a data set has of images and labels; once it is prepared, in the order in which they are stored.

    Attributes:
        builder: Of tensorflow-datasets.
        name: What --dataset calls it.
        feature: Its images.
        classes: The names of the labels, if there are any.
        attributes: The names of what is true or false of an example.
    """

    def __init__(self, builder, name: str):
        import tensorflow_datasets as tfds

        self.builder, self.name = builder, name
        features = builder.info.features
        features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
        images = [
            key
            for key, feature in features.items()
            if isinstance(feature, tfds.features.Image) and not isinstance(feature, tfds.features.LabeledImage)
        ]
        if not images:
            raise self.refused(f"whose examples have {', '.join(features) or 'none'}", "a data set of images")
        self._image = "image" if "image" in images else min(images)
        if len(images) > 1:
            print(f"Each example of {name} has several images, {', '.join(images)}; {self._image} is taken.")
        self.feature = features[self._image]
        if np.dtype(self.feature.np_dtype) not in (np.uint8, np.uint16):
            raise self.refused(f"of {np.dtype(self.feature.np_dtype)}", "images of 8 or 16 bits")
        labels = ["label", *(key for key in builder.info.supervised_keys or () if isinstance(key, str))]
        labels = [key for key in labels if isinstance(features.get(key), tfds.features.ClassLabel)]
        self._label = labels[0] if labels else None
        self.classes = features[labels[0]].names if labels else []
        truths = {(key,): feature for key, feature in features.items()}
        for key, feature in features.items():  # CelebA's lie in a dictionary of their own
            if isinstance(feature, tfds.features.FeaturesDict):
                truths |= {(key, inner): feature[inner] for inner in feature}
        self._attributes = {
            path[-1]: path for path, feature in truths.items() if feature.shape == () and feature.np_dtype is np.bool_
        }
        self.attributes = list(self._attributes)

    @functools.cached_property
    def splits(self) -> list[tuple[str, int]]:
        """The name of each split that is read, and how many images it has."""
        counts = {split: info.num_examples for split, info in self.builder.info.splits.items() if info.num_examples}
        whole = [split for split in ("train", *counts) if split in counts][:1]
        used = ["train", "test"] if {"train", "test"} <= set(counts) else whole
        if not used:
            raise self.refused("which has no examples")
        return [(split, counts[split]) for split in used]

    def facts(self) -> list[object]:
        """All that the images depend on; a copy of the same prepared data elsewhere has the same."""
        info = self.builder.info
        sizes = [(split, info.splits[split].num_bytes, info.splits[split].shard_lengths) for split, _ in self.splits]
        return [info.full_name, self._image, self._label, self.attributes, self.splits, sizes]

    def read(self) -> Iterator[tuple[bytes, int, list[bool]]]:
        """Every image of the splits, as a file's content, its label, -1 without any, and its attributes; in order."""
        import tensorflow as tf
        import tensorflow_datasets as tfds

        paths = list(self._attributes.values())
        wanted = dict.fromkeys(
            [self._image, *([self._label] if self._label else []), *(path[0] for path in paths)], True
        )
        decoders = tfds.decode.PartialDecoding(wanted, decoders={self._image: tfds.decode.SkipDecoding()})
        # One file after another; by default the records of a small data set are all kept in memory once read.
        config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        try:
            for split, _ in self.splits:
                with without_warnings():
                    dataset = self.builder.as_dataset(
                        split=split, shuffle_files=False, decoders=decoders, read_config=config
                    )
                for example in tfds.as_numpy(dataset):
                    label = int(example[self._label]) if self._label else -1
                    yield example[self._image], label, [functools.reduce(dict.get, path, example) for path in paths]
        except tf.errors.OpError as error:
            raise self.refused(f"which cannot be read ({first_line(error)})") from error

    def refused(self, received: str, expected: str = "data as it was prepared") -> UserError:
        """What is wrong with it, in a line."""
        return UserError(
            f"--dataset: expected {expected}. Received: {self.name}, {received}, in {self.builder.data_dir}"
        )


def _form_and_reader(records: _Records, wanted: Wanted) -> tuple[Form, Callable[[bytes], bytes]]:
    """What the images are made to be, found out where it was not asked for; and how a stored one is read."""
    some = [content for content, *_ in itertools.islice(records.read(), LOOKED_AT)]
    height, width, channels = records.feature.shape
    try:
        found = [look(content, wanted.ground) for content in some]
    except NotDecodedError as error:
        raise records.refused(f"whose images cannot be read ({error})") from error
    if height and width:
        size = size_of(height, width)
    else:
        size = (side_of(np.median([min(height, width) for height, width, _ in found])),) * 2
    if not channels:
        channels = 3 if any(in_colour for *_, in_colour in found) else 1
    changes = []
    if records.builder.name == "emnist":  # stored as they were published, rows for columns
        changes.append(lambda picture: picture.transpose(Image.Transpose.TRANSPOSE))
    if all(np.asarray(Image.open(io.BytesIO(content))).max() <= 1 for content in some):  # pixels of 0 and 1
        changes.append(lambda picture: picture.point(lambda value: 255 * value))

    def read(content):
        if not changes:
            return content
        picture = Image.open(io.BytesIO(content))
        for change in changes:
            picture = change(picture)
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=0)
        return file.getvalue()

    channels = wanted.channels or (1 if channels == 1 else 3)
    return Form(*(wanted.size or size), channels, wanted.crop, wanted.ground), read
