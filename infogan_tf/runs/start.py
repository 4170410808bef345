"""A new run that begins with the weights of another: --start_from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from infogan_tf.config.options import Config
from infogan_tf.data import LOADERS
from infogan_tf.data.sources import is_fixed
from infogan_tf.errors import UserError
from infogan_tf.latents.language import read_latents
from infogan_tf.runs.records import existing_run, require_checkpoint

if TYPE_CHECKING:
    from infogan_tf.models.base import GenerativeModel


def options_of_start(given: Mapping[str, object]) -> Config:
    """The options of the run that `given` starts from, which are the new one's where nothing else is given.

    With other images these are made to be of that run's size and channels, and its labels are no longer theirs.

    Raises:
        UserError: Where it is no run with a checkpoint; where a recipe is given, whose options would be others; or
            fewer labels than that run was told, or those of other images.
    """
    if "recipe" in given:
        raise UserError(
            f"--recipe: expected none with --start_from, whose options it would change. Received: {given['recipe']!r}"
        )
    run, kept = existing_run(given["start_from"], {}, flag="start_from")
    require_checkpoint(run, "start_from")
    if given.get("labelled", kept.labelled) < kept.labelled:
        raise UserError(
            f"--labelled: expected {kept.labelled} or more with --start_from={given['start_from']}, whose weights were "
            f"told so many labels. Received: {given['labelled']}"
        )
    if kept.labelled and given.get("seed", kept.seed) != kept.seed:
        raise UserError(
            f"--seed: expected {kept.seed} with --start_from={given['start_from']}, whose weights were told labels of "
            f"images that it draws. Received: {given['seed']}"
        )
    changes = {"start_from": given["start_from"], "starts": 1}
    dataset = given.get("dataset", kept.dataset)
    if dataset != kept.dataset:
        changes |= {"dataset": dataset, "labels": ""}
        if not is_fixed(dataset, LOADERS):
            height, width, channels = run.image_shape()
            changes |= {"image_size": f"{height}x{width}", "channels": str(channels)}
    return dataclasses.replace(kept, **changes)


def check_start(config: Config) -> None:
    """Refuses, by a UserError, a run to start from whose latents are others, also where networks for both are alike."""
    _, kept = existing_run(config.start_from, {}, flag="start_from")
    if read_latents(kept.latents) != read_latents(config.latents):
        raise UserError(
            f"--start_from: expected a run whose latents are the new one's, {config.latents}. "
            f"Received: {config.start_from!r}, whose are {kept.latents}"
        )


def start_from(model: GenerativeModel, start_from: str) -> None:
    """Gives a new model the weights of a run, averaged where that keeps averages; its optimizers are new.

    Args:
        model: The compiled model; after an error it is unchanged.
        start_from: The run's folder.

    Raises:
        UserError: Where the run cannot be restored, or its networks are others.
    """
    from infogan_tf.runs.restored import restored_model

    source = restored_model(*existing_run(start_from, {}, flag="start_from"))
    networks = model.networks
    for role in networks | source.networks:  # in their order
        own, other = (
            [tuple(weight.shape) for weight in found[role].weights] if role in found else None
            for found in (networks, source.networks)
        )
        if own != other:
            raise UserError(
                f"--start_from: expected a run whose networks are the new one's; they differ in {role}. "
                f"Received: {start_from!r}"
            )
    for role, network in networks.items():
        network.set_weights(source.networks[role].get_weights())
    if model.averages:
        model.averages.restart(model.network_variables)
