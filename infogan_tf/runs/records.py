"""What runs and sweeps say of themselves: config.json is written when one begins, and read by all that comes after."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from infogan_tf import __version__
from infogan_tf.config.flags import as_flag
from infogan_tf.config.options import Config, run_fields
from infogan_tf.config.source import constant
from infogan_tf.environment.versions import installed_versions
from infogan_tf.errors import UserError
from infogan_tf.files import as_json, entries, read_json, write_text
from infogan_tf.models import MODELS
from infogan_tf.models.choices import check_latents, check_names, not_taken
from infogan_tf.objectives.declarations import may_have_become
from infogan_tf.runs.directory import RunDirectory

if TYPE_CHECKING:
    from infogan_tf.data.images import ImageData

# What may differ when a run goes on: how far, where the data lies, what it is measured by, and on which devices.
MAY_CHANGE = ("steps", "data_dir", "cache_dir", "labels", "strategy")
# And where images other than the run's own are brought to its form.
OF_OTHER_IMAGES = ("dataset", "data_dir", "cache_dir", "crop", "background")
# How deep runs may lie in a folder: runs/<dataset>/<sweep>/<run>, and one more.
_DEPTH = 4
_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets")


def existing_run(
    run_dir: str, given: dict[str, object], may_change: tuple[str, ...] = (), flag: str = "run_dir"
) -> tuple[RunDirectory, Config]:
    """A run that was begun, and its own config.

    Args:
        run_dir: Its folder.
        given: The flags that the user gave.
        may_change: Those of them that have a say; the others are to be as the run's. Where `data_dir` has, images of
            one's own may lie elsewhere, too: `require_same_images` tells whether they are the same.
        flag: That named the folder, for the message.

    Raises:
        UserError: Where it is none, of another version, or where a given flag differs from the run's.
    """
    if not run_dir:
        raise UserError(f"--{flag}: expected the folder of a run. Received none")
    run = RunDirectory(run_dir)
    if not run.config_file.is_file():
        raise UserError(f"--{flag}: expected the folder of a run, with a config.json. Received: {run_dir!r}")
    record = read_json(run.config_file)
    _check_version(run, record, flag)
    for name, (fits, wanted) in _PARTS.items():
        if name in record and not fits(record[name]):
            raise UserError(f"{run.config_file}: expected {wanted} named {name!r}. Received: {record[name]!r:.200}")
    kept = record.get("config")
    if kept is None:
        raise UserError(f"{run.config_file}: expected an object named 'config'")
    if "data_dir" in may_change and _are_paths(kept.get("dataset"), given.get("dataset")):
        may_change = (*may_change, "dataset")
    kept.update({name: value for name, value in given.items() if name in may_change})
    config = Config.from_json(kept, run.config_file)
    try:
        check_names(config)
        check_latents(config)
    except UserError as error:
        raise UserError(f"{run.config_file}: {error}") from error
    unread = not_taken(config)
    for field in run_fields():
        if field.name not in given:
            continue
        own, received = getattr(config, field.name), given[field.name]
        # What may change is the config's own by now.
        if field.name in unread and received != (field.default if field.name in may_change else own):
            raise UserError(f"--{field.name}: {unread[field.name]}. Received: {as_flag(field.name, received)}")
        if received != own and not _stands_for(field.name, received, own):
            raise UserError(f"--{field.name}: the run in {run_dir} has {own!r} and keeps it. Received: {received!r}")
    return run, config


def _stands_for(name: str, given: object, own: object) -> bool:
    """Whether what is given is `auto`, or has it, and a run's own value is what that came to."""
    if name == "precision":
        return given == "auto"
    return name == "invariances" and may_have_become(given, own)


def _are_texts(values):
    return all(isinstance(value, str) for value in values)


# What config.json holds besides image_shape: whether a value can be its part, and in words what is expected.
_PARTS = {
    "config": (lambda value: isinstance(value, dict), "an object"),
    "images": (lambda value: isinstance(value, str), "a text"),
    "labels": (lambda value: isinstance(value, str), "a text"),
    "labelled": (lambda value: isinstance(value, str), "a text"),
    "commands": (lambda value: isinstance(value, list) and _are_texts(value), "a list of texts"),
    "versions": (lambda value: isinstance(value, dict) and _are_texts(value.values()), "an object of texts"),
}


def _are_paths(*datasets: object) -> bool:
    """Whether all are images of one's own, as --dataset has them: by their absolute paths."""
    return all(isinstance(dataset, str) and Path(dataset).is_absolute() for dataset in datasets)


def require_images_there(run: RunDirectory, config: Config) -> None:
    """Refuses, by a UserError, to work with images of one's own that are not where they were; nothing is read yet."""
    if _are_paths(config.dataset) and not Path(config.dataset).exists():
        raise UserError(
            f"--dataset: expected the images of {run}, which are not there any more; --dataset=FOLDER says where they "
            f"are now. Received: {config.dataset!r}"
        )


def require_same_images(run: RunDirectory, data: ImageData) -> None:
    """Refuses, by a UserError, to go on with images other than those that a run began with."""
    began_with = read_json(run.config_file).get("images")
    # A run that was begun when the cache did not keep its data set names none.
    if began_with and began_with != data.digest:
        raise UserError(
            f"--dataset: expected the images that {run} began with. Received: others; files were added, taken away or "
            "changed since, or this version makes other images of them"
        )


def require_same_labels(run: RunDirectory, data: ImageData) -> None:
    """Refuses, by a UserError, to go on with labels other than those that training was told, where it was told any."""
    began_with = read_json(run.config_file).get("labels")
    # A run of an earlier version names none.
    if began_with and began_with != _digest_of_labels(data):
        raise UserError(f"--labels: expected the labels that {run} is trained with. Received: others")


def require_same_choice(run: RunDirectory, data: ImageData, config: Config) -> None:
    """Refuses, by a UserError, to tell a run the labels of other images than it began with, as versions draw others."""
    if not config.labelled:
        return
    if read_json(run.config_file).get("labelled") != _digest_of_choice(data, config.labelled, config.seed):
        raise UserError(
            f"--resume: expected a run whose {config.labelled} labelled images this version draws. Received: {run}, "
            "which was told others"
        )


def _digest_of_choice(data: ImageData, labelled: int, seed: int) -> str:
    """A name for the images whose labels training is told."""
    from infogan_tf.data.labelled import labelled_choice  # needs NumPy, which --help does not wait for

    chosen = labelled_choice(data.train.labels, labelled, seed)
    return hashlib.sha256(chosen.tobytes()).hexdigest()


def _digest_of_labels(data: ImageData) -> str:
    """A name for the labels of the training images, and for what they are called."""
    labels = data.train.labels
    return hashlib.sha256(repr(data.label_names).encode() + (b"" if labels is None else labels.tobytes())).hexdigest()


def _reads_labels(options: dict[str, object]) -> bool:
    """Whether a run of these options is told labels."""
    told = [name for name, row in MODELS.items() if constant(f"{row.path}.TOLD") == "label"]
    return options.get("model") in told or bool(options.get("labelled"))


def require_checkpoint(run: RunDirectory, flag: str = "run_dir") -> None:
    """Refuses, by a UserError, a run whose config.json or checkpoints tell that there is no model to restore yet.

    Args:
        run: The run.
        flag: That named it, for the message.
    """
    run.image_shape()
    if not any(path.match("step_*.npz") for path in entries(run.checkpoints)):
        raise UserError(f"--{flag}: expected a run with a checkpoint. Received: {str(run)!r}, which has none yet")


def folders_of_runs(text: str) -> list[Path]:
    """The folders that --runs names: separated by commas, or those of the runs in the one folder that it names.

    A folder whose name has commas, as those of a sweep over latents, is one where there is one of this name.

    Raises:
        UserError: Where there are fewer than two, or a folder that might hold one cannot be read.
    """
    try:
        folders = list(map(Path, _parted(text)))
        if len(folders) == 1 and not (folders[0] / "config.json").is_file():
            folders = _runs_within(folders[0])
        folders = list({folder.resolve(): folder for folder in folders}.values())
    except (OSError, RuntimeError) as error:  # the latter of a link to itself
        raise UserError(f"--runs: expected folders that can be read ({error}). Received: {text!r}") from error
    if len(folders) < 2:
        raise UserError(
            "--runs: expected two folders of runs or more, separated by commas, or one folder that holds them. "
            f"Received: {text!r}" + (f", with {len(folders)}" if text else "")
        )
    return folders


def _parted(text):
    """What stands between commas, but for those that belong to the name of a folder that is there."""
    parts, found = text.split(","), []
    while parts:
        counts = (n for n in range(len(parts), 1, -1) if Path(",".join(parts[:n]).strip()).is_dir())
        count = next(counts, 1)
        found.append(",".join(parts[:count]).strip())
        parts = parts[count:]
    return list(filter(None, found))


def _runs_within(folder: Path, depth: int = _DEPTH) -> list[Path]:
    """The folders of runs in a folder, whatever else lies there: not within runs, nor in what is hidden."""
    found = []
    for inner in (path for path in entries(folder) if not path.name.startswith(".") and path.is_dir()):
        if _is_of_a_run(inner / "config.json"):
            found.append(inner)
        elif depth > 1:
            found += _runs_within(inner, depth - 1)
    return found


def _is_of_a_run(file: Path) -> bool:
    """Whether a config.json is this program's, and not that of another; of one that is damaged it may be."""
    if not file.is_file():
        return False
    try:
        record = read_json(file)
    except UserError:
        return True
    return "config" in record or "versions" in record


def _check_version(run, record, flag):
    """Refuses the run of a version whose first two numbers are not this one's."""
    versions = record.get("versions")
    found = versions.get("infogan_tf") if isinstance(versions, dict) else None
    if str(found).split(".")[:2] != __version__.split(".")[:2]:
        raise UserError(
            f"--{flag}: expected a run of infogan_tf {__version__}. Received: one of {found or 'no version'}, by "
            f"{run.config_file}"
        )


def begin(run: RunDirectory, options: dict[str, object], data: ImageData, argv: list[str]) -> None:
    """Writes config.json, with options as resolved, versions, every command so far; and which files are left out.

    It also has names for the images, for the labels that training is told, and for the few images that have one, by
    which other ones are noticed.

    Args:
        run: The run, whose folder is this process's.
        options: By name, those that something in the run reads.
        data: What it is trained on.
        argv: The command line.

    Raises:
        UserError: Where it cannot be written.
    """
    try:
        before = read_json(run.config_file).get("commands", []) if run.config_file.exists() else []
        labelled = options.get("labelled", 0)
        record = {
            "config": options,
            "image_shape": data.image_shape,
            "images": data.digest,
            **({"labels": _digest_of_labels(data)} if _reads_labels(options) else {}),
            **({"labelled": _digest_of_choice(data, labelled, options["seed"])} if labelled else {}),
            "commands": [*before, shlex.join(argv)],
            "versions": installed_versions(_PACKAGES),
        }
        write_text(run.config_file, as_json(record))
        if data.skipped:
            write_text(run.skipped_file, "".join(f"{name}: {why}\n" for name, why in data.skipped))
    except OSError as error:
        raise UserError(f"--run_dir: cannot write there ({error}). Received: {str(run)!r}") from error
