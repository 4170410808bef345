"""Images sorted by the class that a model reads in them: a folder and a contact sheet for each class.

    c1-0/, c1-1/, ...     the images of each class of c1: links to the user's files, or copies
    c1-0.png, ...         the surest images of each, as the model is shown them, the surest first
    c1.png                the surest of every class, a row each

and so for every discrete code.
"""

import hashlib
import heapq
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from infogan_tf.data.in_order import FilesInOrder, RowsInOrder
from infogan_tf.latents.codes import Code
from infogan_tf.pictures import GAP, GROUND, tile, to_pil

# A contact sheet's rows and columns, at most.
SHEET = 8
# An overview of more classes than these is none.
MOST_ROWS = 100
# What the images of all sheets may take in memory; of very many classes each then has a smaller sheet.
SHEETS_BYTES = 2**28
# Small images are enlarged to about this height.
HEIGHT = 64
# Longer names, in bytes, are cut; file systems take 255.
LONGEST_NAME = 200


class ClassFolders:
    """A folder that fills with images sorted by class.

    Args:
        folder: Where they go, a folder that is there and empty.
        codes: The discrete codes, one or more.
        names: By code, what each class is called, or "".
        source: Where the images come from. Where they can be linked, and this file system has symbolic links, a class
            folder has links to the user's files, else copies.
    """

    def __init__(
        self,
        folder: Path,
        codes: Sequence[Code],
        names: Mapping[str, Sequence[str]],
        source: FilesInOrder | RowsInOrder,
    ):
        self.folder, self.codes, self.names, self.source = folder, codes, names, source
        self._link = source.can_be_linked and can_link(folder)
        self._counts = {code.name: [0] * code.num_classes for code in codes}
        # The surest images of each class: heaps of (probability, -number, image), the least sure first.
        self._surest: dict[tuple[str, int], list] = {}
        self._numbers = itertools.count()

    def add(
        self, code: Code, items: Sequence[object], images: np.ndarray, classes: np.ndarray, probabilities: np.ndarray
    ) -> None:
        """Sorts images by their class of one code.

        Args:
            code: One of the codes.
            items: As the source gives them.
            images: As the model is shown them, uint8 [b, H, W, C].
            classes: The most probable class of each, integers [b].
            probabilities: How probable it is, [b].
        """
        most = SHEETS_BYTES // images[0].nbytes // sum(code.num_classes for code in self.codes)
        most = max(1, min(SHEET**2, most))
        counts = self._counts[code.name]
        for item, image, k, probability in zip(items, images, classes.tolist(), probabilities.tolist(), strict=True):
            place = self.folder / _class_name(code, k)
            if not counts[k]:
                place.mkdir()
            counts[k] += 1
            target = _free(place, self.source.file_name(item))
            (self.source.link if self._link else self.source.copy)(item, target)
            heap = self._surest.setdefault((code.name, k), [])
            entry = (probability, -next(self._numbers), image)
            heapq.heappush(heap, entry) if len(heap) < most else heapq.heappushpop(heap, entry)

    def write_sheets(self) -> None:
        """Writes the contact sheets and the overviews."""
        for code in self.codes:
            rows = []
            for k, count in enumerate(self._counts[code.name]):
                images = [image for *_, image in sorted(self._surest.get((code.name, k), ()), reverse=True)]
                if images:
                    sheet = tile(_enlarged(np.stack(images)), min(SHEET, len(images)))
                    to_pil(sheet).save(self.folder / f"{_class_name(code, k)}.png", format="PNG")
                rows.append((f"{self._called(code.name, k)}: {count:,}", images[:SHEET]))
            if len(rows) <= MOST_ROWS:
                _overview(rows).save(self.folder / f"{code.name}.png", format="PNG")

    def in_words(self) -> str:
        """What was sorted, and how many are in each class."""
        count = sum(self._counts[self.codes[0].name])
        by_code = [
            f"{name} " + ", ".join(f"{self._called(name, k)}: {n:,}" for k, n in enumerate(counts) if n)
            for name, counts in self._counts.items()
        ]
        return f"{'links to' if self._link else 'copies of'} {count:,} images by class ({'; '.join(by_code)})"

    def _called(self, code, k):
        name = self.names[code][k] if code in self.names else ""
        return f"{k} {name}" if name else str(k)


def can_link(folder: Path) -> bool:
    """Whether the file system of a folder has symbolic links, and lets this user make them."""
    trial = folder / "link"
    try:
        trial.symlink_to(folder)
    except (OSError, NotImplementedError):
        return False
    trial.unlink()
    return True


def _class_name(code: Code, k: int) -> str:
    return f"{code.name}-{k:0{len(str(code.num_classes - 1))}}"


def _free(folder: Path, name: str) -> Path:
    """A path in a folder where nothing lies yet: of this name, or of one that differs by a number before its suffix."""
    content = os.fsencode(name)
    if len(content) > LONGEST_NAME:
        tail = content[-LONGEST_NAME:].lstrip(bytes(range(0x80, 0xC0)))  # no half of a letter
        name = f"{hashlib.sha256(content).hexdigest()[:16]}_{os.fsdecode(tail)}"
    path, number = folder / name, 2
    while os.path.lexists(path):  # by what the file system takes for the same, such as a.png and A.png
        path, number = folder / f"{Path(name).stem}-{number}{Path(name).suffix}", number + 1
    return path


def _enlarged(images: np.ndarray) -> np.ndarray:
    times = max(1, round(HEIGHT / images.shape[1]))
    return images.repeat(times, axis=1).repeat(times, axis=2)


def _overview(rows: list[tuple[str, list[np.ndarray]]]) -> Image.Image:
    """A row of images for each class, with its number and how many there are; an empty row where there are none."""
    shape = _enlarged(np.stack(next(images for _, images in rows if images))).shape[1:]
    whole = np.full((len(rows) * SHEET, *shape), GROUND, np.uint8)
    for i, (_, images) in enumerate(rows):
        if images:
            whole[i * SHEET : i * SHEET + len(images)] = _enlarged(np.stack(images))
    picture = to_pil(tile(whole, SHEET))
    margin = 8 + max(int(ImageDraw.Draw(picture).textlength(text)) for text, _ in rows)
    page = Image.new(picture.mode, (margin + picture.width, picture.height), "white")
    page.paste(picture, (margin, 0))
    drawing = ImageDraw.Draw(page)
    for i, (text, _) in enumerate(rows):
        drawing.text((4, i * (shape[0] + GAP) + shape[0] // 2), text, fill="black", anchor="lm")
    return page
