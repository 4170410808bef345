"""Measures of what was learnt: arrays in, floats out; nothing here knows the model."""
