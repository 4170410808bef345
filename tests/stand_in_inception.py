"""A small graph with the tensor names, the operations and the age of Inception's of 2015, and its archive."""

import io
import tarfile

import numpy as np
import tensorflow as tf

FILE = "classify_image_graph_def.pb"
FEATURES, CLASSES = 12, 7


def weights():
    """The numbers in the graph: filters, gamma, beta, mean and variance, and those of the classes."""
    rng = np.random.default_rng(0)
    return {
        "conv": rng.normal(size=(3, 3, 3, FEATURES)),
        "gamma": rng.uniform(0.5, 1.5, FEATURES),
        "beta": rng.normal(size=FEATURES),
        "mean": rng.normal(size=FEATURES),
        "variance": rng.uniform(0.5, 1.5, FEATURES),
        "softmax/weights": rng.normal(size=(FEATURES, CLASSES)),
        "softmax/biases": 5.0 * rng.normal(size=CLASSES),
    }


def graph():
    """The graph: a file is decoded, enlarged, brought to [-1, 1), convolved and pooled; its softmax reads one image."""
    found = tf.compat.v1.GraphDef()
    # Of a time when BatchNormWithGlobalNormalization was no mistake.
    found.versions.producer = 8

    def add(op, name, *inputs, **attributes):
        node = found.node.add(op=op, name=name, input=inputs)
        for key, value in attributes.items():
            if isinstance(value, tf.DType):
                node.attr[key].type = value.as_datatype_enum
            elif isinstance(value, np.ndarray):
                node.attr[key].tensor.CopyFrom(tf.make_tensor_proto(value))
            elif isinstance(value, list):
                node.attr[key].list.i.extend(value)
            elif isinstance(value, bool):
                node.attr[key].b = value
            elif isinstance(value, int):
                node.attr[key].i = value
            elif isinstance(value, float):
                node.attr[key].f = value
            else:
                node.attr[key].s = value.encode()

    def constant(name, value):
        value = np.asarray(value)
        value = value.astype(np.int32 if value.dtype.kind == "i" else np.float32)
        add("Const", name, dtype=tf.as_dtype(value.dtype), value=value)

    picture = np.array(tf.io.encode_jpeg(np.zeros((4, 4, 3), np.uint8)).numpy(), object)
    add("Const", "DecodeJpeg/contents", dtype=tf.string, value=picture)
    add("DecodeJpeg", "DecodeJpeg", "DecodeJpeg/contents", channels=3)
    add("Cast", "Cast", "DecodeJpeg", SrcT=tf.uint8, DstT=tf.float32)
    constant("ExpandDims/dim", 0)
    add("ExpandDims", "ExpandDims", "Cast", "ExpandDims/dim", T=tf.float32)
    constant("ResizeBilinear/size", [19, 19])
    add("ResizeBilinear", "ResizeBilinear", "ExpandDims", "ResizeBilinear/size", T=tf.float32, align_corners=False)
    constant("Sub/y", 128.0)
    add("Sub", "Sub", "ResizeBilinear", "Sub/y", T=tf.float32)
    constant("Mul/y", 1 / 128.0)
    add("Mul", "Mul", "Sub", "Mul/y", T=tf.float32)
    for name, value in weights().items():
        constant(f"{name}/value", value)
    strides = {"strides": [1, 2, 2, 1], "padding": "VALID"}
    add("Conv2D", "conv/Conv2D", "Mul", "conv/value", T=tf.float32, **strides)
    statistics = [f"{name}/value" for name in ("mean", "variance", "beta", "gamma")]
    add(
        "BatchNormWithGlobalNormalization", "conv/batchnorm", "conv/Conv2D", *statistics,
        T=tf.float32, variance_epsilon=0.001, scale_after_normalization=True,
    )  # fmt: skip
    add("CheckNumerics", "conv/CheckNumerics", "conv/batchnorm", T=tf.float32, message="in conv")
    add("Identity", "conv/control_dependency", "conv/batchnorm", "^conv/CheckNumerics", T=tf.float32)
    add("Relu", "conv", "conv/control_dependency", T=tf.float32)
    add("AvgPool", "pool_3", "conv", T=tf.float32, ksize=[1, 9, 9, 1], strides=[1, 1, 1, 1], padding="VALID")
    constant("pool_3/_reshape/shape", [1, FEATURES])
    add("Reshape", "pool_3/_reshape", "pool_3", "pool_3/_reshape/shape", T=tf.float32)
    add("MatMul", "softmax/logits/MatMul", "pool_3/_reshape", "softmax/weights/value", T=tf.float32)
    add("BiasAdd", "softmax/logits", "softmax/logits/MatMul", "softmax/biases/value", T=tf.float32)
    add("Softmax", "softmax", "softmax/logits", T=tf.float32)
    return found


def archive(content=None, name=FILE):
    """The bytes of a .tgz with a file of that name, and one before it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        for member, data in (("LICENSE", b"Apache"), (name, content or graph().SerializeToString())):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            files.addfile(info, io.BytesIO(data))
    return packed.getvalue()
