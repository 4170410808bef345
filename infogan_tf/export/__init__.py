"""The trained generator and encoder as a SavedModel that TensorFlow Serving, or TensorFlow alone, can run."""

from infogan_tf.export.saved_model import export_saved_model

__all__ = ["export_saved_model"]
