"""What many codes and classes cost, told by the layout alone: some ask for hours, or for more memory than there is."""

from infogan_tf.errors import UserError
from infogan_tf.latents.language import OF_CLASSES, STEPS, Described, read_latents

# Every code is drawn, read and logged by itself: what each adds to the time to the first step, measured on one core of
# an AMD EPYC between 50 and 200 codes.
SECONDS_PER_CODE = 0.14
MANY_CODES, MOST_CODES = 100, 10_000
# Of the latents from which pictures of all codes are drawn.
MUCH_MEMORY, MOST_MEMORY = 10**9, 32 * 10**9


def picture_bytes(described: Described) -> int:
    """Bytes of the latents from which pictures of every code are drawn; `traversal_grid` says which these are."""
    classes = [count for kind, count in described.codes.values() if kind in OF_CLASSES]
    width = described.noise + sum(classes) + len(described.codes) - len(classes)
    rows = classes[0] if classes else STEPS
    images = sum(STEPS * count if count else rows * STEPS for _, count in described.codes.values())
    return 4 * images * width


def check_cost(text: str) -> None:
    """Refuses, by a UserError, a layout as --latents has it with which no run would come to its first step."""
    described = read_latents(text)
    if len(described.codes) > MOST_CODES:
        raise UserError(f"--latents: expected at most {MOST_CODES:,} codes. Received: {text!r}")
    needed = picture_bytes(described)
    if needed > MOST_MEMORY:
        raise UserError(
            f"--latents: expected codes and classes whose pictures take {MOST_MEMORY / 1e9:.0f} GB of latents at most. "
            f"Received: {text!r}, whose take {needed / 1e9:,.0f} GB"
        )


def cost_note(text: str) -> str:
    """What a layout as --latents has it costs, in a sentence; empty where that is little."""
    described, notes = read_latents(text), []
    codes, needed = len(described.codes), picture_bytes(described)
    if codes > MANY_CODES:
        minutes = codes * SECONDS_PER_CODE / 60
        about = f"the first step of {codes:,} codes takes about {minutes:.1f} min"
        notes.append(f"{about}, and each has a picture after every epoch")
    if needed > MUCH_MEMORY:
        notes.append(f"the latents of its pictures take {needed / 1e9:,.1f} GB of memory")
    return f"--latents={text}: {'; '.join(notes)}." if notes else ""
