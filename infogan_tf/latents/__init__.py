"""The generator's input: incompressible noise and latent codes, and what to draw to show what a code does."""
