"""Which latents to draw, told without TensorFlow: draws, with codes that go through values; and sums of some."""

import dataclasses
import math
import string
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Plan:
    """Samples to be drawn, in order: every draw with each value that the first code goes through, and the second.

    Attributes:
        draws: How many draws of what is not given, from 1.
        codes: The values of the codes that are given, as `read_values` has them.
        latents_file: The table that noise and codes are taken from, a row for each draw; else they are drawn.
        numbered: Whether a grid shows the number of each sample.
    """

    draws: int
    codes: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    latents_file: Path | None = None
    numbered: bool = False

    @classmethod
    def of_count(cls, count: int, codes: Mapping[str, tuple[float, ...]]) -> "Plan":
        """As many draws as whole ones give `count` images, at least one."""
        return cls(max(1, count // math.prod(map(len, codes.values()))), codes)

    @property
    def steps(self) -> tuple[int, int]:
        """How many values two codes go through; (1, how many) where one does, and (1, 1) where none does."""
        several = [len(values) for values in self.codes.values() if len(values) > 1]
        return tuple([1, 1, *several][-2:])

    @property
    def varies(self) -> bool:
        """Whether a code goes through values."""
        return self.steps != (1, 1)

    @property
    def count(self) -> int:
        """How many images there are."""
        return self.draws * math.prod(self.steps)

    @property
    def columns(self) -> int:
        """Of a grid: a code's values stand in a row; without such it has about as many rows as columns."""
        return self.steps[1] if self.varies else _side(self.count)

    @property
    def cells(self) -> Sequence[int]:
        """The place of each image in the grid, counted row by row from 0."""
        return range(self.count)

    @property
    def labels(self) -> Sequence[str]:
        """What stands under each image of the grid; nothing at all where it is empty."""
        return [str(number) for number in range(self.count)] if self.numbered else []

    @property
    def words(self) -> str:
        """What the images are."""
        return f"{self.count:,} samples"

    @property
    def frame_columns(self) -> int:
        """Of a frame of an animation of the last code: the draws stand in a row for each value of the first."""
        return self.draws if self.steps[0] > 1 else _side(self.draws)


@dataclasses.dataclass(frozen=True)
class Sum:
    """Samples of a plan in groups, the average of each group, and what the averages come to: A - B + C.

    The images are in order: the samples of a group and then their average, group by group; the last is the result. In a
    grid a group is a row whose last image is the average, and the result stands below the averages.

    Attributes:
        plan: What the samples are taken from.
        signs: Of each group, 1 or -1.
        groups: The numbers of each group's samples, in the plan's order from 0.
    """

    plan: Plan
    signs: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]

    @property
    def terms(self) -> list[list[tuple[int, Fraction]]]:
        """What each image is a weighted sum of: numbers of samples, each with its weight."""
        averages = [[(number, Fraction(1, len(group))) for number in group] for group in self.groups]
        found = []
        for group, average in zip(self.groups, averages, strict=True):
            found += [*([(number, Fraction(1))] for number in group), average]
        signed = zip(self.signs, averages, strict=True)
        return [*found, [(number, sign * weight) for sign, average in signed for number, weight in average]]

    @property
    def count(self) -> int:
        """How many images there are."""
        return sum(len(group) + 1 for group in self.groups) + 1

    @property
    def columns(self) -> int:
        """Of a grid."""
        return max(map(len, self.groups)) + 1

    @property
    def cells(self) -> Sequence[int]:
        """The place of each image in the grid, counted row by row from 0."""
        across, found = self.columns, []
        for row, group in enumerate(self.groups):
            found += [*range(row * across, row * across + len(group)), (row + 1) * across - 1]
        return [*found, (len(self.groups) + 1) * across - 1]

    @property
    def labels(self) -> Sequence[str]:
        """What stands under each image of the grid: a sample's number; A, -B, +C under averages; = under the result."""
        found = []
        for letter, sign, group in zip(string.ascii_uppercase, self.signs, self.groups, strict=False):
            found += [*map(str, group), ("+" if sign > 0 else "-") * bool(found) + letter]
        return [*found, "="]

    @property
    def words(self) -> str:
        """What the images are."""
        return f"{self.count - len(self.groups) - 1} samples, the averages of {len(self.groups)} groups, and the result"


def _side(count):
    return math.isqrt(count - 1) + 1
