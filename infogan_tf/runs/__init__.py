"""A run on disk: where things lie in its folder, its checkpoints, its metrics."""
