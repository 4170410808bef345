"""3D Shapes, 64x64 in colour: hue of floor, wall and object, scale, shape and orientation.

Command: python main.py --dataset=shapes3d
"""

from infogan_tf.config.options import Config

# A class for each shape, and a uniform code for each other factor.
RECIPES = {"paper": Config(model="infogan", dataset="shapes3d", latents="noise:20,cat:4,uniform:5")}
