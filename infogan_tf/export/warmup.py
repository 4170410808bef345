"""Warm-up requests, which TensorFlow Serving sends itself before it reports a version as available.

The first request to each signature takes many times as long as the next ones. The server reads a TFRecord file of
PredictionLog messages (https://www.tensorflow.org/tfx/serving/saved_model_warmup). Their definitions come with the
package tensorflow-serving-api, which nothing else here needs; so the few fields used are encoded here.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from infogan_tf.export.signatures import varied_codes
from infogan_tf.models.base import GenerativeModel

FILE = "tf_serving_warmup_requests"
ROWS = 4


def warmup_requests(model: GenerativeModel) -> list[tuple[str, dict[str, np.ndarray | bytes | str]]]:
    """Returns requests as (signature, inputs by name): one for each signature, for `traverse` one for each code."""
    layout, image_shape = model.layout, model.image_shape
    noise, values = layout.sample_parts(ROWS, tf.constant([0, 0]))
    codes = {name: layout[name].written(value).numpy() for name, value in values.items()}
    latents = {"noise": noise.numpy()} | codes
    images = np.zeros((ROWS, *image_shape), np.float32)
    files = np.array([tf.io.encode_png(image.astype(np.uint8)).numpy() for image in images], object)
    drawn = {code.name: np.zeros(0, code.written_dtype.as_numpy_dtype) for code in layout.codes}
    line = {"low": np.float32(-2), "high": np.float32(2), "steps": np.int32(10), "rows": np.int32(1)}
    seed = {"seed": np.int32(0)}
    return [
        ("serving_default", latents),
        ("generate", latents),
        ("generate_png", latents),
        ("sample", {"count": np.int32(ROWS), **seed, **drawn}),
        *(("traverse", {"code": code.name, **line, **seed}) for code in varied_codes(layout)),
        *([("encode", {"images": images}), ("encode_png", {"image_bytes": files})] if model.READS else []),
        *([("reconstruct", {"images": images} | codes)] if model.READS == "noise" else []),
        ("describe", {"what": "metadata"}),
    ]


def write_warmup(path: Path, model: GenerativeModel) -> None:
    """Writes the warm-up requests of a model to the TFRecord file `path`."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in warmup_requests(model):
            writer.write(prediction_log(signature, inputs))


def prediction_log(signature: str, inputs: Mapping[str, object]) -> bytes:
    """Encodes a request as a PredictionLog message.

    Args:
        signature: Name of the signature.
        inputs: Inputs by name, as `tf.make_tensor_proto` takes them.
    """
    model_spec = _field(1, b"infogan") + _field(3, signature.encode())  # name, signature_name
    request = _field(1, model_spec)
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(2, _field(1, name.encode()) + _field(2, tensor))  # an entry of the map of inputs
    return _field(6, _field(1, request))  # predict_log: its request


def _field(number: int, content: bytes) -> bytes:
    """Encodes a field of bytes, text or a message in the wire format of protocol buffers."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    groups = []
    while True:
        value, group = value >> 7, value & 0x7F
        groups.append(group | 0x80 if value else group)
        if not value:
            return bytes(groups)
