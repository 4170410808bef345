"""A page on localhost where a person moves the codes, and the TF Serving REST API over a SavedModel that it asks."""
