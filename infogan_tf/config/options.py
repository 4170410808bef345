"""Every option of a run: one documented, bounded field each. The command line's flags are made from them."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from infogan_tf.config.numbers import is_float32, read_integer
from infogan_tf.errors import UserError

MODES = ("train", "sweep", "evaluate", "compare", "sample", "encode", "export", "explore")
# Bytes of a name, and of a whole path: systems take 255 and 4,095, and what is written in a folder has names as well.
LONGEST_NAME, LONGEST_PATH = 255, 3_500
MOST_STEPS = 10**9
# Control characters, separators of lines, and bytes of an argument that are no UTF-8.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def option(
    default: Any,
    text: str,
    group: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    modes: tuple[str, ...] = (),
    path: str = "",
) -> Any:
    """A field of Config.

    Args:
        default: Its value where nobody says anything.
        text: What it is, for --help.
        group: The heading under which --help shows it.
        low: The least number that it takes.
        high: The greatest.
        choices: The texts that it takes; any, if empty.
        modes: Of an option that says what to do now, the modes that read it; an option without says what a run is, and
            is kept in its config.json.
        path: "one" of a text that names a file or folder, "several" with commas between them; empty of all others.
    """
    facts = {"help": text, "group": group, "low": low, "high": high, "choices": choices, "modes": modes, "path": path}
    return dataclasses.field(default=default, metadata=facts)


@dataclasses.dataclass(frozen=True)
class Config:
    """The options. Values out of bounds raise a UserError that names the flag."""

    mode: str = option(
        "train",
        "What to do: train a model; train one for each of several seeds and options; measure a trained one; compare "
        "several; draw from one; read the codes of images; export it again; move its codes on a page.",
        "Command", choices=MODES, modes=MODES,
    )  # fmt: skip
    run_dir: str = option(
        "", "The run's folder; a new one under runs/<dataset>/ if not given. Has to be new or empty, unless --resume.",
        "Command", modes=("train", "sweep", "evaluate", "sample", "encode", "export", "explore"),
        path="one",
    )  # fmt: skip
    resume: bool = option(
        False, "Go on with the run in --run_dir, with its own options.", "Command", modes=("train", "sweep")
    )
    dry_run: bool = option(
        False, "Print every option as it would be, of a sweep the command of each run that is not done; nothing is "
        "read of the images, and nothing is written.", "Command", modes=("train", "sweep"),
    )  # fmt: skip
    evaluation: str = option(
        "auto",
        "How much to spend on report.html: quick measures 2,000 images, full 10,000; auto is quick after training and "
        "full with --mode=evaluate.", "Command", choices=("auto", "none", "quick", "full"),
        modes=("train", "sweep", "evaluate"),
    )  # fmt: skip

    dataset: str = option(
        "digits",
        "The images to learn from, which decide the defaults: a data set by name, tfds:NAME of tensorflow-datasets, or "
        "images of one's own: a folder, a .zip, an .npy or an .npz. A name is the data set; ./mnist is a folder.",
        "Data",
        path="one",
    )
    recipe: str = option(
        "paper",
        "The defaults by name: paper is the paper's objective alone; invariant adds what real images tell of the "
        "codes, where the data set has transformations that leave a class unchanged; quick is that in a fraction of "
        "the time.",
        "Data",
    )  # fmt: skip
    start_from: str = option(
        "",
        "A run whose weights a new one begins with; what is not given is as in that run, --dataset too. Its networks "
        "and codes have to stay as they are.",
        "Data",
        path="one",
    )
    data_dir: str = option(
        "",
        "Where prepared data lies, or is downloaded to; by default TFDS_DATA_DIR, then ~/tensorflow_datasets.",
        "Data",
        path="one",
    )

    image_size: str = option(
        "",
        "Height and width of images of one's own, or of tensorflow-datasets, as in 64 or 64x48, multiples of 4; if not "
        "given the largest of 28, 32, 48 and 64 that is not above the median of their shorter sides.",
        "Data",
    )
    channels: str = option(
        "auto", "Of the same images: 1, grey; 3, in colour; auto, of files grey where some 500 of them all are, of the "
        "others as they are stored.", "Data", choices=("auto", "1", "3"),
    )  # fmt: skip
    crop: str = option(
        "center",
        "Of the same images: center takes the largest part of the wanted proportions; none squeezes the whole; "
        "LEFT,TOP,WIDTH,HEIGHT takes that part, in pixels.",
        "Data",
    )
    background: str = option(
        "white", "Of the same images: the colour under what is transparent, a name or #rrggbb.", "Data"
    )
    cache_dir: str = option(
        "",
        "Where the same images are kept once they are decoded; by default infogan_tf under XDG_CACHE_HOME, or "
        "under ~/.cache.",
        "Data",
        path="one",
    )
    labels: str = option(
        "",
        "What is known of the same images, for evaluation alone: a .csv whose first column names the file (or has the "
        "index within an array or data set), the others classes, or 0 and 1 (or -1 and 1).",
        "Data",
        path="one",
    )

    model: str = option("infogan", "What to train.", "Model")
    networks: str = option("paper", "The family of its networks.", "Model")
    preset: str = option("mnist", "Of the paper's networks, those of which of its data sets.", "Model")
    width: int = option(
        64,
        "Of dcgan and resnet, the filters nearest to the images; they double with each halving of the image, at the "
        "most to eight times as many. Of began, those of G, and of D as many more with each halving.", "Model", low=4,
        high=512,
    )  # fmt: skip
    trunk_batch_norm: bool = option(
        False, "Of dcgan, whether D's trunk has batch norm too: Q learns more of real images by it.", "Model"
    )
    reconstruction_weight: float = option(
        0.01, "Of a VAE-GAN, the weight of reconstruction beside what D says, for the decoder.", "Model", low=0.0,
        high=1000.0,
    )  # fmt: skip
    gamma: float = option(
        0.5, "Of BEGAN, how badly D is to render generated images, as a share of how badly it renders real ones; less "
        "draws clearer images, and fewer kinds.", "Model", low=0.0, high=1.0,
    )  # fmt: skip
    lambda_k: float = option(
        0.001, "Of BEGAN, how fast the weight of generated images in D's loss moves.", "Model", low=0.0, high=100.0
    )

    latents: str = option(
        "",
        "The generator's input, the model's own if not given: noise:62 (or normal_noise:62), and codes named c1, c2, "
        "... in order: cat:10 (cat:10x4 for four of them), uniform:2, normal:2, bernoulli:2.",
        "Latent codes",
    )
    posterior_stddev: float = option(
        0.0, "Standard deviation of Q(c|x) of continuous codes; 0 learns it.", "Latent codes", low=0.0, high=100.0
    )
    lambda_info: float = option(
        1.0, "Weight of the mutual information L_I; 0 trains a regular GAN whose codes Q still reads.", "Latent codes",
        low=0.0, high=1000.0,
    )  # fmt: skip
    lambda_cat: float | None = option(
        None, "The weight for categorical and Bernoulli codes, if another.", "Latent codes", low=0.0, high=1000.0
    )
    lambda_cont: float | None = option(
        None, "The weight for uniform and normal codes, if another.", "Latent codes", low=0.0, high=1000.0
    )

    lambda_warmup: int = option(
        0, "Steps in which these weights rise from 0, in a straight line.", "Latent codes", low=0, high=MOST_STEPS
    )

    invariance_weight: float = option(
        0.0,
        "Weight of what discrete codes are to say of real images: the same of each and of its transformed copy, "
        "surely, and every class as often as the prior has it.", "Information from real images", low=0.0, high=1000.0,
    )  # fmt: skip
    invariances: str = option(
        "auto",
        "Transformations that leave discrete codes as they are: auto, which goes by whether images are figures on an "
        "even ground or photos, of anything or of one thing in one frame, grey or in colour; or some of these, each "
        "drawn up to its size: rotate:DEGREES, shift:SHARE (or shift_x, shift_y), scale:SHARE, shear:SHARE, "
        "stretch:SHARE, thicken:SHARE, contrast:SHARE, brightness:SHARE, saturation:SHARE, hue:DEGREES, grey:SHARE "
        "(of images), crop:SHARE, cutout:SHARE, surroundings:SHARE (of images), noise:STDDEV, flip. Others for one "
        "code after a semicolon: rotate:10,shift:0.1;c3=rotate:10,shear:0.15. c2~shear:0.4 makes a continuous code "
        "move, by 1, with a shear of 0.4, which gives it this meaning.",
        "Information from real images",
    )
    entropy_weight: float = option(
        0.1, "Within it, the weight of H(Q(c|x)); more makes Q surer.", "Information from real images", low=0.0,
        high=1000.0,
    )  # fmt: skip
    marginal_weight: float = option(
        0.4, "Within it, the weight of the classes' frequencies matching the prior.", "Information from real images",
        low=0.0, high=1000.0,
    )  # fmt: skip
    marginal_tolerance: float = option(
        0.0,
        "Within it, how far these frequencies may lie from the prior at no cost, in nats: 0.08 where the kinds of "
        "images may differ in number, else a frequent kind is cut in two. An empty class of ten is 0.105.",
        "Information from real images", low=0.0, high=10.0,
    )  # fmt: skip

    haste: float = option(
        1.0,
        "Within it, how many times as large the weights of entropy and frequencies are in the first --haste_steps: "
        "classes are found sooner, and what Q was too sure of can be mended later.", "Information from real images",
        low=1.0, high=1000.0,
    )  # fmt: skip
    haste_steps: int = option(
        0, "For how many steps, from the first, --haste holds.", "Information from real images", low=0, high=MOST_STEPS
    )
    certainty: float = option(
        1.0,
        "Within it, how many times as large the weight of the entropy is from step --certainty_start on: once classes "
        "are mostly right, what Q is nearly sure of tells it what the rest is.", "Information from real images",
        low=1.0, high=1000.0,
    )  # fmt: skip
    certainty_start: int = option(
        0, "The step from which --certainty holds.", "Information from real images", low=0, high=MOST_STEPS
    )

    labelled: int = option(
        0,
        "How many training images have a label that is told, as many of each, drawn by the seed: the first code of "
        "classes of an InfoGAN is to be that label. The data set has to have labels.", "Labels", low=0, high=10**9,
    )  # fmt: skip
    supervision_weight: float = option(
        1.0, "Weight of what c1 is to say of these images.", "Labels", low=0.0, high=1000.0
    )

    adversarial_loss: str = option(
        "nonsaturating", "What D and G minimise.", "Toolbox",
        choices=("nonsaturating", "minimax", "hinge", "least_squares", "wasserstein", "relativistic"),
    )  # fmt: skip
    label_smoothing: float = option(
        0.0, "One-sided label smoothing: D is to say 1 less this of real images.", "Toolbox", low=0.0, high=0.5
    )
    feature_matching_weight: float = option(
        0.0, "Weight of the distance between mean features of real and fake images, for G.", "Toolbox", low=0.0,
        high=1000.0,
    )  # fmt: skip
    feature_matching_start: int = option(
        0, "First step in which it counts; later than 0, c1 finds classes before G draws the data's rarer styles.",
        "Toolbox", low=0, high=MOST_STEPS,
    )  # fmt: skip
    r1_weight: float = option(
        0.0, "Weight of half D's squared gradient at real images.", "Toolbox", low=0.0, high=1000.0
    )
    r2_weight: float = option(
        0.0, "Weight of half D's squared gradient at generated images.", "Toolbox", low=0.0, high=1000.0
    )
    gradient_penalty_weight: float = option(
        0.0, "Weight of the squared distance of D's gradient norm from 1, between real and fake images.", "Toolbox",
        low=0.0, high=1000.0,
    )  # fmt: skip
    instance_noise: float = option(
        0.0, "Standard deviation, at first, of noise on all images that D is shown.", "Toolbox", low=0.0, high=10.0
    )
    instance_noise_steps: int = option(
        5_000, "Steps after which that noise has fallen to 0.", "Toolbox", low=1, high=MOST_STEPS
    )
    augmentation: str = option(
        "",
        "Changes of all images, real and generated, before D sees them, against learning few images by heart; as "
        "--invariances has them, for example brightness:0.5,saturation:1,shift:0.125,cutout:0.5.", "Toolbox",
    )  # fmt: skip
    contrast_weight: float = option(
        0.0, "Weight of telling which code two images share (InfoGAN-CR).", "Toolbox", low=0.0, high=1000.0
    )
    contrast_start: int = option(
        0, "First step in which it counts; InfoGAN-CR has it in the last tenth.", "Toolbox", low=0, high=MOST_STEPS
    )
    historical_averaging_weight: float = option(
        0.0, "Weight of the squared distance of D's and G's weights from their own mean so far.", "Toolbox", low=0.0,
        high=1000.0,
    )  # fmt: skip
    interpolation_weight: float = option(
        0.0, "Weight of what G is asked for between two labels or captions, told by their mean (GAN-INT).", "Toolbox",
        low=0.0, high=1000.0,
    )  # fmt: skip
    minibatch_kernels: int = option(
        0, "Minibatch discrimination: how many measures of likeness to the rest of the batch D is given.", "Toolbox",
        low=0, high=1000,
    )  # fmt: skip
    spectral_norm: bool = option(
        False, "Divide D's weights by their largest singular value; of a VAE, which has no D, those of its encoder.",
        "Toolbox",
    )  # fmt: skip
    virtual_batch_norm: bool = option(
        False, "Batch norm in G whose statistics are those of a fixed batch and the image itself.", "Toolbox"
    )
    d_updates: int = option(
        1, "Updates of D and Q in a step, each on --batch_size real images of its own.", "Toolbox", low=1, high=100
    )
    g_updates: int = option(1, "Updates of G in a step.", "Toolbox", low=1, high=100)
    average_decay: float = option(
        0.0, "Decay by step of the moving averages of all weights, which are then measured and exported; 0 keeps none.",
        "Toolbox", low=0.0, high=0.999999,
    )  # fmt: skip

    steps: int = option(
        10_000, "How many training steps; more than before, with --resume, make the run longer.", "Training", low=1,
        high=MOST_STEPS,
    )  # fmt: skip
    batch_size: int = option(128, "Real images, and as many generated ones, in a step.", "Training", low=2, high=65_536)
    d_learning_rate: float = option(
        2e-4, "Adam's step size for trunk, D head and Q head.", "Training", low=0.0, high=1.0
    )
    g_learning_rate: float = option(1e-3, "Adam's step size for the generator.", "Training", low=0.0, high=1.0)
    e_learning_rate: float = option(
        1e-3, "Adam's step size for the encoder of a VAE-GAN.", "Training", low=0.0, high=1.0
    )
    adam_beta_1: float = option(0.5, "Adam's decay of the first moment.", "Training", low=0.0, high=0.9999)
    adam_epsilon: float = option(
        1e-7, "What Adam adds to the size of gradients before it divides by it: where they are smaller, weights move "
        "less.", "Training", low=0.0, high=1.0,
    )  # fmt: skip
    lr_decay_steps: str = option(
        "", "Steps at which the learning rates fall, as in 6000,8000; none if empty.", "Training"
    )
    lr_decay_factor: float = option(
        0.1, "What the learning rates are multiplied by then.", "Training", low=0.0, high=1.0
    )
    precision: str = option(
        "auto", "What the networks compute in; auto takes what this machine's GPU or CPU profits from.", "Training",
        choices=("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    )  # fmt: skip
    strategy: str = option(
        "auto",
        "Devices: one; mirrored over all GPUs of the machine; multiworker over the machines in TF_CONFIG. auto takes "
        "multiworker where TF_CONFIG is set, mirrored where there are several GPUs, else one. --batch_size is shared "
        "out among them.", "Training", choices=("auto", "one", "mirrored", "multiworker"),
    )  # fmt: skip
    sync_batch_norm: bool = option(
        True, "With several devices, take batch norm's statistics over the whole batch, as one device would; false "
        "takes each device's own, which needs no exchange.", "Training",
    )  # fmt: skip
    jit_compile: str = option(
        "auto", "Compile the steps with XLA: on a GPU faster, after half a minute; on most CPUs slower. auto: in long "
        "runs on one GPU. --jit_compile alone is true.", "Training", choices=("auto", "true", "false"),
    )  # fmt: skip
    seed: int = option(
        0,
        "Of weights, latents and shuffling; on a CPU the same seed gives the same run.",
        "Training",
        low=0,
        high=2**31 - 2,
    )

    starts: int = option(
        1,
        "How many starts to make, each from weights of its own. After --start_steps one is trained on: of the half "
        "with the lower invariance terms, the one whose classes agree best with those of the other starts. Needs "
        "--invariance_weight; with --labelled there is one.", "Training", low=1, high=1000,
    )  # fmt: skip
    start_steps: int = option(
        1_000, "Steps of each start; those of the one that is trained on count as its first.", "Training", low=1,
        high=MOST_STEPS,
    )  # fmt: skip

    eval_every: int = option(
        500,
        "Steps in an epoch; after each: a line of metrics, pictures, c1's error.",
        "Watching",
        low=1,
        high=MOST_STEPS,
    )
    checkpoint_every: int = option(500, "Steps between checkpoints.", "Watching", low=1, high=MOST_STEPS)
    keep_checkpoints: int = option(2, "How many checkpoints to keep, the newest.", "Watching", low=1, high=1000)

    export_precision: str = option(
        "float32",
        "What the exported weights are stored in; float16 halves the export, which computes in float32 all the same. "
        "--mode=export may change it.", "Exporting", choices=("float32", "float16"),
    )  # fmt: skip

    count: int = option(
        100,
        "How many images to draw; 10,000 are the most in a picture. Where a code goes through values, as many whole "
        "rows of them as that gives.",
        "Drawing (--mode=sample)",
        low=1,
        high=10**9,
        modes=("sample",),
    )
    codes: str = option(
        "",
        "Codes to fix, as in c1=3,c2=-0.8; the others are drawn. One or two may go through values, in a row and from "
        "row to row: c2=-2:2 (or c2=-2:2:20, of which there are 20), c1=0:9.",
        "Drawing (--mode=sample)",
        modes=("sample",),
    )
    caption: str = option(
        "",
        "What is to be drawn, of a run whose model is told captions: a small heart, top left. Several, parted by bars, "
        "stand in a row.",
        "Drawing (--mode=sample)",
        modes=("sample",),
    )
    latents_file: str = option(
        "",
        "Draw what is in this table again, as --output=NAME.npy and NAME/ wrote it: the codes, and the noise as z1, "
        "z2, ...; --codes goes before what it says.",
        "Drawing (--mode=sample)",
        modes=("sample",),
        path="one",
    )
    numbered: bool = option(
        False, "Write its number, counted from 0, under each sample of a .png.", "Drawing (--mode=sample)",
        modes=("sample",),
    )  # fmt: skip
    arithmetic: str = option(
        "",
        'Averages of samples, added and subtracted: "3,17,25 - 4,8,9 + 1,2,6". The numbers are of the samples that the '
        "same command draws without it; --numbered shows them.",
        "Drawing (--mode=sample)",
        modes=("sample",),
    )
    output: str = option(
        "",
        "What to write, never over anything. Of samples: NAME.png or NAME.jpg, a grid; NAME.npy, an array, with the "
        "latents in NAME.csv; NAME/, a folder of a PNG for each image, with latents.csv; NAME.gif, an animation, where "
        "a code varies. With --mode=encode: NAME.csv, a table of codes; NAME/, the images sorted by class, as links or "
        "copies. With --mode=compare: NAME.html, a page; NAME.json, all figures. If not given grid.png, codes.csv, or "
        "compare.html.",
        "Drawing (--mode=sample)",
        modes=("sample", "encode", "evaluate", "compare"),
        path="one",
    )

    samples: str = option(
        "",
        "In place of --run_dir: pictures that any program drew, a folder, a .zip, an .npy or an .npz, to be measured "
        "against --dataset; the figures go to --output=NAME.json, samples.json if not given.",
        "Measuring (--mode=evaluate)",
        modes=("evaluate",),
        path="one",
    )

    seeds: str = option("0,1,2", "The seeds, as in 0,1,2,3,4.", "Sweeping (--mode=sweep)", modes=("sweep",))
    grid: str = option(
        "", "Options to vary as well, every value with every other: lambda_info=0.3,1;batch_size=64,128. Values with "
        "commas in them are parted by bars: latents=noise:62,cat:8|noise:62,cat:10.",
        "Sweeping (--mode=sweep)", modes=("sweep",),
    )  # fmt: skip

    runs: str = option(
        "", "Folders of runs, as in runs/mnist/a,runs/mnist/b; or one folder that holds runs.",
        "Comparing (--mode=compare)", modes=("compare",),
        path="several",
    )  # fmt: skip

    saved_model: str = option(
        "", "An exported model in place of --run_dir: its folder, or the folder of its versions.",
        "Exploring (--mode=explore)", modes=("explore",),
        path="one",
    )  # fmt: skip
    url: str = option(
        "", "A running TF Serving in place of --run_dir: http://HOST:8501, whose model is infogan, or "
        "http://HOST:8501/v1/models/NAME.", "Exploring (--mode=explore)", modes=("explore",),
    )  # fmt: skip
    host: str = option(
        "127.0.0.1",
        "The address to listen on; 0.0.0.0 lets other machines in.",
        "Exploring (--mode=explore)",
        modes=("explore",),
    )
    port: int = option(
        8510, "The port to listen on; a free one is taken where it is 0 or in use.",
        "Exploring (--mode=explore)", low=0, high=65_535, modes=("explore",),
    )  # fmt: skip

    def __post_init__(self):
        for field in dataclasses.fields(self):
            check(field, getattr(self, field.name))
        self.learning_rate_boundaries()

    def learning_rate_boundaries(self) -> list[int]:
        """`lr_decay_steps` as ascending integers."""
        steps = [read_integer(text.strip()) or 0 for text in self.lr_decay_steps.split(",") if text.strip()]
        if any(low >= high or high > MOST_STEPS for low, high in zip([0, *steps], steps, strict=False)):
            raise UserError(
                f"--lr_decay_steps: expected ascending steps such as 6000,8000. Received: {self.lr_decay_steps!r}"
            )
        return steps

    def to_json(self) -> dict[str, Any]:
        """What the run is, ready for JSON."""
        return {field.name: getattr(self, field.name) for field in run_fields()}

    @classmethod
    def from_json(cls, values: dict[str, Any], path: Path) -> "Config":
        """The inverse of `to_json`; `path` is the file the values came from, for the message.

        Raises:
            UserError: Where an option is unknown or out of bounds.
        """
        unknown = sorted(set(values) - {field.name for field in run_fields()})
        if unknown:
            raise UserError(f"{path}: unknown option {unknown[0]!r}")
        # Once a bool.
        if isinstance(values.get("jit_compile"), bool):
            values = values | {"jit_compile": str(values["jit_compile"]).lower()}
        try:
            return cls(**values)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error


def run_fields() -> list[dataclasses.Field]:
    """The fields that say what a run is."""
    return [field for field in dataclasses.fields(Config) if not field.metadata["modes"]]


def expected(field: dataclasses.Field) -> str:
    """What a field takes, in words."""
    facts = field.metadata
    if facts["choices"]:
        return "one of " + ", ".join(facts["choices"])
    if field.type is bool:
        return "true or false"
    if field.type is str:
        return "text"
    kind = "an integer" if field.type is int else "a number"
    return f"{kind} from {_plain(facts['low'])} to {_plain(facts['high'])}"


def check(field: dataclasses.Field, value: Any) -> None:
    """Raises a UserError that names the flag where `value` is not what `field` takes."""
    if not _is_valid(field, value):
        raise UserError(f"--{field.name}: expected {expected(field)}. Received: {value!r}")
    if field.type is str and (wanted := _lacking(value, field.metadata["path"])):
        raise UserError(f"--{field.name}: expected {wanted}. Received: {value!r}")


def _is_valid(field, value):
    facts = field.metadata
    if value is None:
        return field.default is None
    if field.type is bool:
        return isinstance(value, bool)
    if field.type is str:
        return isinstance(value, str) and (not facts["choices"] or value in facts["choices"])
    numbers = int if field.type is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, numbers):
        return False
    return facts["low"] <= value <= facts["high"] and (isinstance(value, int) or is_float32(value))


def _lacking(text, path):
    """What a text would have to be to be shown, written into files, and opened; empty where it is."""
    if _UNWRITABLE.search(text) and not path:
        return "text in UTF-8 without control characters"
    if _UNWRITABLE.search(text):
        return "a path whose name is UTF-8 without control characters; a link with another name will do"
    if path and any(map(_is_too_long, text.split(",") if path == "several" else [text])):
        return f"no path that is too long, of more than {LONGEST_PATH:,} bytes, or {LONGEST_NAME} in a name"
    return ""


def _is_too_long(path):
    return len(path.encode()) > LONGEST_PATH or any(len(name.encode()) > LONGEST_NAME for name in path.split("/"))


def _plain(number):
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
