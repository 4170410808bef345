"""Which latents to draw, told without TensorFlow: draws of all that is not given, and codes that go through values."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Plan:
    """Samples to be drawn, in order: every draw with each value that the first code goes through, and the second.

    Attributes:
        draws: How many draws of what is not given, from 1.
        codes: The values of the codes that are given, as `read_values` has them.
        latents_file: The table that noise and codes are taken from, a row for each draw; else they are drawn.
    """

    draws: int
    codes: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    latents_file: Path | None = None

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
    def frame_columns(self) -> int:
        """Of a frame of an animation of the last code: the draws stand in a row for each value of the first."""
        return self.draws if self.steps[0] > 1 else _side(self.draws)


def _side(count):
    return math.isqrt(count - 1) + 1
