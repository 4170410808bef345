"""Runs a SavedModel's serving_default through TensorFlow's C++ session loader, as TF Serving does.

python cpp_loader.py SAVED_MODEL NAMES.json INPUTS.npz IMAGES.npy

NAMES.json gives the graph's tensor name of every input and of the output `images`. Python's TensorFlow is not imported.
"""

import ctypes
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

FLOAT, INT32 = 1, 3  # TF_DataType
TYPES = {"float32": FLOAT, "int32": INT32}


class Output(ctypes.Structure):
    """TF_Output of the C API."""

    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


def load_library():
    """TensorFlow's C++ library, which the wheel ships."""
    root = Path(importlib.util.find_spec("tensorflow").submodule_search_locations[0])
    ctypes.CDLL(str(root / "libtensorflow_framework.so.2"), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(root / "libtensorflow_cc.so.2"), mode=ctypes.RTLD_GLOBAL)
    for name in ("TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions", "TF_LoadSessionFromSavedModel",
                 "TF_GraphOperationByName", "TF_AllocateTensor", "TF_TensorData"):  # fmt: skip
        getattr(library, name).restype = ctypes.c_void_p
    library.TF_Message.restype = ctypes.c_char_p
    library.TF_TensorByteSize.restype = ctypes.c_size_t
    library.TF_Dim.restype = ctypes.c_int64
    return library


def main(saved_model, names_file, inputs_file, images_file):
    """Loads, runs one request, writes the images."""
    names = json.loads(Path(names_file).read_text())
    library = load_library()
    pointer = ctypes.c_void_p
    status, graph = pointer(library.TF_NewStatus()), pointer(library.TF_NewGraph())
    options = pointer(library.TF_NewSessionOptions())

    def check():
        if library.TF_GetCode(status):
            sys.exit(library.TF_Message(status).decode())

    tags = (ctypes.c_char_p * 1)(b"serve")
    session = pointer(
        library.TF_LoadSessionFromSavedModel(options, None, saved_model.encode(), tags, 1, graph, None, status)
    )
    check()

    def output(name):
        operation, _, index = name.partition(":")
        return Output(library.TF_GraphOperationByName(graph, operation.encode()), int(index))

    arrays = dict(np.load(inputs_file))
    tensors = (pointer * len(arrays))()
    for i, array in enumerate(arrays.values()):
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        size = ctypes.c_size_t(array.nbytes)
        tensors[i] = library.TF_AllocateTensor(TYPES[array.dtype.name], shape, array.ndim, size)
        content = np.ascontiguousarray(array)
        ctypes.memmove(library.TF_TensorData(pointer(tensors[i])), content.ctypes.data, array.nbytes)
    feeds = (Output * len(arrays))(*(output(names[name]) for name in arrays))
    fetches = (Output * 1)(output(names["images"]))
    results = (pointer * 1)()
    library.TF_SessionRun(session, None, feeds, tensors, len(arrays), fetches, results, 1, None, 0, None, status)
    check()
    result = pointer(results[0])
    shape = [library.TF_Dim(result, i) for i in range(library.TF_NumDims(result))]
    content = ctypes.string_at(library.TF_TensorData(result), library.TF_TensorByteSize(result))
    np.save(images_file, np.frombuffer(content, np.float32).reshape(shape))


if __name__ == "__main__":
    main(*sys.argv[1:])
