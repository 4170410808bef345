"""Runs requests to a SavedModel through TensorFlow's C++ session loader, as TF Serving does.

python cpp_loader.py SAVED_MODEL REQUESTS.json ANSWERS.json

A request has "inputs", an array for every tensor of the graph that is fed, and "outputs", the tensors that are wanted;
its answer has an array for each of these, or "error". `to_json` and `from_json` say how arrays are written. Python's
TensorFlow is not imported.
"""

import base64
import ctypes
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

TYPES = {"float32": 1, "int32": 3, "object": 7}  # TF_DataType; object is for strings of bytes
NAMES = {number: name for name, number in TYPES.items()}
TSTRING_BYTES = 24


def to_json(array):
    """An array of numbers, or of bytes as objects, for JSON."""
    array = np.asarray(array)
    if array.dtype == object:
        data = [base64.b64encode(value).decode() for value in array.ravel()]
    else:
        data = base64.b64encode(np.ascontiguousarray(array)).decode()
    return {"dtype": array.dtype.name, "shape": array.shape, "data": data}


def from_json(written):
    """The inverse of `to_json`."""
    if written["dtype"] == "object":
        array = np.empty(len(written["data"]), object)
        array[:] = [base64.b64decode(value) for value in written["data"]]
    else:
        array = np.frombuffer(base64.b64decode(written["data"]), written["dtype"])
    return array.reshape(written["shape"])


class Output(ctypes.Structure):
    """TF_Output of the C API."""

    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


def load_library():
    """TensorFlow's C++ library, which the wheel ships."""
    root = Path(importlib.util.find_spec("tensorflow").submodule_search_locations[0])
    ctypes.CDLL(str(root / "libtensorflow_framework.so.2"), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(root / "libtensorflow_cc.so.2"), mode=ctypes.RTLD_GLOBAL)
    for name in ("TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions", "TF_LoadSessionFromSavedModel",
                 "TF_GraphOperationByName", "TF_AllocateTensor", "TF_TensorData",
                 "TF_StringGetDataPointer"):  # fmt: skip
        getattr(library, name).restype = ctypes.c_void_p
    library.TF_Message.restype = ctypes.c_char_p
    for name in ("TF_TensorByteSize", "TF_StringGetSize"):
        getattr(library, name).restype = ctypes.c_size_t
    library.TF_Dim.restype = ctypes.c_int64
    return library


class Session:
    """A SavedModel that is loaded."""

    def __init__(self, saved_model):
        pointer = ctypes.c_void_p
        self.library = library = load_library()
        self.status, self.graph = pointer(library.TF_NewStatus()), pointer(library.TF_NewGraph())
        options, tags = pointer(library.TF_NewSessionOptions()), (ctypes.c_char_p * 1)(b"serve")
        self.session = pointer(
            library.TF_LoadSessionFromSavedModel(
                options, None, saved_model.encode(), tags, 1, self.graph, None, self.status
            )
        )
        if self.error():
            sys.exit(self.error())

    def error(self):
        """What went wrong in the last call, or an empty text."""
        return self.library.TF_Message(self.status).decode() if self.library.TF_GetCode(self.status) else ""

    def run(self, inputs, outputs):
        """The answer to one request."""
        feeds = (Output * len(inputs))(*map(self._output, inputs))
        tensors = (ctypes.c_void_p * len(inputs))(*map(self._tensor, inputs.values()))
        fetches, results = (Output * len(outputs))(*map(self._output, outputs)), (ctypes.c_void_p * len(outputs))()
        self.library.TF_SessionRun(
            self.session, None, feeds, tensors, len(inputs), fetches, results, len(outputs), None, 0, None, self.status
        )
        if self.error():
            return {"error": self.error()}
        arrays = (self._array(ctypes.c_void_p(result)) for result in results)
        return {name: to_json(array) for name, array in zip(outputs, arrays, strict=True)}

    def _output(self, name):
        operation, _, index = name.partition(":")
        return Output(self.library.TF_GraphOperationByName(self.graph, operation.encode()), int(index))

    def _tensor(self, array):
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        strings = array.dtype == object
        size = TSTRING_BYTES * array.size if strings else array.nbytes
        tensor = self.library.TF_AllocateTensor(TYPES[array.dtype.name], shape, array.ndim, ctypes.c_size_t(size))
        start = self.library.TF_TensorData(ctypes.c_void_p(tensor))
        if not strings:
            ctypes.memmove(start, np.ascontiguousarray(array).ctypes.data, array.nbytes)
            return tensor
        for i, value in enumerate(array.ravel()):
            place = ctypes.c_void_p(start + i * TSTRING_BYTES)
            self.library.TF_StringInit(place)
            self.library.TF_StringCopy(place, value, ctypes.c_size_t(len(value)))
        return tensor

    def _array(self, tensor):
        shape = [self.library.TF_Dim(tensor, i) for i in range(self.library.TF_NumDims(tensor))]
        dtype, start = NAMES[self.library.TF_TensorType(tensor)], self.library.TF_TensorData(tensor)
        if dtype != "object":
            return np.frombuffer(
                ctypes.string_at(start, self.library.TF_TensorByteSize(tensor)), np.dtype(dtype)
            ).reshape(shape)
        array = np.empty(int(np.prod(shape)), object)
        for i in range(array.size):
            place = ctypes.c_void_p(start + i * TSTRING_BYTES)
            size = self.library.TF_StringGetSize(place)
            array[i] = ctypes.string_at(self.library.TF_StringGetDataPointer(place), size)
        return array.reshape(shape)


def main(saved_model, requests_file, answers_file):
    """Loads, and answers one request after another."""
    session, answers = Session(saved_model), []
    for request in json.loads(Path(requests_file).read_text()):
        inputs = {name: from_json(written) for name, written in request["inputs"].items()}
        answers.append(session.run(inputs, request["outputs"]))
    Path(answers_file).write_text(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
