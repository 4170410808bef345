"""The language of --latents, read without TensorFlow: how much noise of which kind, and which codes, in order."""

import dataclasses
import re

from infogan_tf.config.numbers import LEAST_HELD, read_integer, read_number
from infogan_tf.errors import UserError
from infogan_tf.latents.captions import GRAMMARS

NOISE_KINDS = {"noise": "uniform", "normal_noise": "normal"}
CODE_KINDS = ("cat", "uniform", "normal", "bernoulli", "label", "class", "caption")
# A size of these is that of one code, and `x` says how many; of the others it is how many.
OF_CLASSES = ("cat", "label", "class")
# The kinds that a model may be told of real images, and latents with one.
TOLD = {"label": "noise:62,label:10", "caption": "noise:100,caption:sprites"}
MAX_SIZE = 100_000
# The most samples of --arithmetic, and groups of them, which are called by a letter.
MOST_SUMMED, MOST_GROUPS = 100, 26
# How many values a code goes through where nobody says, and at most.
STEPS, MOST_STEPS = 10, 1_000
# An item of this kind names a grammar; the code is called after its kind.
CAPTION = "caption"
_ITEM = re.compile(r"(?P<kind>[a-z_]+):(?P<size>\d+)(?:x(?P<count>\d+))?", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Described:
    """What a text says.

    Attributes:
        noise: How many columns of noise.
        distribution: Of the noise, "uniform" or "normal".
        all_codes: By name, c1, c2, ... in order, or caption: the kind, and the number of classes, 0 where the code is a
            number.
        grammar: The grammar of the caption, one of GRAMMARS; empty without one.
    """

    noise: int
    distribution: str
    all_codes: dict[str, tuple[str, int]]
    grammar: str = ""

    @property
    def codes(self) -> dict[str, tuple[str, int]]:
        """Those that the generator is given: all but those of kind class."""
        return {name: described for name, described in self.all_codes.items() if described[0] != "class"}


def read_latents(text: str) -> Described:
    """Reads a layout such as `noise:62,cat:10,uniform:2`; `LatentLayout.parse` says what the items are.

    Raises:
        UserError: Where the text is not a layout; it names the position of the mistake.
    """
    noise, kinds, position, grammar = None, [], 1, ""
    for item in text.split(","):
        start = position + len(item) - len(item.lstrip())
        position += len(item) + 1
        if item.strip().startswith(f"{CAPTION}:"):
            if grammar:
                raise _mistake(text, start, "a second caption; one is the most")
            grammar = _grammar(item.strip().removeprefix(f"{CAPTION}:"), start + len(CAPTION) + 1, text)
            kinds.append((CAPTION, GRAMMARS[grammar].count))
            continue
        kind, size, count = _read_item(item.strip(), start, text)
        if kind in NOISE_KINDS:
            if noise is not None:
                raise _mistake(text, start, "a second noise item; one is the most")
            noise = (size, NOISE_KINDS[kind])
        elif kind in OF_CLASSES:
            kinds += [(kind, size)] * count
        else:
            kinds += [(kind, 2 if kind == "bernoulli" else 0)] * size
    size, distribution = noise or (0, "uniform")
    if not size and not kinds:
        raise _mistake(text, len(text) + 1, "neither noise nor a code; add one, as in noise:62,cat:10")
    names = (kind if kind == CAPTION else f"c{i}" for i, (kind, _) in enumerate(kinds, 1))
    return Described(size, distribution, dict(zip(names, kinds, strict=True)), grammar)


def lacking(described: Described, reads: str, told: str) -> str:
    """What latents would have to be for a model, in words; empty where they fit.

    Args:
        described: The latents.
        reads: What the model reads from images, as `GenerativeModel.READS` has it.
        told: The kind of code that it is told of real images, as `GenerativeModel.TOLD` has it.
    """
    kinds = [kind for kind, _ in described.all_codes.values()]
    has_codes = bool(set(kinds) - {*TOLD, "class"})
    if has_codes != (reads == "codes"):
        return "no codes, as in normal_noise:100" if has_codes else "a code, as in noise:62,cat:10"
    if kinds.count("class") != (reads == "classes"):
        return "one class, as in noise:100,class:10" if reads == "classes" else "no class"
    for kind, example in TOLD.items():
        if kinds.count(kind) != (kind == told):
            return f"one {kind}, as in {example}" if kind == told else f"no {kind}"
    if reads == "noise" and (described.distribution != "normal" or not described.noise):
        return "normal noise, as in normal_noise:20"
    return ""


def _read_item(item: str, start: int, text: str) -> tuple[str, int, int]:
    """Reads `kind:size` or `kind:sizexcount`, which stands at position `start` (from 1) of `text`."""
    kinds = [*NOISE_KINDS, *CODE_KINDS]
    match = _ITEM.match(item)
    if match is None:
        word = item.split(":")[0]
        if word in kinds:
            raise _mistake(text, start + len(word), f"expected ':' and a size after {word!r}")
        raise _mistake(text, start, f"expected KIND:SIZE, KIND one of {', '.join(kinds)}")
    kind = match["kind"]
    size, count = _size(match["size"]), _size(match["count"] or "1")
    if kind not in kinds:
        raise _mistake(text, start, f"unknown kind {kind!r}; expected one of {', '.join(kinds)}")
    if match.end() != len(item):
        raise _mistake(text, start + match.end(), "expected ',' or the end")
    if match["count"] and kind != "cat":
        raise _mistake(text, start + match.start("count") - 1, "'x' belongs to cat alone")
    least = 2 if kind in OF_CLASSES else 0 if kind in NOISE_KINDS else 1
    if not least <= size <= MAX_SIZE:
        raise _mistake(text, start + match.start("size"), f"a size of {least} to {MAX_SIZE:,} is expected")
    if size and not 1 <= count <= MAX_SIZE // size:
        raise _mistake(text, start + match.start("count"), "the count is out of range")
    return kind, size, count


def _grammar(name: str, position: int, text: str) -> str:
    if name not in GRAMMARS:
        raise _mistake(text, position, f"unknown captions {name!r}; expected those of {', '.join(GRAMMARS)}")
    return name


def _size(digits):
    number = read_integer(digits)
    return MAX_SIZE + 1 if number is None else number


def read_values(text: str, codes: dict[str, tuple[str, int]]) -> dict[str, tuple[float, ...]]:
    """Reads values of codes such as "c1=3,c2=-2:2": one that a code is to have, or several that it goes through.

    START:END of a class is every class between them, of a number STEPS values at equal distances, both ends among
    them; START:END:COUNT gives another number of values.

    Args:
        text: Names and values.
        codes: As `Described` has them.

    Returns:
        The values of each code that is named, in the order in which they are named; of at most two codes several.

    Raises:
        UserError: Where a code is unknown or named twice, a value is not one of its own, or three codes have several.
    """
    found = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = item.partition("=")
        if name not in codes:
            known = f"a name of {', '.join(codes)}" if codes else "a run that has codes"
            raise UserError(f"--codes: expected NAME=VALUE with {known}. Received: {item!r}")
        if name in found:
            raise UserError(f"--codes: expected each code once. Received: {item!r}, the second of {name}")
        found[name] = _values(value, codes[name][1], name, item)
    several = [name for name, values in found.items() if len(values) > 1]
    if len(several) > 2:
        raise UserError(f"--codes: expected at most two codes that go through values. Received: {', '.join(several)}")
    return found


def read_arithmetic(text: str, count: int) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Reads averages of samples that are added and subtracted, such as "3,17,25 - 4,8,9 + 1,2,6".

    Args:
        text: Groups of numbers of samples, with signs between them.
        count: How many samples there are to choose from; they are numbered from 0.

    Returns:
        The sign of each group, 1 or -1, the first 1; and the numbers of its samples.

    Raises:
        UserError: Where the text is something else, a number that of no sample, or there are too many.
    """
    first, *others = re.split("([+-])", text)
    signs = (1, *(1 if sign == "+" else -1 for sign in others[::2]))
    groups = tuple(tuple(read_integer(number.strip()) for number in part.split(",")) for part in (first, *others[1::2]))
    numbers = [number for group in groups for number in group]
    if None in numbers:
        raise UserError(
            "--arithmetic: expected numbers of samples with + and - between groups of them, as in "
            f"3,17,25 - 4,8,9 + 1,2,6. Received: {text!r}"
        )
    if len(numbers) > MOST_SUMMED or len(groups) > MOST_GROUPS:
        raise UserError(
            f"--arithmetic: expected at most {MOST_SUMMED} samples in {MOST_GROUPS} groups. "
            f"Received: {len(numbers):,} in {len(groups):,}"
        )
    if max(numbers) >= count:
        raise UserError(
            f"--arithmetic: expected numbers from 0 to {count - 1:,}, of the samples that are drawn without it. "
            f"Received: {max(numbers):,}"
        )
    return signs, groups


def read_captions(text: str, described: Described) -> dict[str, tuple[int, ...]]:
    """Reads captions, parted by bars, as values of a code; none of an empty text.

    Raises:
        UserError: Where the latents have no caption, or a text is none; it names the word.
    """
    if not text:
        return {}
    if not described.grammar:
        raise UserError(
            f"--caption: expected with a run whose model is told captions (--model=text). Received: {text!r}"
        )
    return {CAPTION: tuple(map(GRAMMARS[described.grammar].read, text.split("|")))}


def read_value(text: str, num_classes: int) -> float | None:
    """A value of a code as it is written: a class below `num_classes`, or of a code without, a number; else None."""
    if not num_classes:
        return read_number(text, LEAST_HELD)
    number = read_integer(text)
    return number if number is not None and 0 <= number < num_classes else None


def _values(text, num_classes, name, item):
    start, *rest = text.split(":")
    ends = [read_value(end.strip(), num_classes) for end in (start, *rest[:1])]
    count = read_integer(rest[1].strip()) or 0 if len(rest) > 1 else STEPS
    if None in ends or len(rest) > (1 if num_classes else 2) or (rest and ends[0] == ends[1]):
        wanted = f"a class from 0 to {num_classes - 1}" if num_classes else "a number"
        raise UserError(f"--codes: expected {wanted} for {name}, or START:END. Received: {item!r}")
    if not 2 <= count <= MOST_STEPS:
        raise UserError(f"--codes: expected START:END:COUNT with 2 to {MOST_STEPS} values. Received: {item!r}")
    if not rest:
        return (ends[0],)
    first, last = ends
    if num_classes:
        return tuple(range(first, last + 1) if first < last else range(first, last - 1, -1))
    return tuple(first + (last - first) * i / (count - 1) for i in range(count))


def _mistake(text: str, position: int, what: str) -> UserError:
    return UserError(f"--latents: {what}, at position {position}. Received: {text!r}")
