"""Images of one's own: a folder, a .zip, an .npy or an .npz, of any kind, grey or in colour.

Command: infogan --dataset=~/photos
"""

from infogan_tf.config.options import Config

# The paper's settings, with the slow start of lambda and the averages of the weights that MNIST's recipes have.
RECIPES = {
    "paper": Config(
        model="infogan", dataset="images", steps=5_000, batch_size=64, lambda_warmup=2_000, average_decay=0.999
    ),
}
