"""TF Serving's gRPC PredictionService, made of the official stubs, answered by running a SavedModel."""

import contextlib
from concurrent import futures

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers Predict alone, for one model."""

    def __init__(self, saved_model, name):
        self.loaded, self.name = tf.saved_model.load(str(saved_model)), name

    def Predict(self, request, context):  # noqa: N802
        spec = request.model_spec
        if spec.name != self.name:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({spec.name})")
        signature = self.loaded.signatures.get(spec.signature_name or "serving_default")
        if signature is None:
            message = f'Serving signature name: "{spec.signature_name}" not found in signature def'
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
        specs = signature.structured_input_signature[1]
        if set(request.inputs) != set(specs):
            message = f"input size does not match signature: {sorted(request.inputs)}, {sorted(specs)}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
        for name, tensor in request.inputs.items():
            if tensor.dtype != specs[name].dtype.as_datatype_enum:
                message = f"{name}: Expects arg to be {specs[name].dtype.name} but another type is provided"
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
        try:
            outputs = signature(**{name: tf.constant(tf.make_ndarray(t)) for name, t in request.inputs.items()})
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        response = predict_pb2.PredictResponse()
        for name, value in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


@contextlib.contextmanager
def serving(saved_model, name="infogan"):
    """Gives the address, HOST:PORT, while the context lasts."""
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(4), options=unlimited)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(saved_model, name), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
