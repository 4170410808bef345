"""The model card of an export: README.md in the form that model hubs show, and its pictures."""

from pathlib import Path

from infogan_tf import pictures
from infogan_tf.evaluation.figures import describe, title_of
from infogan_tf.latents.traversal import sample_grid, traversal_grid
from infogan_tf.models.base import GenerativeModel
from infogan_tf.templates import render

# Beside the card, under these names: samples.png, and one for each code.
FOLDER = "pictures"


def model_card(metadata: dict[str, object]) -> str:
    """The card as Markdown, with YAML front matter.

    Args:
        metadata: What `make_metadata` gives.
    """
    figures = [
        (name, title_of(name), describe(name).text(value, metadata["stderrs"].get(name)), describe(name).better)
        for name, value in metadata["figures"].items()
    ]
    return render("model_card.md", **metadata, rows=figures, folder=FOLDER)


def write_pictures(folder: Path, model: GenerativeModel) -> None:
    """Draws samples, and what each code does, into `folder`, which is made."""
    folder.mkdir()
    seed = model.stream_seed("pictures")
    grids = {"samples": sample_grid(model.layout, seed)}
    grids |= {code.name: traversal_grid(model.layout, code.name, seed) for code in model.layout.codes}
    for name, grid in grids.items():
        pictures.write_png(folder / f"{name}.png", pictures.tile(model.generate(grid.latents), grid.columns))
