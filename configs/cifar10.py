"""CIFAR-10, 32x32 in colour: ten kinds of animals and vehicles.

Command: infogan --dataset=cifar10
"""

from infogan_tf.config.options import Config

# Not among the paper's data: a class for each kind, else as on its colour images; lambda rises slowly, as on MNIST.
RECIPES = {
    "paper": Config(
        model="infogan",
        dataset="cifar10",
        latents="noise:128,cat:10,uniform:2",
        steps=20_000,
        lambda_warmup=2_000,
        average_decay=0.999,
        image_size="32",
    )
}
