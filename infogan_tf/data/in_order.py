"""Every image of a data set in its own order, one after another: none is kept, and none is set apart for a split."""

import contextlib
import math
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from infogan_tf.data.arrays import picture_of
from infogan_tf.data.decoding import Form, NotDecodedError, fitted
from infogan_tf.data.folder import decoded
from infogan_tf.data.listing import SUFFIXES, File, list_files, reading, shown, written
from infogan_tf.errors import UserError


class FilesInOrder:
    """The image files of a folder or .zip, in the order of their names; to be closed.

    Args:
        path: The folder or archive; nothing is written there.

    Raises:
        UserError: Where it cannot be listed, or has no image.
    """

    # What an image is called by, as the columns of a table.
    columns: ClassVar[tuple[str, ...]] = ("file",)

    def __init__(self, path: Path):
        self.path, self.files = path, list_files(path)
        if not self.files:
            raise UserError(
                f"--dataset: expected a folder or archive with images, {', '.join(SUFFIXES)}. "
                f"Received: {str(path)!r}, with none"
            )
        self.can_be_linked = path.is_dir()
        # Of all of them, as they lie there.
        self.bytes = sum(file.size for file in self.files)
        self._open = contextlib.ExitStack()
        self._read = self._open.enter_context(reading(path))

    def __len__(self):
        return len(self.files)

    def close(self) -> None:
        """Ends the reading."""
        self._open.close()

    def images(self, form: Form) -> Iterator[tuple[File, np.ndarray | str]]:
        """Each file with its image, uint8 [H, W, C], made to be of this form; or with why it cannot be read."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of files that are odd
            yield from decoded(self.files, self._read, form)

    def name(self, file: File) -> tuple[str, ...]:
        """What a file is called, a text for each of `columns`."""
        return (written(file.name),)

    def file_name(self, file: File) -> str:
        """A name for it in a folder of many; files of different folders may share it."""
        return file.name.replace("/", "_")

    def link(self, file: File, target: Path) -> None:
        """Makes `target` a symbolic link to the user's file; only where they `can_be_linked`."""
        target.symlink_to(self.path / file.name)

    def copy(self, file: File, target: Path) -> None:
        """Writes the file's bytes to `target`.

        Raises:
            UserError: Where it cannot be read any more.
        """
        try:
            content = self._read(file)
        except ValueError as error:
            raise UserError(
                f"--dataset: expected files that stay as they are. Received: {shown(file.name)} ({error})"
            ) from error
        target.write_bytes(content)


class RowsInOrder:
    """The images of arrays, by split and index.

    Args:
        shapes: Of the arrays, (N, H, W) or (N, H, W, C).
        rows: Every image: its split, its index, and its pixels, uint8 [H, W] or [H, W, C].
        made: Whether they are of the form already that `images` is asked for, and not to be cropped again.
    """

    columns: ClassVar[tuple[str, ...]] = ("split", "index")
    can_be_linked = False

    def __init__(self, shapes: list[tuple[int, ...]], rows: Iterable[tuple[str, int, np.ndarray]], made: bool = False):
        self._count, self._rows, self._made = sum(shape[0] for shape in shapes), rows, made
        self.bytes = sum(map(math.prod, shapes))

    def __len__(self):
        return self._count

    def close(self) -> None:
        """Nothing is open."""

    def images(self, form: Form) -> Iterator[tuple[tuple[str, int, np.ndarray], np.ndarray | str]]:
        """As `FilesInOrder.images`."""
        for row in self._rows:
            try:
                image = row[2] if self._made else fitted(picture_of(row[2]), form)
            except NotDecodedError as error:
                image = str(error)
            yield row, image

    def name(self, row: tuple[str, int, np.ndarray]) -> tuple[str, ...]:
        """As `FilesInOrder.name`."""
        return row[0], str(row[1])

    def file_name(self, row: tuple[str, int, np.ndarray]) -> str:
        """As `FilesInOrder.file_name`."""
        return f"{row[0]}-{row[1]:06d}.png"

    def copy(self, row: tuple[str, int, np.ndarray], target: Path) -> None:
        """Writes the image, of its own size, as a PNG file."""
        picture_of(row[2]).save(target, format="PNG")
