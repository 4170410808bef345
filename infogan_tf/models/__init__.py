"""The models, by the name that --model has for them.

To add one, write a subclass of `GenerativeModel`, or of `GAN`, in a file here, and a row of MODELS.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Model:
    """A row of MODELS; reading it imports no TensorFlow.

    Attributes:
        path: Where the class stands, module:class.
        latents: The latents that it has where none are given.
        title: What reports and model cards call it.
        about: What it is, for --help.
    """

    path: str
    latents: str
    title: str
    about: str


MODELS = {
    "infogan": Model(
        "infogan_tf.models.infogan:InfoGAN", "noise:62,cat:10,uniform:2", "InfoGAN",
        "a GAN whose latent codes a network Q reads back from the images",
    ),
    "gan": Model("infogan_tf.models.gan:GAN", "normal_noise:100", "GAN", "without Q and without codes"),
}  # fmt: skip
