"""The paths among options, spelled out: what they name is then the same for whoever reads them later."""

import dataclasses
from collections.abc import Mapping

from infogan_tf.config.options import Config
from infogan_tf.data import LOADERS
from infogan_tf.data.sources import absolute, expanded, read_source


def located(options: Mapping[str, object]) -> dict[str, object]:
    """The options, ~ in paths spelled out, images of one's own, their labels and a run to start from by absolute paths.

    Raises:
        UserError: For what is no data.
    """
    found = dict(options)
    for field in dataclasses.fields(Config):
        if field.metadata["path"] and options.get(field.name):
            paths = options[field.name].split(",") if field.metadata["path"] == "several" else [options[field.name]]
            found[field.name] = ",".join(expanded(path, field.name) for path in paths)
    if "dataset" in found:
        found["dataset"] = str(read_source(found["dataset"], LOADERS).path or found["dataset"])
    for name in ("labels", "start_from"):
        if found.get(name):
            found[name] = str(absolute(found[name], name))
    return found
