"""What is read of signatures from source is what Python says of them."""

import importlib
import inspect

import pytest

from infogan_tf.config.options import Config
from infogan_tf.config.source import constant, parameters
from infogan_tf.models import MODELS
from infogan_tf.models.build import terms_of
from infogan_tf.models.choices import options_of_family, options_of_model, options_of_term
from infogan_tf.networks import FAMILIES
from infogan_tf.objectives import TERMS
from infogan_tf.objectives.adversarial import ADVERSARIAL_LOSSES
from infogan_tf.objectives.augmentation import Augmentation

LOSSES = "infogan_tf.objectives.adversarial"
CLASSES = [*(row.path for row in MODELS.values()), *TERMS]


def named(place):
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


# What classes set of their base class's parameters.
SET = {(Augmentation, "weight"), *((named(row.path), "networks") for row in MODELS.values())}


def declared(kind, method):
    """The names of a method's parameters; where **kwargs are handed on, or it is inherited, those of its bases too.

    But for those that it sets itself, which has to be known.
    """
    found = []
    for owner in kind.__mro__:
        if not owner.__module__.startswith("infogan_tf."):
            break
        if method not in vars(owner):
            continue
        _, *others = inspect.signature(vars(owner)[method]).parameters.values()
        named = [each.name for each in others if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
        found += [name for name in named if name not in found and (kind, name) not in SET]
        if not any(each.kind is each.VAR_KEYWORD for each in others):
            break
    return tuple(found)


@pytest.mark.parametrize("place", CLASSES)
@pytest.mark.parametrize("method", ["__init__", "compile", "train_step"])
def test_the_parameters_of_methods(place, method):
    found = parameters(f"{place}.{method}")
    assert found == declared(named(place), method)
    assert found or place in TERMS


@pytest.mark.parametrize("place", [*(row.path for row in FAMILIES.values())])
def test_the_parameters_of_families(place):
    found = parameters(place)
    assert found == tuple(inspect.signature(named(place)).parameters)
    assert found[:4] == ("num_latents", "num_parameters", "image_shape", "dtype")


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_the_parameters_of_losses(name):
    loss = ADVERSARIAL_LOSSES[name]
    assert parameters(f"{LOSSES}:{name}_discriminator_loss") == tuple(inspect.signature(loss.discriminator).parameters)


@pytest.mark.parametrize("place", [row.path for row in MODELS.values()])
@pytest.mark.parametrize("name", ["PLAYERS", "READS", "TOLD"])
def test_the_constants_of_models(place, name):
    assert constant(f"{place}.{name}") == getattr(named(place), name)


@pytest.mark.parametrize("place", TERMS)
def test_the_constants_of_terms(place):
    assert constant(f"{place}.NEEDS") == named(place).NEEDS
    with pytest.raises(AttributeError, match="has a NOTHING"):
        constant(f"{place}.NOTHING")


@pytest.mark.parametrize("place", TERMS)
def test_every_term_is_made_of_its_options(place):
    options = options_of_term(place)
    first = next(iter(options.values()))
    config = Config(**{first: "scale:0.3" if isinstance(getattr(Config(), first), str) else 2})
    (term,) = [each for each in terms_of(config) if type(each) is named(place)]
    found = term.get_config()
    assert {name: found[name] for name in options} == {
        name: getattr(config, option) for name, option in options.items()
    }


def test_every_option_of_model_networks_and_terms_is_found():
    assert {"adversarial_loss", "label_smoothing", "d_learning_rate", "average_decay"} <= options_of_model("gan")
    more = options_of_model("infogan") - options_of_model("gan")
    assert more == {"lambda_info", "lambda_cat", "lambda_cont", "lambda_warmup"}
    assert options_of_model("vaegan") == {
        "d_learning_rate", "e_learning_rate", "g_learning_rate", "reconstruction_weight", "average_decay",
    }  # fmt: skip
    assert options_of_model("began") == {"d_learning_rate", "g_learning_rate", "gamma", "lambda_k", "average_decay"}
    of_paper = {"sync_batch_norm", "spectral_norm", "minibatch_kernels", "virtual_batch_norm", "preset"}
    assert options_of_family("paper") == of_paper
    of_any_size = {"sync_batch_norm", "spectral_norm", "width"}
    assert options_of_family("resnet") == of_any_size
    assert options_of_family("dcgan") == of_any_size | {"trunk_batch_norm"}
    assert options_of_family("began") == {"width"}
    assert options_of_family("mlp") == set()
    found = {place.partition(":")[2]: options_of_term(place) for place in TERMS}
    assert found["Invariance"] == {
        "weight": "invariance_weight", "invariances": "invariances", "entropy_weight": "entropy_weight",
        "marginal_weight": "marginal_weight", "marginal_tolerance": "marginal_tolerance",
        "haste": "haste", "haste_steps": "haste_steps",
        "certainty": "certainty", "certainty_start": "certainty_start",
    }  # fmt: skip
    assert found["InstanceNoise"] == {"weight": "instance_noise", "steps": "instance_noise_steps"}
    assert found["FeatureMatching"] == {"weight": "feature_matching_weight", "start": "feature_matching_start"}
    assert found["Supervision"] == {
        "labelled": "labelled", "weight": "supervision_weight", "invariances": "invariances",
    }  # fmt: skip
    assert found["R1"] == {"weight": "r1_weight"}
