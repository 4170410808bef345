"""Inception as it was in 2015, as TensorFlow's own frozen graph: the network of published FIDs and Inception scores."""

import gzip
import io
import tarfile
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from infogan_tf.data.cache import cache_folder
from infogan_tf.environment.internet import fetch
from infogan_tf.errors import NotMeasuredError, first_line
from infogan_tf.evaluation.feature_networks.network import FeatureNetwork
from infogan_tf.files import whole_file

URL = "https://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"
FILE = "classify_image_graph_def.pb"
NAME = "Inception of 2015 (TensorFlow's frozen graph), the network of published figures"
# It is given up after so long, be the file half there: an evaluation is not to wait for a slow line.
SECONDS = 10.0
# The archive has 89 MB, its files 97 MB.
MOST_BYTES, MOST_UNPACKED = 100_000_000, 128_000_000
# The graph's own names: images [N, H, W, 3] from 0 to 255, pooled features [N, 1, 1, 2048], and the product with the
# weights of the 1,008 classes.
INPUT, FEATURES, CLASSES = "ExpandDims", "pool_3", "softmax/logits/MatMul"
# Operations that TensorFlow calls stateful without their doing anything.
HARMLESS = ("CheckNumerics",)

_not_to_be_had: dict[str, str] = {}


def inception_features(cache_dir: str | Path | None = None) -> FeatureNetwork:
    """Returns the network in whose features FIDs are published; it is fetched into the cache where it is not there.

    Its features are the last pooling layer, [N, 2048], of images in colour, or grey in all three channels, of 256
    levels, which the graph itself enlarges to 299x299. Its class probabilities are those of 1,008 classes, without the
    last layer's bias, as published Inception scores have it: the graph's own softmax reads one image at a time, and the
    code of Salimans et al. 2016 put the product with the weights alone in its place.

    Nothing that the file holds is run but operations without side effects. A fetch that failed is not tried again by
    this process.

    Args:
        cache_dir: Folder of the cache, or None for the default; the file there is FILE.

    Raises:
        NotMeasuredError: Where it is not in the cache and cannot be fetched, or is no such graph.
    """
    path = cache_folder(cache_dir) / FILE
    if not path.is_file():
        _fetch_once(path)
    try:
        read = _reader(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotMeasuredError(
            f"{path}: expected the graph of Inception of 2015. Received: {first_line(error)}. Delete it, and it is "
            "fetched"
        ) from error
    return FeatureNetwork(NAME, read, batch_size=50)


def _fetch_once(path: Path) -> None:
    if URL not in _not_to_be_had:
        try:
            _fetch(path)
            return
        except (OSError, ValueError, EOFError, zlib.error, tarfile.TarError) as error:
            _not_to_be_had[URL] = first_line(error)
    raise NotMeasuredError(
        f"no Inception in {path}, and it could not be fetched ({_not_to_be_had[URL]}). To put it there: "
        f"curl -L {URL} | tar -xz -C {path.parent} {FILE}"
    )


def _fetch(path: Path) -> None:
    """Writes the graph to `path` once it is known to be one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    archive = path.with_name(URL.rsplit("/", 1)[-1])
    try:
        fetch(URL, archive, "Fetching Inception, once", MOST_BYTES, SECONDS)
        content = _unpacked(archive)
    finally:
        archive.unlink(missing_ok=True)
    _reader(content)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _unpacked(archive: Path) -> bytes:
    """The graph in the archive; of one that unpacks to more than it may, no more than that is unpacked."""
    with gzip.open(archive) as file:
        content = file.read(MOST_UNPACKED + 1)
    if len(content) > MOST_UNPACKED:
        raise ValueError(f"it unpacks to more than {MOST_UNPACKED / 1e6:,.0f} MB")
    with tarfile.open(fileobj=io.BytesIO(content)) as files:
        found = next((member for member in files if member.isfile() and Path(member.name).name == FILE), None)
        if found is None:
            raise ValueError(f"it has no {FILE}")
        return files.extractfile(found).read()


def _reader(content: bytes):
    """Returns the function from images to features and class probabilities; raises a ValueError for another graph."""
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(content)
    except DecodeError as error:
        raise ValueError("no TensorFlow graph") from error
    nodes = {node.name: node for node in graph.node}
    missing = [name for name in (INPUT, FEATURES, CLASSES) if name not in nodes]
    if missing or len(nodes[CLASSES].input) < 2:
        raise ValueError(f"a graph without {', '.join(missing) or 'weights of the classes'}")
    weights = nodes[CLASSES].input[1].split(":")[0]
    # What decodes a file and comes before the input is cut off, and so is what follows the features.
    nodes[INPUT].CopyFrom(tf.compat.v1.NodeDef(name=INPUT, op="Placeholder"))
    nodes[INPUT].attr["dtype"].type = tf.float32.as_datatype_enum
    pruned = tf.compat.v1.GraphDef(versions=graph.versions, node=_needed(nodes, [INPUT, FEATURES, weights]))
    whole = tf.Graph()
    with whole.as_default():
        images = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3])
        names = [f"{FEATURES}:0", f"{weights}:0"]
        pooled, of_classes = tf.graph_util.import_graph_def(pruned, {f"{INPUT}:0": images}, names, name="")
        for operation in whole.get_operations():
            if operation.op_def.is_stateful and operation.type not in HARMLESS:
                raise ValueError(f"a graph with {operation.type}, which does more than to compute")
        features = tf.reshape(pooled, [-1, of_classes.shape[0]])
        probabilities = tf.nn.softmax(tf.matmul(features, of_classes))
    # A session, because a graph of that age has an operation that functions of today's TensorFlow refuse.
    session = tf.compat.v1.Session(graph=whole)

    def read(batch):
        colour = np.repeat(batch, 3 // batch.shape[-1], axis=-1)
        return session.run([features, probabilities], {images: np.round(255.0 * colour)})

    return read


def _needed(nodes, names):
    """The nodes of these names and all that they depend on, in the graph's order."""
    needed, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            if name not in nodes:
                raise ValueError(f"a graph without {name}")
            needed.add(name)
            waiting += [source.lstrip("^").split(":")[0] for source in nodes[name].input]
    return [node for name, node in nodes.items() if name in needed]
