"""The networks of the InfoGAN paper's data sets (appendix C), and of one that follows it; `paper.py` builds them.

Reading this imports no TensorFlow. To add one, write a row of PRESETS.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A convolution of the trunk, or a transposed one of G, and its rectifier.

    Attributes:
        filters: How many.
        stride: 1, or 2, which halves height and width, or doubles them in G.
        norm: Whether batch norm comes between the two.
    """

    filters: int
    stride: int = 2
    norm: bool = True


@dataclasses.dataclass(frozen=True)
class Preset:
    """A row of PRESETS.

    Attributes:
        about: What it is, for --help.
        trunk: The convolutions that D and Q share.
        start: How many filters the small image has that G's dense layers make.
        up: G's transposed convolutions, but for the last, which makes the images.
        last_stride: The last one's.
        dense: Units of a dense layer after the trunk's convolutions, and of one at G's beginning; 0 for neither. The
            trunk's has batch norm where its last convolution has it.
        q_units: Units of Q's hidden layer; 0 for a Q of one layer.
        g_leak: Slope of G's rectifiers for negative inputs.
    """

    about: str
    trunk: tuple[Convolution, ...]
    start: int
    up: tuple[Convolution, ...]
    last_stride: int = 2
    dense: int = 1024
    q_units: int = 128
    g_leak: float = 0.0


_MNIST = Preset("28x28", (Convolution(64, norm=False), Convolution(128)), 128, (Convolution(64),))
_SVHN = Preset(
    "32x32 in colour",
    (Convolution(64, norm=False), Convolution(128), Convolution(256)),
    448,
    (Convolution(256), Convolution(128, norm=False), Convolution(64, norm=False)),
    dense=0,
)

# The largest side of images for which a preset with a dense layer is made: that grows with it.
MOST_WITH_DENSE = 64

PRESETS = {
    "mnist": _MNIST,
    "svhn": _SVHN,
    "celeb_a": _SVHN,
    "faces": dataclasses.replace(_MNIST, about="32x32", q_units=0),
    # As printed, G's strides make images of 32x32 and not of 64x64; its second layer of 256 has stride 2 here.
    "chairs": Preset(
        "64x64",
        (Convolution(64, norm=False), Convolution(128), Convolution(256), Convolution(256, 1), Convolution(256, 1)),
        256,
        (Convolution(256, 1), Convolution(256), Convolution(128), Convolution(64)),
        last_stride=1,
    ),
    # InfoGAN-CR (arXiv:1906.06034) on dSprites; D's layers have spectral norm there, --spectral_norm, and G learns
    # faster than D. Its Q is that of its networks for CelebA, one layer on D's last features.
    "infogan_cr": Preset(
        "64x64, InfoGAN-CR's",
        tuple(Convolution(filters, norm=False) for filters in (32, 32, 64, 64)),
        64,
        tuple(Convolution(filters) for filters in (64, 32, 32)),
        dense=128,
        q_units=0,
        g_leak=0.2,
    ),
}
