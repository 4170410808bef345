"""InfoGAN: a GAN whose latent codes a third network reads back from its images."""

import math
from typing import ClassVar

import keras

from infogan_tf.latents.layout import LatentLayout
from infogan_tf.models.gan import GAN
from infogan_tf.objectives.information import Information


@keras.saving.register_keras_serializable(package="infogan_tf")
class InfoGAN(GAN):
    """Trains a generator whose latent codes can be read back from its images (Chen et al. 2016).

        min_{G,Q} max_D  V(D, G) - lambda L_I(G, Q)

    D and Q share the trunk. Trunk, D head and Q head belong to `d_optimizer`, the generator to `g_optimizer`, and the
    information term stands in both losses. Calling the model generates images from latents.

    `fit` and `evaluate` are those of `GAN`, and log besides:

        q_loss                  -sum of E[log Q(c|x)] over the codes, unweighted, nats
        mutual_info, mutual_info/<code>   L_I in total and by code, nats

    Args:
        layout: A LatentLayout, or its text such as "noise:62,cat:10,uniform:2".
        generator: Latents [B, layout.width] to images [B, H, W, C] in [0, 1].
        trunk: Images to features [B, F], shared by D and Q.
        d_head: Features to the logit of "real", [B, 1].
        q_head: Features to the parameters of Q(c|x), [B, layout.num_parameters].
        posterior_stddev: The fixed standard deviation of continuous posteriors, where `layout` is text; None learns it.
        seed: Of every draw of latents, an integer.
        name: Of the model.
        **kwargs: As `keras.Model` takes them.
    """

    PLAYERS: ClassVar[dict[str, tuple[str, ...]]] = {"g": ("generator",), "d": ("trunk", "d_head", "q_head")}
    READERS = ("trunk", "q_head")
    READS = "codes"

    def __init__(
        self,
        layout: LatentLayout | str,
        generator: keras.Model,
        trunk: keras.Model,
        d_head: keras.Model,
        q_head: keras.Model,
        posterior_stddev: float | None = None,
        seed: int = 0,
        name: str = "infogan",
        **kwargs,
    ):
        if isinstance(layout, str):
            layout = LatentLayout.parse(layout, posterior_stddev)
        super().__init__(layout, generator, trunk, d_head, q_head=q_head, seed=seed, name=name, **kwargs)

    def get_config(self):
        """Every argument of the constructor, for `keras.saving`."""
        return {**super().get_config(), "posterior_stddev": self.layout.posterior_stddev}

    def compile(
        self,
        d_optimizer: keras.optimizers.Optimizer,
        g_optimizer: keras.optimizers.Optimizer,
        lambda_info: float = 1.0,
        lambda_cat: float | None = None,
        lambda_cont: float | None = None,
        lambda_warmup: int = 0,
        **kwargs,
    ):
        """Sets what `fit` needs; `GAN.compile` has the other arguments and what is raised.

        Args:
            d_optimizer: Updates trunk, D head and Q head.
            g_optimizer: Updates the generator.
            lambda_info: The weight of L_I, from 0; 0 is a regular GAN whose codes Q still learns to read.
            lambda_cat: The weight for categorical and Bernoulli codes; None is lambda_info.
            lambda_cont: The weight for continuous codes; None is lambda_info.
            lambda_warmup: How many steps the weights of L_I take to rise from 0, in a straight line.
            **kwargs: As `GAN.compile` takes them.

        Raises:
            ValueError: For a weight below 0 or not finite; and as `GAN.compile`.
        """
        weights = {"lambda_info": lambda_info, "lambda_cat": lambda_cat, "lambda_cont": lambda_cont}
        for what, given in (*weights.items(), ("lambda_warmup", lambda_warmup)):
            if given is not None and not 0 <= given < math.inf:
                raise ValueError(f"{what}: expected a number from 0. Received: {given!r}")
        self.lambdas = {**weights, "lambda_warmup": lambda_warmup}
        super().compile(d_optimizer, g_optimizer, **kwargs)

    def own_terms(self):
        """L_I comes first."""
        return [Information(**self.lambdas)]

    def get_compile_config(self):
        """Every argument of `compile`, for `keras.saving`; None before it."""
        config = super().get_compile_config()
        return config and {**config, **self.lambdas}
