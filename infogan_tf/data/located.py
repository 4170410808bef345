"""The paths among options, spelled out: what they name is then the same for whoever reads them later."""

import dataclasses
from collections.abc import Mapping

from infogan_tf.config.options import Config, run_fields
from infogan_tf.data import LOADERS
from infogan_tf.data.sources import absolute, expanded, read_source


def located(options: Mapping[str, object]) -> dict[str, object]:
    """The options, ~ in paths spelled out.

    Images of one's own, labels, the folders of prepared data and of the cache, and a run to start from are absolute.

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
    for field in run_fields():  # which the run reads again later, perhaps from another folder
        if field.metadata["path"] and field.name != "dataset" and found.get(field.name):
            found[field.name] = str(absolute(found[field.name], field.name))
    return found
