"""What Q says of images as a table of numbers: a column for each code, or for each class of one."""

import numpy as np

from infogan_tf.latents.codes import Categorical, Code


def columns_by_code(posterior: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What Q says of images as numbers, by code: its mean or probability, [N, 1], or that of each class, [N, K]."""
    columns = {
        name: parts.get("mean", parts.get("probability", parts.get("probabilities")))
        for name, parts in posterior.items()
    }
    return {name: column.reshape(len(column), -1) for name, column in columns.items()}


def side_by_side(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Those columns of all codes as one table, [N, M]."""
    return np.concatenate(list(columns.values()), axis=1)


def column_names(code: Code) -> list[str]:
    """The names of a code's columns in that table."""
    return [f"{code.name}={k}" for k in range(code.num_classes)] if isinstance(code, Categorical) else [code.name]
