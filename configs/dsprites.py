"""dSprites, 64x64: shape, scale, orientation, x and y.

Commands: python main.py --dataset=dsprites
          python main.py --dataset=dsprites --recipe=contrastive
"""

from infogan_tf.config.options import Config

RECIPES = {
    # A class for each shape, and a uniform code for each other factor.
    "paper": Config(model="infogan", dataset="dsprites", latents="noise:20,cat:3,uniform:4"),
    # InfoGAN-CR's networks and settings (Lin et al. 2020, arXiv:1906.06034): 28 passes over the images, and contrast in
    # the last tenth of them.
    "contrastive": Config(
        model="infogan",
        dataset="dsprites",
        preset="infogan_cr",
        latents="noise:5,uniform:5",
        lambda_info=0.05,
        contrast_weight=2.0,
        contrast_start=290_304,
        spectral_norm=True,
        g_updates=2,
        steps=322_560,
        batch_size=64,
        d_learning_rate=2e-3,
        g_learning_rate=1e-3,
    ),
}
