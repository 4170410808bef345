"""What a trained model has learnt, in figures: `measure` takes them of a model, `metrics` computes them from arrays.

A measure that its input does not allow (too few samples, only one class) raises a NotMeasuredError, which says so in
one line.
"""
