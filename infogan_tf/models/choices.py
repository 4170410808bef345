"""Which options the chosen model, networks and terms take, told from their signatures without importing them.

An option reaches `compile`, a network family or a term by its name: it sets the parameter that is called as it is.
"""

import dataclasses
from collections.abc import Mapping

from infogan_tf.config.flags import as_flag
from infogan_tf.config.options import Config
from infogan_tf.config.source import constant, parameters
from infogan_tf.data import LOADERS, OF_FILES
from infogan_tf.data.sources import is_fixed
from infogan_tf.errors import UserError
from infogan_tf.latents.cost import check_cost
from infogan_tf.latents.language import lacking, read_latents
from infogan_tf.models import MODELS
from infogan_tf.networks import FAMILIES
from infogan_tf.networks.presets import MOST_WITH_DENSE, PRESETS
from infogan_tf.objectives import TERMS, name_of
from infogan_tf.objectives.declarations import FIGURES, read_invariances, read_sizes, usual_changes

# The options that set a parameter of another name, because it takes more than their value.
SET_BY = {"real_target": "label_smoothing", "reference_latents": "virtual_batch_norm"}
# The options of a family that change one network alone, and its role: a model without it has nothing to change.
_OF_ROLE = {"minibatch_kernels": "d_head"}
# The options that are of codes of one kind: whether of those with classes, and the kind in words.
_OF_CODES = {
    "lambda_cat": (True, "discrete"),
    "lambda_cont": (False, "continuous"),
    "posterior_stddev": (False, "continuous"),
}
_OPTIONS = {field.name: field for field in dataclasses.fields(Config)}
# By option, another without which it does nothing: the value of that one with which it is so, and in words.
_IDLE = {
    "haste": ("haste_steps", 0, "0"),
    "haste_steps": ("haste", 1.0, "1"),
    "certainty_start": ("certainty", 1.0, "1"),
    "marginal_tolerance": ("marginal_weight", 0.0, "0"),
    "lr_decay_factor": ("lr_decay_steps", "", "empty"),
}


def options_of_model(name: str) -> set[str]:
    """What the model's `compile` takes, and a learning rate for each of its players."""
    path = MODELS[name].path
    rates = {f"{player}_learning_rate" for player in constant(f"{path}.PLAYERS")}
    return _as_options(parameters(f"{path}.compile")) | rates


def options_of_family(name: str) -> set[str]:
    """What the family's function takes."""
    return _as_options(parameters(FAMILIES[name].path))


def options_of_term(place: str) -> dict[str, str]:
    """The parameters of a term's constructor, its weight first, and the option that sets each."""
    name = name_of(place.partition(":")[2])
    found = {}
    for parameter in parameters(f"{place}.__init__"):
        wanted = [f"{name}_{parameter}", parameter, name]
        found[parameter] = next(option for option in wanted if option in _OPTIONS)
    return found


def _as_options(names):
    return {SET_BY.get(name, name) for name in names} & set(_OPTIONS)


def not_taken(config: Config) -> dict[str, str]:
    """The options that nothing in a run of `config` reads, and why, in words."""
    model = MODELS[config.model].path
    roles = {role for roles in constant(f"{model}.PLAYERS").values() for role in roles}
    read = options_of_model(config.model) | options_of_family(config.networks)
    # By option, why the first that could read it does not; one that anything else reads is read all the same.
    found = {option: f"--model={config.model} has no {role}" for option, role in _OF_ROLE.items() if role not in roles}
    read -= set(found)
    for place in TERMS:
        first, *others = options_of_term(place).values()
        missing = any(role not in roles for role in constant(f"{place}.NEEDS"))
        if missing or "regularizers" not in parameters(f"{model}.compile"):
            unread, why = (first, *others), f"--model={config.model} does not take it"
        elif not getattr(config, first):
            unread, why = others, f"--{first} is 0"
        else:
            unread, why = (), ""
        read |= {first, *others} - set(unread)
        found = dict.fromkeys(unread, why) | found
    for option in set().union(*map(options_of_model, MODELS)):
        found.setdefault(option, f"--model={config.model} does not take it")
    for option in set().union(*map(options_of_family, FAMILIES)):
        found.setdefault(option, f"--networks={config.networks} does not take it")
    found = {option: why for option, why in found.items() if option not in read}
    if is_fixed(config.dataset, LOADERS):
        found |= dict.fromkeys(OF_FILES, f"--dataset={config.dataset} is as it is")
    if "invariance_weight" in found or not config.invariance_weight:
        why = found.get("invariance_weight", "--invariance_weight is 0, whose term tells which start is best")
        found |= dict.fromkeys(("starts", "start_steps"), why)
    elif config.labelled:
        found |= dict.fromkeys(("starts", "start_steps"), "--labelled tells the classes, which several starts look for")
    elif config.starts == 1:
        found["start_steps"] = "--starts is 1"
    for option, (other, without, words) in _IDLE.items():
        if getattr(config, other) == without:
            found.setdefault(option, f"--{other} is {words}")
    if constant(f"{MODELS[config.model].path}.READS") != "codes":
        found["posterior_stddev"] = f"--model={config.model} reads no codes"
    # Without latents, before they are resolved, nobody knows.
    kinds = {bool(classes) for _, classes in read_latents(config.latents).codes.values()} if config.latents else None
    for option, (has_classes, words) in _OF_CODES.items():
        if kinds is not None and has_classes not in kinds:
            found.setdefault(option, f"--latents has no {words} code")
    if "real_target" not in parameters(
        f"infogan_tf.objectives.adversarial:{config.adversarial_loss}_discriminator_loss"
    ):
        found["label_smoothing"] = f"--adversarial_loss={config.adversarial_loss} sets D no target"
    return found


def taken(config: Config) -> dict[str, object]:
    """The options of a run, by name, that something in it reads: what its config.json holds."""
    unread = not_taken(config)
    return {name: value for name, value in config.to_json().items() if name not in unread}


def resolve(recipe: Config, given: Mapping[str, object]) -> Config:
    """A recipe's Config with the given options over it, all that is left to the model filled in.

    What the chosen model, networks or terms do not take of the recipe is left out: it has its default.

    Args:
        recipe: Of a data set.
        given: What the user gave, by name.

    Raises:
        UserError: Where an option is given that they do not take, or latents that the model cannot have.
    """
    config = dataclasses.replace(recipe, **given)
    check_names(config)
    own = MODELS[config.model].options
    if config.model == recipe.model:
        own = {} if config.latents else {"latents": own["latents"]}
    # Latents that are empty are the model's own; of other options an empty value has a meaning.
    left = {name: value for name, value in own.items() if name not in given or (name == "latents" and not given[name])}
    config = dataclasses.replace(config, **left)
    unread = not_taken(config)
    for name in given:
        if name in unread and given[name] != _OPTIONS[name].default:
            raise UserError(f"--{name}: {unread[name]}. Received: {as_flag(name, given[name])}")
    check_latents(config)
    return dataclasses.replace(config, **{name: _OPTIONS[name].default for name in unread})


def check_names(config: Config) -> None:
    """Refuses, by a UserError, a model, networks and a preset of theirs that do not exist."""
    for name, table in (("model", MODELS), ("networks", FAMILIES), ("preset", PRESETS)):
        received = getattr(config, name)
        if received not in table:
            raise UserError(f"--{name}: expected one of {', '.join(table)}. Received: {received!r}")


def check_latents(config: Config) -> None:
    """Refuses, by a UserError, latents that are none, or that the chosen model cannot have."""
    path = MODELS[config.model].path
    reads, told = (constant(f"{path}.{name}") for name in ("READS", "TOLD"))
    if wanted := lacking(read_latents(config.latents), reads, told):
        raise UserError(f"--latents: expected {wanted}, with --model={config.model}. Received: {config.latents!r}")


def check_options(config: Config) -> None:
    """Refuses, by a UserError, options that do not go together, as far as they alone can tell."""
    if not is_fixed(config.dataset, LOADERS):
        from infogan_tf.data.own import read_wanted

        size = read_wanted(config.image_size, config.channels, config.crop, config.background).size
        if size and max(size) > MOST_WITH_DENSE and config.networks == "paper" and PRESETS[config.preset].dense:
            raise UserError(
                f"--image_size: expected at most {MOST_WITH_DENSE} with --networks=paper, whose dense layers grow with "
                f"it; --networks=dcgan takes more. Received: {config.image_size!r}"
            )
    check_cost(config.latents)
    kinds = {kind for kind, _ in read_latents(config.latents).all_codes.values()}
    if config.labelled and not kinds & {"cat", "class"}:
        raise UserError(
            f"--latents: expected a code of classes, as in cat:10, with --labelled={config.labelled}. "
            f"Received: {config.latents!r}"
        )
    if config.contrast_weight and len(read_latents(config.latents).codes) < 2:
        raise UserError(
            f"--latents: expected two codes or more with --contrast_weight, which tells them apart. "
            f"Received: {config.latents!r}"
        )
    changes = "invariances" not in not_taken(config)
    if changes:
        codes = read_latents(config.latents).all_codes.items()
        discrete, continuous = (
            [name for name, (_, classes) in codes if bool(classes) is kind] for kind in (True, False)
        )
        # What the images are is not known yet, and does not matter here.
        read_invariances(config.invariances, discrete, continuous, usual_changes(FIGURES, colour=False))
    if config.augmentation:
        read_sizes(config.augmentation, "augmentation")
    if config.starts > 1 and config.start_from:
        raise UserError(f"--starts: expected 1 with --start_from. Received: {config.starts}")
    if config.starts > 1 and config.strategy == "multiworker":
        raise UserError(f"--starts: expected 1 with --strategy=multiworker. Received: {config.starts}")
