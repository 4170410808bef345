"""dSprites, 64x64: shape, scale, orientation, x and y.

Command: python main.py --dataset=dsprites
"""

from infogan_tf.config.options import Config

# A class for each shape, and a uniform code for each other factor.
RECIPES = {"paper": Config(model="infogan", dataset="dsprites", latents="noise:20,cat:3,uniform:4")}
