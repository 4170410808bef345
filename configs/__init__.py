"""The recipes of each data set, a file each: RECIPES, by name, each a Config for the model that it names."""
