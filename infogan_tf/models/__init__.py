"""The models, by the name that --model has for them.

To add one, write a subclass of `GenerativeModel`, or of `GAN`, in a file here, and a row of MODELS.
"""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Model:
    """A row of MODELS; reading it imports no TensorFlow.

    Attributes:
        path: Where the class stands, module:class.
        title: What reports and model cards call it.
        about: What it is, for --help.
        options: The options that it has in place of a recipe's that is another model's, its latents among them.
    """

    path: str
    title: str
    about: str
    options: Mapping[str, object]


def labels_told(told: str, labelled: int) -> str:
    """Which labels of its images training was told: "all", "captions", their number as text, or "none".

    Args:
        told: What the model is told of real images, its TOLD.
        labelled: How many images have a known label beside that.
    """
    return {"label": "all", "caption": "captions"}.get(told) or str(labelled or "none")


MODELS = {
    "infogan": Model(
        "infogan_tf.models.infogan:InfoGAN", "InfoGAN",
        "a GAN whose latent codes a network Q reads back from the images",
        {"latents": "noise:62,cat:10,uniform:2"},
    ),
    "gan": Model(
        "infogan_tf.models.gan:GAN", "GAN", "the GAN of 2014, without Q and without codes",
        {"latents": "normal_noise:100"},
    ),
    "cgan": Model(
        "infogan_tf.models.conditional_gan:ConditionalGAN", "Conditional GAN",
        "a GAN whose two players are told the images' labels, and which draws the label that it is asked for",
        {"latents": "noise:62,label:10"},
    ),
    "text": Model(
        "infogan_tf.models.text_gan:TextGAN", "Text-to-image GAN",
        "a GAN that is told captions, and draws what a caption says (GAN-CLS, GAN-INT)",
        {
            "latents": "noise:100,caption:sprites", "networks": "dcgan", "width": 32, "steps": 6_000, "batch_size": 64,
            "d_learning_rate": 1e-3, "g_learning_rate": 1e-3, "lr_decay_steps": "5000", "average_decay": 0.999,
            "interpolation_weight": 1.0,
        },
    ),
    "semi_supervised": Model(
        "infogan_tf.models.semi_supervised_gan:SemiSupervisedGAN", "Semi-supervised GAN",
        "a classifier that learns from few labels, and from images without one beside generated ones",
        # Those of Salimans et al. 2016 for MNIST, in the authors' code.
        {
            "latents": "noise:100,class:10", "networks": "noisy_mlp", "labelled": 100, "batch_size": 100,
            "d_learning_rate": 3e-3, "g_learning_rate": 3e-3, "adam_epsilon": 1e-4, "average_decay": 0.9999,
        },
    ),
    "vae": Model(
        "infogan_tf.models.vae:VAE", "VAE",
        "an encoder and a decoder of noise, trained on a bound of the images' likelihood",
        {"latents": "normal_noise:20"},
    ),
    "cvae": Model(
        "infogan_tf.models.vae:ConditionalVAE", "Conditional VAE",
        "a VAE whose decoder is told the label",
        {"latents": "normal_noise:20,label:10"},
    ),
    "vaegan": Model(
        "infogan_tf.models.vaegan:VAEGAN", "VAE-GAN",
        "a VAE whose likeness of images is that of a discriminator's features, in place of pixels",
        # D's features need a size for the encoder to be worth its KL: batch norm, as in the paper, gives them one, and
        # spectral norm takes it away.
        {"latents": "normal_noise:20", "spectral_norm": False, "trunk_batch_norm": True},
    ),
    "began": Model(
        "infogan_tf.models.began:BEGAN", "BEGAN",
        "a generator against an autoencoder, which is to render its images as badly as real ones",
        # By short trials on small images: there the authors' rate of k, 0.001, takes longer than the run, and their
        # gamma, 0.5, draws one kind of digits.
        {
            "latents": "noise:64", "networks": "began", "width": 16, "batch_size": 16,
            "d_learning_rate": 2e-4, "g_learning_rate": 2e-4, "gamma": 0.7, "lambda_k": 0.5,
        },
    ),
}  # fmt: skip
