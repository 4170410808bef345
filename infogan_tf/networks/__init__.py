"""The networks of a model, a function for each family, and the layers that they are made of.

A family takes how many latents, parameters of Q(c|x) and columns of labels there are (0 for a model without), the
images' shape, a dtype policy, and options of its own by the name of the flag; it gives the networks by role:
"generator", "trunk", "d_head", where there are parameters "q_head", and where there are labels "label_embedding". For a
model with an "encoder" beside D, or a "decoder" beside the generator, it is asked once more, and `autoencoder.py` makes
them of what it gives. To add one, write it in a file here, and a row of FAMILIES.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Family:
    """A row of FAMILIES; reading it imports no TensorFlow.

    Attributes:
        path: Where the function stands, module:function.
        about: What the networks are, for --help.
    """

    path: str
    about: str


FAMILIES = {
    "paper": Family("infogan_tf.networks.paper:paper_networks", "convolutional, of the InfoGAN paper"),
    "dcgan": Family("infogan_tf.networks.dcgan:dcgan_networks", "convolutional, as deep as the images are large"),
    "resnet": Family("infogan_tf.networks.resnet:resnet_networks", "residual blocks, as deep as the images are large"),
    "began": Family("infogan_tf.networks.began:began_networks", "convolutional, without batch norm, of BEGAN"),
    "noisy_mlp": Family(
        "infogan_tf.networks.noisy_mlp:noisy_mlp_networks", "dense layers with noise in D, of Salimans et al. 2016"
    ),
    "mlp": Family("infogan_tf.networks.mlp:mlp_networks", "dense layers alone, of the first GAN's paper"),
}
