"""What people would use instead: the DCGAN of PyTorch's own example, trained on the same images for a stated time.

python benchmarks/torch_dcgan.py --dataset=celeba64 --image_size=32 --minutes=30 --output=drawn.npy
infogan --mode=evaluate --dataset=celeba64 --image_size=32 --samples=drawn.npy

The networks and settings are those of pytorch/examples, dcgan/main.py: convolutions 4x4 of 64 to 512 filters without
bias, batch norm, LeakyReLU of slope 0.2 in D and ReLU in G, weights from N(0, 0.02), 100 numbers of normal noise,
Adam of step size 2e-4 and beta1 0.5 for both, batches of 128, images in [-1, 1]. That is for 64 pixels, where in colour
G has 3,576,704 weights and D 2,765,568, as there; for 32 both networks have a layer less. Drawn images are written as
bytes, so that the second command measures them as a run's own.
"""

import sys
import time

import numpy as np
from absl import app, flags
from common import define_flags, report

try:
    import torch
    import torch._dynamo  # the optimizer's, early, as in torch_twin.py
except ImportError:
    sys.exit('PyTorch is not installed; pip install -e ".[benchmark]"')
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

FLAGS = flags.FLAGS
define_flags(count=10_000)
flags.DEFINE_string("dataset", "", "A name, or images of one's own, as main.py takes it.")
flags.DEFINE_enum("image_size", "64", ["32", "64"], "Height and width that images of one's own are brought to.")
flags.DEFINE_float("minutes", 30.0, "How long it trains, evaluation and drawing apart.", lower_bound=0.0)
flags.DEFINE_integer("seed", 0, "Of weights, noise and the order of images.")
flags.DEFINE_string("output", "drawn.npy", "Where the drawn images go, uint8 [N, H, W, C].")

BATCH_SIZE = 128
NOISE = 100
FILTERS = 64


def networks(size: int, channels: int):
    """G and D of images [channels, size, size], with the example's initial weights."""
    stages = {32: 3, 64: 4}[size]
    counts = [FILTERS * 2**i for i in range(stages)]
    layers, width = [], NOISE
    for i, count in enumerate(reversed(counts)):
        layers += [nn.ConvTranspose2d(width, count, 4, 2 if i else 1, 1 if i else 0, bias=False)]
        layers += [nn.BatchNorm2d(count), nn.ReLU(True)]
        width = count
    g = nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh())
    layers, width = [], channels
    for i, count in enumerate(counts):
        layers += [nn.Conv2d(width, count, 4, 2, 1, bias=False)]
        layers += [*([nn.BatchNorm2d(count)] if i else []), nn.LeakyReLU(0.2, inplace=True)]
        width = count
    d = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 0, bias=False), nn.Flatten(0))
    for module in [*g, *d]:
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return g, d


def train(images: np.ndarray, seconds: float, seed: int):
    """G after so long, how many steps that was, and the seconds that they took.

    Args:
        images: uint8 [N, H, W, C].
        seconds: How long; at least one step is made.
        seed: Of everything that is drawn.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    g, d = networks(images.shape[1], images.shape[-1])
    optimizers = {net: torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (g, d)}
    started, steps, order = time.perf_counter(), 0, np.empty(0, np.int64)
    while not steps or time.perf_counter() - started < seconds:
        if len(order) < BATCH_SIZE:
            order = rng.permutation(len(images))
        chosen, order = np.sort(order[:BATCH_SIZE]), order[BATCH_SIZE:]
        real = torch.from_numpy(images[chosen].astype(np.float32) / 127.5 - 1.0).permute(0, 3, 1, 2)
        fake = g(torch.randn(len(real), NOISE, 1, 1))
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        d.zero_grad()
        (cross_entropy(d(real), ones) + cross_entropy(d(fake.detach()), zeros)).backward()
        optimizers[d].step()
        g.zero_grad()
        cross_entropy(d(fake), ones).backward()
        optimizers[g].step()
        steps += 1
    return g.eval(), steps, time.perf_counter() - started


def draw(g, count: int) -> np.ndarray:
    """`count` images of G, uint8 [count, H, W, C]."""
    found = []
    with torch.no_grad():
        for start in range(0, count, 500):
            drawn = g(torch.randn(min(500, count - start), NOISE, 1, 1)).permute(0, 2, 3, 1).numpy()
            found.append(np.round(127.5 * (drawn + 1.0)).astype(np.uint8))
    return np.concatenate(found)


def main(_):
    """Trains, draws, and prints how much was done."""
    from infogan_tf.data import LOADERS, load_data
    from infogan_tf.data.sources import is_fixed

    options = {} if is_fixed(FLAGS.dataset, LOADERS) else {"image_size": FLAGS.image_size}
    images = load_data(FLAGS.dataset, **options).train.images
    g, steps, seconds = train(images, 60 * FLAGS.minutes, FLAGS.seed)
    np.save(FLAGS.output, draw(g, FLAGS.count))
    report(
        f"PyTorch {torch.__version__}, {FLAGS.dataset}", [{"steps": steps, "seconds": seconds, "drawn": FLAGS.count}]
    )


if __name__ == "__main__":
    app.run(main)
