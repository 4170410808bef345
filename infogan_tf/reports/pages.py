"""Pictures as part of an HTML page, which needs no other file."""

import base64
import dataclasses
import io
from collections.abc import Sequence

import numpy as np

from infogan_tf import pictures


@dataclasses.dataclass(frozen=True)
class Grid:
    """A picture of images in rows, with a caption and labels for its columns and rows (or none)."""

    picture: np.ndarray
    caption: str
    columns: list[str] = dataclasses.field(default_factory=list)
    rows: list[str] = dataclasses.field(default_factory=list)

    @property
    def width(self) -> int:
        """Pixels at which the page shows it: enlarged to whole multiples, where that is not too wide."""
        return self.picture.shape[1] * max(1, 670 // self.picture.shape[1])

    @property
    def source(self) -> str:
        """The PNG as a data URI."""
        file = io.BytesIO()
        pictures.to_pil(self.picture).save(file, format="PNG", optimize=True)
        return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def grid(
    images: np.ndarray, columns: int, caption: str, column_labels: Sequence[str] = (), rows: Sequence[str] = ()
) -> Grid:
    """Images [N, H, W, C], in rows of `columns`, for a page."""
    return Grid(pictures.tile(images, columns), caption, list(column_labels), list(rows))
