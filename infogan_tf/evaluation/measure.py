"""The thin layer between a trained model and the measures in `evaluation/`: it draws, encodes, and hands arrays over.

Each group of figures is a function of `Material`. One that cannot be measured leaves a note in one line, and the others
are measured all the same.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from tqdm import tqdm

from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import NotMeasuredError
from infogan_tf.evaluation import sample_figures
from infogan_tf.evaluation.feature_networks import feature_network, published_network
from infogan_tf.evaluation.figures import PUBLISHED_FEATURES
from infogan_tf.evaluation.metrics import clustering
from infogan_tf.evaluation.metrics.attributes import LOOKED_AT, attributes, ground_of, rank_correlations, strongest
from infogan_tf.evaluation.metrics.captions import right_words
from infogan_tf.evaluation.metrics.checks import require_finite
from infogan_tf.evaluation.metrics.directions import mean_directions
from infogan_tf.evaluation.metrics.disentanglement import disentanglement_scores, perfect_scores
from infogan_tf.evaluation.metrics.information import mutual_info, standardised_mutual_info
from infogan_tf.evaluation.metrics.overlap import class_overlaps
from infogan_tf.evaluation.metrics.roc import best_attributes, roc_areas
from infogan_tf.evaluation.metrics.sample_quality import nearest_neighbours
from infogan_tf.evaluation.result import Evaluation, attempt
from infogan_tf.evaluation.sample_figures import Compared, compare, measure_samples
from infogan_tf.latents.codes import Caption, Categorical, Class, Code, Continuous, Label
from infogan_tf.models.base import GenerativeModel
from infogan_tf.random import fold_in

# A rank correlation below this names nothing, nor does an area under the ROC curve.
LEAST_RHO, LEAST_AUC = 0.2, 0.6
# A class is called after its label where more of its images have it, and so many more than of all images.
LEAST_SHARE, LEAST_GAIN = 0.5, 0.2
# A class is nearly empty below this share of what its prior gives it; two may be one above this overlap. On the digits
# the most of any two was 0.05 to 0.19 with ten classes, 0.28 to 0.30 with eleven, and 0.33 and more with twelve.
LEAST_OF_PRIOR, MOST_OVERLAP = 0.25, 0.2
# So many images at a time.
BLOCK = 500
# So many captions are looked at, of each kind.
CAPTIONS = 1_000
# So many images have to have an attribute, and so many not, for its area.
LEAST_IMAGES = 10


@dataclasses.dataclass(frozen=True)
class Setting:
    """How much is spent on an evaluation: images drawn and read, and votes for disentanglement (train, test).

    `published` is whether samples are also measured in the network of published figures: it has 2,048 features, which
    the images have to outnumber.
    """

    name: str
    images: int
    votes: tuple[int, int]
    published: bool = False


SETTINGS = {
    "quick": Setting("quick", images=2_000, votes=(1_000, 500)),
    "full": Setting("full", images=10_000, votes=(10_000, 5_000), published=True),
}


class Material:
    """Draws from a model and what it reads in them and in test images; each computed when first asked for.

    Args:
        model: The trained model; inference statistics are used throughout.
        data: The data set that it was trained on.
        setting: How many images are drawn and read.
        cache_dir: Folder of feature networks, or None for the default.
        labelled: How many training images had a label that training was told; 0 for none.
    """

    def __init__(
        self,
        model: GenerativeModel,
        data: ImageData,
        setting: Setting,
        cache_dir: str | Path | None = None,
        labelled: int = 0,
    ):
        self.model = model
        self.labelled = labelled
        self.cache_dir = cache_dir
        self.data = data
        self.setting = setting
        self.layout = model.layout
        noise, self.values = self.layout.sample_parts(setting.images, model.stream_seed("measure"))
        self.values = {name: value.numpy() for name, value in self.values.items()}
        self.images, self.log_probs, self.posterior = model.read(self.layout.join(noise, self.values))
        self.read_codes = model.read_codes

    @property
    def test_images(self) -> np.ndarray:
        """As many as the setting allows, the first of the test split."""
        return self.data.test.images[: self.setting.images]

    @property
    def test_labels(self) -> np.ndarray:
        """Of `test_images`.

        Raises:
            NotMeasuredError: Where there are none.
        """
        if self.data.test.labels is None:
            raise NotMeasuredError(f"the data set {self.data.name} has no labels")
        return self.data.test.labels[: self.setting.images]

    @property
    def label_names(self) -> list[str]:
        """The labels in words, or their numbers."""
        return list(self.data.label_names) or [str(label) for label in range(self.data.test.labels.max() + 1)]

    @functools.cached_property
    def test_posterior(self) -> dict[str, dict[str, np.ndarray]]:
        """Q(c|x) of `test_images`."""
        return self.model.encode(self.test_images)

    @functools.cached_property
    def trunk_features(self) -> np.ndarray:
        """The trunk's features of `test_images`, [N, F]."""
        return self.model.features(self.test_images)

    def test_classes(self, code: Code) -> np.ndarray:
        """The most probable class of each test image."""
        return code.most_probable(self.test_posterior[code.name])

    @functools.cached_property
    def training_choice(self) -> np.ndarray | slice:
        """The places of as many training images as there are draws, or of all, a fixed random choice."""
        return self.data.training_choice(len(self.images))

    @functools.cached_property
    def training_sample(self) -> np.ndarray:
        """The training images of `training_choice`."""
        return self.data.train.images[self.training_choice]

    @functools.cached_property
    def ground(self) -> str:
        """What the training images lie on, as `attributes.ground_of` tells it."""
        return ground_of(self.training_sample[:LOOKED_AT] / 255.0)

    @property
    def known_names(self) -> list[str]:
        """What is known of images: attributes, then labels, one by one."""
        labels = [] if self.data.test.labels is None else self.label_names
        return [*self.data.attribute_names, *(f"label {name}" if name.isdecimal() else name for name in labels)]

    @functools.cached_property
    def training_truths(self) -> np.ndarray:
        """Of each image of `training_sample`, for each of `known_names`: 1 yes, 0 no, -1 unknown; int8 [N, A]."""
        return self._truths(self.data.train, self.training_choice)

    @functools.cached_property
    def test_truths(self) -> np.ndarray:
        """The same of each of `test_images`."""
        return self._truths(self.data.test, slice(len(self.test_images)))

    def _truths(self, split: Split, places: np.ndarray | slice) -> np.ndarray:
        parts = [] if split.attributes is None else [split.attributes[places]]
        if split.labels is not None:
            parts.append(split.labels[places][:, np.newaxis] == np.arange(len(self.label_names)))
        return np.concatenate(parts, axis=1).astype(np.int8)

    @functools.cached_property
    def directions(self) -> dict[str, np.ndarray]:
        """Of a model that reads noise, the direction [noise.size] in z of each of `known_names` that is to be had."""
        found = mean_directions(self.training_noise, self.training_truths, LEAST_IMAGES)
        return {name: each for name, each in zip(self.known_names, found, strict=True) if np.isfinite(each).all()}

    @functools.cached_property
    def training_noise(self) -> np.ndarray:
        """The mean of q(z|x) of each image of `training_sample`, [N, noise.size]."""
        return self.model.encode(self.training_sample)["noise"]["mean"]

    @functools.cached_property
    def features(self) -> Compared:
        """What the data set's own network reads in training images, as many draws, and test images.

        Raises:
            NotMeasuredError: As `feature_network`.
        """
        network = feature_network(self.data, self.cache_dir)
        return compare(network, self.training_sample, self.images[: len(self.training_sample)], self.test_images)

    @functools.cached_property
    def published_features(self) -> Compared | None:
        """What the network of published figures reads in training images and as many draws.

        None where the setting does not ask for it, or that of published figures is the data set's own.

        Raises:
            NotMeasuredError: As `published_network`.
        """
        network = published_network(self.data, self.cache_dir) if self.setting.published else None
        if network is None:
            return None
        drawn = self.images[: len(self.training_sample)]
        return compare(network, self.training_sample, drawn, None, PUBLISHED_FEATURES, "Inception")

    @property
    def categoricals(self) -> list[Code]:
        """The codes whose posterior is a class."""
        return [code for code in self.read_codes if isinstance(code, Categorical)]


def measure(material: Material, step: int) -> Evaluation:
    """Measures all that can be; shows a progress bar."""
    found = Evaluation(material.setting.name, step)
    found.notes.append(f"{len(material.images):,} images drawn, with inference statistics, in float32.")
    # Before this function's progress bar, because these have bars of their own: training, fetching and reading.
    for name in ("features", "published_features"):
        with contextlib.suppress(NotMeasuredError):  # the group that asks for it will say why it is not to be had
            getattr(material, name)
    groups = {title: group for title, group in GROUPS.items() if material.read_codes or group not in OF_CODES}
    bar = tqdm(
        groups.items(), unit="measure", bar_format="{desc:<26} {percentage:3.0f}%|{bar:30}| {elapsed}<{remaining}"
    )
    for title, group in bar:
        bar.set_description(title)
        attempt(title, group, material, found)
    return found


def information(material: Material, found: Evaluation) -> None:
    """L_I of each code, and of the standardised posterior where the code is continuous."""
    for code in material.read_codes:
        kind = type(code).__name__.lower()
        found.codes[code.name] = {"kind": kind, "entropy": code.entropy, "ceiling": code.ceiling}
        if isinstance(code, Class):  # no image is drawn from it
            continue
        attempt(f"Mutual information of {code.name}", functools.partial(_information_of, code), material, found)


def _information_of(code, material, found):
    bound = mutual_info(material.log_probs[code.name], code.entropy)
    found.add(f"mutual_info/{code.name}", bound, "mutual_info")
    if code.discrete:  # the differential entropy of a continuous code bounds nothing
        found.figures[f"mutual_info_share/{code.name}"] = bound["mutual_info"] / code.entropy
    if isinstance(code, Continuous):
        means = material.posterior[code.name]["mean"]
        bound = standardised_mutual_info(material.values[code.name], means, code.entropy, code.support)
        found.add(f"standardised_mutual_info/{code.name}", bound, "mutual_info")


def classes(material: Material, found: Evaluation) -> None:
    """Every categorical code against the labels, and all of them jointly."""
    labels, codes = material.test_labels, material.categoricals
    if not codes:
        raise NotMeasuredError("the layout has no categorical code")
    by_code = {code.name: material.test_classes(code) for code in codes}
    if len(codes) > 1:
        by_code["all codes"] = clustering.joint_classes(list(by_code.values()))
    for name, code_classes in by_code.items():
        found.figures |= {
            f"{metric}/{name}": v for metric, v in clustering.clustering_scores(code_classes, labels).items()
        }
    if material.labelled:
        first = codes[0].name
        found.figures[f"label_error/{first}"] = float(np.mean(by_code[first] != labels))
        found.notes.append(f"Training was told the labels of {material.labelled:,} images.")
    found.confusion = _confusion(codes[0], by_code[codes[0].name], labels, material.label_names)


def _confusion(code, code_classes, labels, names):
    counts = clustering.confusion(code_classes, labels, code.num_classes, len(names))
    matched = clustering.match(counts)
    # Classes in the order of their labels, so that agreement lies on the diagonal; those without a label come last.
    order = sorted(range(code.num_classes), key=lambda k: (matched[k] < 0, matched[k]))
    own = [int(counts[label, k]) if label >= 0 else 0 for k, label in enumerate(matched)]
    return {
        "code": code.name,
        "labels": names,
        "classes": order,
        "matched": [names[label] if label >= 0 else "" for label in matched],
        "shares": [each / max(1, int(total)) for each, total in zip(own, counts.sum(axis=0), strict=True)],
        "counts": counts[:, order].tolist(),
    }


def number_of_classes(material: Material, found: Evaluation) -> None:
    """How well the classes of a code lie apart, which hold hardly any test images, and which two may be one.

    No label is looked at.
    """
    for code in material.categoricals:
        code_classes = material.test_classes(code)
        attempt(f"Silhouette of {code.name}", functools.partial(_silhouette_of, code), material, found)
        shares = np.bincount(code_classes, minlength=code.num_classes) / len(code_classes)
        expected = np.exp(code.log_prior)
        empty = [k for k in range(code.num_classes) if shares[k] < LEAST_OF_PRIOR * expected[k]]
        overlaps = class_overlaps(material.trunk_features, code_classes, code.num_classes)
        doubles = [(i, k) for k in range(code.num_classes) for i in range(k) if overlaps[i, k] > MOST_OVERLAP]
        facts = [f"class {k} has {shares[k]:.1%} of the test images, of {expected[k]:.1%} drawn" for k in empty]
        facts += [f"classes {i} and {k} may be one (overlap {overlaps[i, k]:.2f} of 1)" for i, k in doubles]
        if facts:
            found.notes.append(f"{code.name} may have too many classes: {'; '.join(facts)}.")


def _silhouette_of(code, material, found):
    found.figures[f"silhouette/{code.name}"] = clustering.silhouette(
        material.trunk_features, material.test_classes(code)
    )


def k_means(material: Material, found: Evaluation) -> None:
    """k-means on the trunk's features of the test images, as many clusters as labels: a second opinion."""
    labels = material.test_labels
    features = material.trunk_features
    if len(features) < len(material.label_names):
        raise NotMeasuredError(f"{len(features):,} test images are fewer than the labels")
    require_finite("features", features)
    clusters = KMeans(len(material.label_names), n_init=3, random_state=0).fit_predict(features)
    scores = clustering.clustering_scores(clusters, labels)
    found.figures |= {f"{metric}/k-means": value for metric, value in scores.items()}


def association(material: Material, found: Evaluation) -> None:
    """What is known of real images that goes best with each code, and with each class of one.

    Chosen on training images, measured on test images; nothing where nothing is known.
    """
    names, data = material.known_names, material.data
    if not names:
        return
    known = material.training_truths, material.test_truths
    posteriors = material.model.encode(material.training_sample), material.test_posterior
    train, test = (
        roc_areas(_table(read), truths, LEAST_IMAGES) for read, truths in zip(posteriors, known, strict=True)
    )
    columns = {code: _columns(code) for code in material.read_codes}
    found.associations = {
        "names": names,
        "columns": [name for code in material.read_codes for name in columns[code]],
        "train_auc": _rounded(train),
        "auc": _rounded(test),
    }
    matches = iter(best_attributes(names, train, test))
    for code in material.read_codes:
        facts = found.codes[code.name]
        facts["goes_with"] = [next(matches) for _ in columns[code]]
        if best := _best(facts["goes_with"])[1]:
            found.figures[f"attribute_auc/{code.name}"] = best["auc"]
    found.notes += [*data.notes, _association_note(*known)]


def noise_association(material: Material, found: Evaluation) -> None:
    """How well z tells what is known of real images, along the direction of each attribute or label.

    Directions are those of training images, on which the best told is chosen as well; it is measured on test images.
    Nothing of a model that reads no noise, nor where nothing is known.
    """
    if material.model.READS != "noise" or not material.known_names:
        return
    names = list(material.directions)
    if not names:
        raise NotMeasuredError(f"no attribute is known that {LEAST_IMAGES} training images have and as many have not")
    columns = [material.known_names.index(name) for name in names]
    directions = np.stack(list(material.directions.values()))
    known = material.training_truths, material.test_truths
    read = material.training_noise, material.test_posterior["noise"]["mean"]
    train, test = (
        roc_areas(z @ directions.T, truths[:, columns], LEAST_IMAGES).diagonal()[:, np.newaxis]
        for z, truths in zip(read, known, strict=True)
    )
    found.associations = {"names": names, "columns": ["z"], "train_auc": _rounded(train), "auc": _rounded(test)}
    if best := best_attributes(names, train, test)[0]:
        found.figures["attribute_auc/z"] = best["auc"]
    found.notes += [*material.data.notes, _association_note(*known)]


def _association_note(train, test):
    return (
        f"Attributes: chosen on {len(train):,} training images, AUC on {len(test):,} others; each of {LEAST_IMAGES} "
        "images or more that have it, and as many that have not."
    )


def _by_code(posterior):
    """What Q says of images as numbers, by code: its mean or probability, [N, 1], or that of each class, [N, K]."""
    columns = {
        name: parts.get("mean", parts.get("probability", parts.get("probabilities")))
        for name, parts in posterior.items()
    }
    return {name: column.reshape(len(column), -1) for name, column in columns.items()}


def _table(posterior):
    """The same of all codes, side by side: [N, M]."""
    return np.concatenate(list(_by_code(posterior).values()), axis=1)


def _columns(code):
    """The names of a code's columns in that table."""
    return [f"{code.name}={k}" for k in range(code.num_classes)] if isinstance(code, Categorical) else [code.name]


def _rounded(areas):
    return [[None if np.isnan(area) else round(float(area), 4) for area in row] for row in areas]


def _best(matches):
    """The place and the match of a code's columns that is best on training images; (0, None) where there is none."""
    return max(enumerate(matches), key=lambda each: each[1]["train_auc"] if each[1] else 0.0, default=(0, None))


def effects(material: Material, found: Evaluation) -> None:
    """What each code does, in words: by what is known of real images, or by what it changes in drawn ones.

    This is measured by rank correlations with visible attributes within each class of c1.
    """
    first = material.layout.first_categorical
    groups = np.zeros(len(material.images), np.int64) if first is None else material.values[first.name]
    measured = attributes(material.images, material.ground)
    for code in material.read_codes:
        facts, of_classes = found.codes[code.name], code in material.categoricals
        if of_classes:
            facts["classes"] = _class_names(code, found)
        else:
            facts["correlations"] = rank_correlations(material.values[code.name], measured, groups)
        # Labels by themselves name classes, and not codes.
        known = _known_as(facts.get("goes_with", ()), of_classes) if material.data.attribute_names else ""
        bound = found.figures.get(f"mutual_info/{code.name}")
        if isinstance(code, Class):
            facts["does"] = _class_words(code, material, found)
        elif bound is None:
            facts["does"] = "unknown: its L_I was not measured"
        elif code.is_dead(bound):
            facts["does"] = "dead: Q reads nothing of it"
        else:
            own = _class_words(code, material, found) if of_classes else _in_words(facts["correlations"])
            facts["does"] = known or own


def _class_words(code, material, found):
    """What a code of classes does, in words: where the labels are known, whether it tells these."""
    accuracy = found.figures.get(f"accuracy/{code.name}")
    if accuracy is None:
        return "classes"
    # A code that puts all images into one class is right of those with the commonest label.
    commonest = np.bincount(material.test_labels).max() / len(material.test_labels)
    tells = accuracy > max(LEAST_SHARE, commonest + LEAST_GAIN)
    return "the class of the image" if tells else "classes, which are not those of the labels"


def _class_names(code, found):
    """What each class is called: the label that most of it has, or the attribute that goes with it, or nothing."""
    if found.confusion.get("code") == code.name:
        # Matching gives every class a label, also one that few of its images have.
        counts = np.sum(found.confusion["counts"], axis=1)
        usual = dict(zip(found.confusion["labels"], counts / counts.sum(), strict=True)) | {"": 0.0}
        pairs = zip(found.confusion["matched"], found.confusion["shares"], strict=True)
        return [label if share > max(LEAST_SHARE, usual[label] + LEAST_GAIN) else "" for label, share in pairs]
    matches = found.codes[code.name].get("goes_with", [None] * code.num_classes)
    return [match["name"] if match and match["auc"] >= LEAST_AUC else "" for match in matches]


def _known_as(matches, of_classes):
    """The attribute that goes best with a code, or with one of its classes; empty where none does."""
    place, match = _best(matches)
    if not match or match["auc"] < LEAST_AUC:
        return ""
    return f"{match['name']}{f' (class {place})' if of_classes else ''}, AUC {match['auc']:.2f}"


def _in_words(correlations):
    attribute, rho = strongest(correlations)
    if abs(rho) < LEAST_RHO:
        return f"nothing that is measured here (most: {attribute}, rho = {rho:.2f})"
    return f"{attribute}, rho = {rho:.2f}"


def disentanglement(material: Material, found: Evaluation) -> None:
    """Codes against the true factors, a categorical one as one variable; nothing where the data set has none."""
    factors = material.data.factors
    if factors is None:
        return
    codes = _by_code(material.model.encode(factors.images))
    table, widths = np.concatenate(list(codes.values()), axis=1), [columns.shape[1] for columns in codes.values()]
    train, test = material.setting.votes
    found.figures |= disentanglement_scores(
        lambda values: table[factors.index_of(values)], factors.sizes, factors.ordered, 0, train, test, widths
    )
    found.perfect |= _perfect_scores(tuple(factors.sizes), tuple(factors.ordered), 0, train, test)
    kinds = [
        ", ".join(name for name, ordered in zip(factors.names, factors.ordered, strict=True) if ordered == wanted)
        for wanted in (True, False)
    ]
    in_order, others = (each or "none" for each in kinds)
    found.notes.append(
        f"Disentanglement: {train:,} training and {test:,} evaluation draws of factors. Ordered are {in_order}; "
        f"without an order: {others}. A perfect encoder has a code for each: a number, or the values as classes."
    )
    several = ", ".join(name for name, columns in codes.items() if columns.shape[1] > 1)
    if several:
        found.notes.append(
            f"Disentanglement: of {several} MIG, SAP, modularity, DCI and FactorVAE's measure take all classes as one "
            "variable. The published protocol takes the probability of each class as a code by itself, so that even a "
            "perfect code of classes scores less there; figures of codes that are numbers compare with published ones."
        )


# The same for all runs on a data set.
_perfect_scores = functools.cache(perfect_scores)


def sample_quality(material: Material, found: Evaluation) -> None:
    """What is measured on the features of a stated network: the data set's own."""
    measure_samples(material.features, found)


def likelihood_bound(material: Material, found: Evaluation) -> None:
    """The bound of a VAE on the log-likelihood of test images, and its parts; nothing of a model without an encoder."""
    if material.model.READS != "noise":
        return
    images, labels = material.test_images, material.data.test.labels
    parts = []
    for start in range(0, len(images), BLOCK):
        rows = slice(start, start + BLOCK)
        batch = (images[rows], None if labels is None else labels[rows])
        parts.append(np.stack(material.model.bounds(batch, fold_in(material.model.stream_seed("measure"), start))))
    reconstruction, kl = np.concatenate(parts, axis=1).astype(np.float64)
    for name, values in {"elbo": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}.items():
        found.figures[name] = float(values.mean())
        found.stderrs[name] = float(values.std(ddof=1) / np.sqrt(len(values)))
    found.notes.append(
        f"ELBO: {len(images):,} test images, pixels as probabilities (a Bernoulli likelihood in expectation), one z "
        "drawn for each; of a conditional VAE given the label. It says little of a model that was trained on another "
        "likeness of images than that of their pixels."
    )


def labels_asked_for(material: Material, found: Evaluation) -> None:
    """How often the data set's classifier reads the label that was asked for; nothing of a model that is told none."""
    label = material.layout.told
    if not isinstance(label, Label):
        return
    read = material.features.probabilities
    if read is None:
        raise NotMeasuredError(f"no classifier of the labels of {material.data.name} is to be had")
    asked = material.values[label.name][: len(read)]
    found.figures[f"label_accuracy/{label.name}"] = float(np.mean(read.argmax(axis=1) == asked))


def captions_asked_for(material: Material, found: Evaluation) -> None:
    """How often images have what their captions say, also of combinations never seen; nothing without captions."""
    code, factors = material.layout.told, material.data.factors
    if not isinstance(code, Caption):
        return
    count = min(CAPTIONS, len(material.images))
    unseen = np.random.default_rng(0).choice(np.array(code.language.unseen, np.int32), count)
    noise, _ = material.layout.sample_parts(count, fold_in(material.model.stream_seed("measure"), 1))
    images = {
        "caption_accuracy": (material.values[code.name][:count], material.images[:count]),
        "held_out_accuracy": (unseen, material.model.generate(material.layout.join(noise, {code.name: unseen}))),
    }
    columns = [factors.names.index(spoken.of) for spoken in code.language.spoken]
    for metric, (captions, drawn) in images.items():
        nearest, _ = nearest_neighbours(drawn, factors.images)
        right = right_words(code.language, captions, factors.values()[nearest[:, 0]][:, columns])
        found.figures |= {f"{metric}/{name}": float(values.mean()) for name, values in right.items()}
    found.notes.append(
        f"Captions: {count:,} drawn from the prior, and as many of combinations that training left out, such as "
        f"{code.language.held_out[0]!r}; what a caption does not say is not looked at."
    )


def published_quality(material: Material, found: Evaluation) -> None:
    """The same in the features of published figures; nothing where they are not asked for."""
    if material.published_features is not None:
        measure_samples(material.published_features, found)


def log_likelihood(material: Material, found: Evaluation) -> None:
    """Parzen-window log-likelihood of test images."""
    sample_figures.log_likelihood(material.images, material.test_images, found)


GROUPS: dict[str, Callable[[Material, Evaluation], None]] = {
    "Mutual information": information,
    "Codes against labels": classes,
    "Codes against attributes": association,
    "Noise against attributes": noise_association,
    "Whether classes are too many": number_of_classes,
    "k-means on the trunk": k_means,
    "What each code does": effects,
    "Disentanglement": disentanglement,
    "Sample quality": sample_quality,
    "Labels asked for": labels_asked_for,
    "Captions asked for": captions_asked_for,
    "Bound on the likelihood": likelihood_bound,
    "Published features": published_quality,
    "Log-likelihood": log_likelihood,
}
# What a model that reads no codes has not.
OF_CODES = (information, classes, association, number_of_classes, effects, disentanglement)
