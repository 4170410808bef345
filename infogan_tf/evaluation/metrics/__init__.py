"""Measures of a trained model: arrays in, numbers out. Nothing here depends on a model or a network.

What cannot be measured raises a ValueError in one line. It is a NotMeasuredError where data or a model can bring it
about, as with too few images or numbers that are not finite; shapes, types and lengths are the caller's.
"""

# The balls of precision, recall, density and coverage reach to this neighbour. It lies here for those who name it only:
# the measures take NumPy, for which --help does not wait.
NEIGHBOUR = 5
