"""Measures of a trained model: arrays in, numbers out. Nothing here depends on a model or a network."""
