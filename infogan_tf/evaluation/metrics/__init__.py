"""Measures of a trained model: arrays in, numbers out. They know no model and no network."""
