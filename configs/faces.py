"""Grey faces, 32x32, as those of the paper's 3D faces (appendix C.4), which are drawn from a model that is not free.

They lie in a folder of one's own; `images.py` lists these recipes.

Commands: infogan --dataset=~/faces --recipe=faces
          infogan --dataset=~/faces --recipe=faces_elevation
          infogan --dataset=~/faces --recipe=faces_lighting
"""

import dataclasses

from infogan_tf.config.options import Config

# Five continuous codes. The paper has other rates and weights for each meaning that it shows; these are for azimuth.
AZIMUTH = Config(
    model="infogan",
    dataset="images",
    preset="faces",
    latents="noise:128,uniform:5",
    lambda_info=0.2,
    d_learning_rate=2e-4,
    g_learning_rate=5e-4,
    image_size="32",
    channels="1",
)

RECIPES = {
    "faces": AZIMUTH,
    "faces_elevation": dataclasses.replace(AZIMUTH, lambda_info=0.1, d_learning_rate=4e-4, g_learning_rate=3e-4),
    "faces_lighting": dataclasses.replace(AZIMUTH, lambda_info=0.1, d_learning_rate=8e-4, g_learning_rate=3e-4),
}
