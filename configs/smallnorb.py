"""Small NORB, 96x96 in grey, made 64x64: toys of five kinds from all sides, in six lights.

Commands: infogan --dataset=smallnorb
          infogan --dataset=smallnorb --recipe=invariant
"""

from infogan_tf.config.options import Config
from infogan_tf.data.facts import ImageFacts

from .invariant import with_real_images

# A class for each kind, and a uniform code each for height, side and light, as far as these can be told apart; networks
# as for images of one's own.
PAPER = Config(
    model="infogan",
    dataset="smallnorb",
    networks="dcgan",
    spectral_norm=True,
    g_learning_rate=2e-4,
    latents="noise:62,cat:5,uniform:3",
    lambda_warmup=2_000,
    image_size="64",
)

RECIPES = {
    "paper": PAPER,
    **with_real_images(PAPER, ImageFacts(count=24_300, height=64, width=64, figures=True, equal=True)),
}
