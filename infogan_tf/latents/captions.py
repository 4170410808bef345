"""The language of captions, told without TensorFlow: the words, what each says of an image, and what is held out.

To add one, for a data set of known factors, write a row of GRAMMARS.
"""

import dataclasses
import functools
import itertools
import math
import re
from collections.abc import Sequence

from infogan_tf.errors import UserError

# What may stand between the words; and between all of these, as part of a regular expression of Python's and RE2's.
FILLERS = ("a", "an", "the", "and", "at", "in")
BETWEEN = r" \t\r\n,.;"


@dataclasses.dataclass(frozen=True)
class Spoken:
    """Something that a caption may say, in one of several words.

    Attributes:
        name: What it is, such as size.
        of: The data set's factor that it speaks of, such as scale.
        words: Each word, and how many values of the factor it stands for, from the first one on.
        figure: What figures call it; things may share one.
        within: How many steps beyond these values a drawn image may lie and still be right.
    """

    name: str
    of: str
    words: tuple[tuple[str, int], ...]
    figure: str
    within: int = 0

    @property
    def word_of(self) -> list[int]:
        """By value of the factor, the number of the word that is true of it."""
        return [word for word, (_, count) in enumerate(self.words) for _ in range(count)]

    def range_of(self, word: int) -> tuple[int, int]:
        """The least and the greatest value of the factor that is right where this word is said."""
        values = [value for value, its_word in enumerate(self.word_of) if its_word == word]
        return values[0] - self.within, values[-1] + self.within


@dataclasses.dataclass(frozen=True)
class Grammar:
    """Captions that say of each of several things one word, or nothing.

    A caption is a tuple of digits, one for each thing spoken of: 0 where it says nothing, else 1 + the number of the
    word. All captions are numbered from 0, which says nothing at all; the last digit changes fastest.

    Attributes:
        spoken: What is spoken of.
        phrases: Their names in the order of a caption, in parts between which commas stand.
        noun: What stands at the end of the first part where its last word is not said.
        held_out: Captions whose images, and which themselves with all that say no less, are left out of training.
    """

    spoken: tuple[Spoken, ...]
    phrases: tuple[tuple[str, ...], ...]
    noun: str
    held_out: tuple[str, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many words there are for each thing."""
        return tuple(len(spoken.words) for spoken in self.spoken)

    @property
    def words(self) -> dict[str, list[str]]:
        """The words for each thing, by its name."""
        return {spoken.name: [word for word, _ in spoken.words] for spoken in self.spoken}

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All words, those of the first thing first."""
        return tuple(word for words in self.words.values() for word in words)

    @property
    def count(self) -> int:
        """How many captions there are."""
        return math.prod(size + 1 for size in self.sizes)

    @functools.cached_property
    def captions(self) -> list[tuple[int, ...]]:
        """All captions by number."""
        return list(itertools.product(*(range(size + 1) for size in self.sizes)))

    def number(self, caption: Sequence[int]) -> int:
        """The number of a caption."""
        digits = zip(self.sizes, caption, strict=True)
        return functools.reduce(lambda found, each: found * (each[0] + 1) + each[1], digits, 0)

    def bag(self, caption: Sequence[int]) -> list[int]:
        """Which words of the vocabulary a caption has: 1 or 0 for each."""
        return [int(digit == k + 1) for digit, size in zip(caption, self.sizes, strict=True) for k in range(size)]

    @functools.cached_property
    def unseen(self) -> list[int]:
        """The numbers of the captions that are held out."""
        wanted = [self.captions[self.read(text)] for text in self.held_out]
        return [number for number, caption in enumerate(self.captions) if any(_says(caption, each) for each in wanted)]

    def is_held_out(self, words: Sequence[int]) -> bool:
        """Whether an image is left out of training of which these words are true, one number of each thing."""
        return self.number([word + 1 for word in words]) in self.unseen

    def write(self, number: int) -> str:
        """A caption in words."""
        said = dict(zip((spoken.name for spoken in self.spoken), self.captions[number], strict=True))
        parts = [[self.words[name][said[name] - 1] for name in phrase if said[name]] for phrase in self.phrases]
        if not said[self.phrases[0][-1]]:
            parts[0].append(self.noun)
        article = "an" if parts[0][0][0] in "aeiou" else "a"
        return ", ".join([f"{article} {' '.join(parts[0])}", *(" ".join(part) for part in parts[1:] if part)])

    def read(self, text: str) -> int:
        """The number of the caption that a text is; neither the words' order nor what stands between them matters.

        Raises:
            UserError: For a word that is not known, and for two words of one thing.
        """
        digits = [0] * len(self.spoken)
        places = {word: (i, k) for i, own in enumerate(self.words.values()) for k, word in enumerate(own, 1)}
        for word in re.findall(f"[^{BETWEEN}]+", text.lower()):
            if word in places:
                i, k = places[word]
                if digits[i] not in (0, k):
                    choices = ", ".join(list(self.words.values())[i])
                    raise UserError(f"--caption: expected one word at most of {choices}. Received: {text!r}")
                digits[i] = k
            elif word not in (*FILLERS, self.noun):
                known = ", ".join((*self.vocabulary, self.noun))
                raise UserError(f"--caption: expected words of {known}. Received: {word!r} in {text!r}")
        return self.number(digits)

    @property
    def pattern(self) -> str:
        """A regular expression, of RE2 too, that a text of its words alone matches as a whole, in small letters."""
        return rf"[{BETWEEN}]*(?:(?:{'|'.join((*self.vocabulary, *FILLERS, self.noun))})(?:[{BETWEEN}]+|$))*"

    @staticmethod
    def pattern_of(word: str) -> str:
        """The same of a text that has the word."""
        return rf"(?s)(?:.*[{BETWEEN}])?{word}(?:[{BETWEEN}].*)?"


def _says(caption, other):
    """Whether a caption says all that another says."""
    return all(its in (0, own) for own, its in zip(caption, other, strict=True))


GRAMMARS = {
    # A ninth of the combinations of shape, size and place is held out, so chosen that each word, and each pair of words
    # of different kind, is seen in others.
    "sprites": Grammar(
        spoken=(
            Spoken("shape", "shape", (("square", 1), ("ellipse", 1), ("heart", 1)), "shape"),
            Spoken("size", "scale", (("small", 2), ("medium", 1), ("large", 2)), "size"),
            Spoken("row", "y", (("top", 5), ("middle", 4), ("bottom", 5)), "place", within=1),
            Spoken("column", "x", (("left", 5), ("centre", 4), ("right", 5)), "place", within=1),
            Spoken("rotation", "rotation", (("straight", 4), ("tilted", 4), ("turned", 4)), "rotation", within=1),
        ),
        phrases=(("size", "shape"), ("row", "column"), ("rotation",)),
        noun="shape",
        held_out=(
            "a small square, top left",
            "a medium square, middle right",
            "a large square, bottom centre",
            "a small ellipse, middle centre",
            "a medium ellipse, bottom left",
            "a large ellipse, top right",
            "a small heart, bottom right",
            "a medium heart, top centre",
            "a large heart, middle left",
        ),
    ),
}
