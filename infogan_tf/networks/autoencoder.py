"""An autoencoder of the networks that a family gives, whichever it is."""

from collections.abc import Mapping

import keras


def autoencoder_of(networks: Mapping[str, keras.Model]) -> dict[str, keras.Model]:
    """An encoder beside a D, and a decoder beside a generator, for models that have both.

    Args:
        networks: By role, as a family gives them, with a Q head; the other networks of the model are not to be among
            them, but made by the family once more.

    Returns:
        "encoder": the trunk and the Q head, images to [B, num_parameters];
        "decoder": the generator.
    """
    trunk, head = networks["trunk"], networks["q_head"]
    encoder = keras.Sequential([keras.Input(trunk.input_shape[1:], name="images"), trunk, head], name="encoder")
    return {"encoder": encoder, "decoder": networks["generator"]}
