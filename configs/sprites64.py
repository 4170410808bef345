"""The sprites made here, 64x64, the pictures of configs/sprites.py in dSprites' size.

Command: python main.py --dataset=sprites64
"""

from infogan_tf.config.options import Config

# As for the smaller sprites.
RECIPES = {"paper": Config(model="infogan", dataset="sprites64", latents="noise:20,cat:3,uniform:4")}
