"""The recipes of each data set, a file each: RECIPES, by name, each a Config for the model that it names.

Or a function from the number of steps, None for the recipe's own, to one: where a recipe's schedule goes by its length.

`images.py` has those of images of one's own, and gathers them from the files whose data has to lie in a folder.
"""
