"""The sprites made here, 32x32: shape, scale, rotation, x and y.

Command: python main.py --dataset=sprites
"""

from infogan_tf.config import Config

# A class for each shape, and a uniform code for each other factor.
RECIPES = {"paper": Config(dataset="sprites", latents="noise:20,cat:3,uniform:4")}
