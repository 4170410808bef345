"""Measures of what was learnt: arrays in, floats out; nothing here knows the model.

A measure that cannot be taken of what it is given (too few samples, one class only) raises a ValueError that says so in
one line.
"""
