"""A Config makes a model: built anew, or as a run last saved it."""

import keras

from infogan_tf import regularizers
from infogan_tf.checkpoints import Checkpoints
from infogan_tf.config import Config
from infogan_tf.errors import UserError
from infogan_tf.export import float32_twin
from infogan_tf.latents import LatentLayout
from infogan_tf.models import InfoGAN
from infogan_tf.networks import paper_networks
from infogan_tf.optimizers import FusedAdam
from infogan_tf.run_directory import RunDirectory


def build_model(
    config: Config, layout: LatentLayout, image_shape: tuple[int, int, int], precision: str, start: int = 0
) -> InfoGAN:
    """Builds and compiles the model that `config` describes; its weights are a function of the seed and the start."""
    # Far from one another, so that the runs of a sweep, with seeds 0, 1, 2, share no start.
    keras.utils.set_random_seed((config.seed + 1_000_003 * start) % 2**32)
    networks = paper_networks(
        layout.width,
        layout.num_parameters,
        image_shape,
        precision,
        sync_batch_norm=config.sync_batch_norm,
        spectral_norm=config.spectral_norm,
        minibatch_kernels=config.minibatch_kernels,
        reference_latents=layout.sample(64, [config.seed, 0]).numpy() if config.virtual_batch_norm else None,
    )
    model = InfoGAN(layout, **networks, seed=config.seed)
    model.compile(
        d_optimizer=_adam(config, config.d_learning_rate, "d_optimizer"),
        g_optimizer=_adam(config, config.g_learning_rate, "g_optimizer"),
        lambda_info=config.lambda_info,
        lambda_cat=config.lambda_cat,
        lambda_cont=config.lambda_cont,
        lambda_warmup=config.lambda_warmup,
        learn_prior=config.learn_prior,
        adversarial_loss=config.adversarial_loss,
        real_target=1.0 - config.label_smoothing,
        regularizers=regularizers_of(config),
        d_updates=config.d_updates,
        g_updates=config.g_updates,
        average_decay=config.average_decay,
        jit_compile=config.jit_compile,
    )
    return model


def restored_model(run: RunDirectory, config: Config) -> InfoGAN:
    """The run's model at its newest whole checkpoint, in float32.

    Raises:
        UserError: where there is none.
    """
    layout = LatentLayout.parse(config.latents, config.posterior_stddev)
    model = build_model(config, layout, run.image_shape(), config.precision)
    if Checkpoints(run.checkpoints).restore(model) is None:
        raise UserError(f"--run_dir: expected a run with a checkpoint. Received: {str(run)!r}, which has none yet")
    return float32_twin(model)


def regularizers_of(config: Config) -> list[regularizers.Regularizer]:
    """The regularisers that the options ask for: those whose weight is not 0."""
    arguments = {
        regularizers.Invariance: {
            "weight": config.invariance_weight,
            "declared": config.invariances,
            "entropy_weight": config.entropy_weight,
            "marginal_weight": config.marginal_weight,
        },
        regularizers.FeatureMatching: {
            "weight": config.feature_matching_weight,
            "start": config.feature_matching_start,
        },
        regularizers.R1: {"weight": config.r1_weight},
        regularizers.GradientPenalty: {"weight": config.gradient_penalty_weight},
        regularizers.InstanceNoise: {"weight": config.instance_noise, "steps": config.instance_noise_steps},
        regularizers.Contrast: {"weight": config.contrast_weight},
    }
    return [kind(**given) for kind, given in arguments.items() if given["weight"]]


def _adam(config: Config, learning_rate: float, name: str) -> keras.optimizers.Optimizer:
    boundaries = config.learning_rate_boundaries()
    if boundaries:
        values = [learning_rate * config.lr_decay_factor**i for i in range(len(boundaries) + 1)]
        learning_rate = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)
    return FusedAdam(learning_rate, beta_1=config.adam_beta_1, name=name)
