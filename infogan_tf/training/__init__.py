"""Fitting a model: what is written when, what stops a run, and its several starts."""
