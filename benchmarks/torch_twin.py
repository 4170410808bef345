"""InfoGANs in PyTorch, as fast as PyTorch's own means make them: what --peer=torch measures.

The same layers, batch, losses, updates and logged figures as ours, and as many random draws: G's images are made once
and serve both updates, D's weights get no gradient in G's update, the optimizer is PyTorch's fused Adam, convolutions
are channels_last, and with bfloat16 the networks run under autocast. Data are bytes in memory, normalised in the step.
The networks are the paper's for MNIST, or those of one's own images, whose D has spectral norm, which in PyTorch
iterates in each pass, and takes real and fake images in one pass, as it has no batch norm.

Its figures are worth something on an idle machine alone: where others use the cores, PyTorch's threads wait for each
other in busy loops, and take many times as long as one thread would.
"""

import math

import torch
import torch._dynamo  # the optimizer's, early: its compiler (triton) crashes where TensorFlow was imported before it
from torch import nn
from torch.nn import functional as F  # noqa: N812, everybody calls it so
from torch.nn.utils.parametrizations import spectral_norm

NOISE, CLASSES, UNIFORMS = 62, 10, 2
MIN_STDDEV = 0.5
LEAK = 0.1


def _paper(side, channels):
    """Generator and trunk of the paper, the number of features, and the D head, for square images."""
    small = side // 4
    generator = nn.Sequential(
        nn.Linear(NOISE + CLASSES + UNIFORMS, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.ReLU(inplace=True),
        nn.Linear(1024, 128 * small * small, bias=False),
        nn.BatchNorm1d(128 * small * small),
        nn.ReLU(inplace=True),
        nn.Unflatten(1, (128, small, small)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(64, channels, 4, 2, 1),
    )
    trunk = nn.Sequential(
        nn.Conv2d(channels, 64, 4, 2, 1),
        nn.LeakyReLU(LEAK, inplace=True),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(LEAK, inplace=True),
        nn.Flatten(),
        nn.Linear(128 * small * small, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.LeakyReLU(LEAK, inplace=True),
    )
    return generator, trunk, 1024, nn.Linear(1024, 1)


def _dcgan(side, channels):
    """The same of images of one's own, as deep as they are large."""
    stages = max(1, side.bit_length() - 3)
    small, filters = side // 2**stages, [64 * min(2**stage, 8) for stage in range(stages)]
    features = filters[-1] * small * small
    up = [
        nn.Linear(NOISE + CLASSES + UNIFORMS, features, bias=False),
        nn.BatchNorm1d(features),
        nn.ReLU(inplace=True),
        nn.Unflatten(1, (filters[-1], small, small)),
    ]
    for more, fewer in zip(filters[:0:-1], filters[-2::-1], strict=True):
        up += [nn.ConvTranspose2d(more, fewer, 4, 2, 1, bias=False), nn.BatchNorm2d(fewer), nn.ReLU(inplace=True)]
    generator = nn.Sequential(*up, nn.ConvTranspose2d(filters[0], channels, 4, 2, 1))
    down = []
    for fewer, more in zip([channels, *filters], filters, strict=False):
        down += [spectral_norm(nn.Conv2d(fewer, more, 4, 2, 1)), nn.LeakyReLU(LEAK, inplace=True)]
    return generator, nn.Sequential(*down, nn.Flatten()), features, spectral_norm(nn.Linear(features, 1))


NETWORKS = {"paper": _paper, "dcgan": _dcgan}


def _q_head(features):
    return nn.Sequential(
        nn.Linear(features, 128, bias=False),
        nn.BatchNorm1d(128),
        nn.LeakyReLU(LEAK, inplace=True),
        nn.Linear(128, CLASSES + 2 * UNIFORMS),
    )


class TorchTwin:
    """Trains on `images`, uint8 [N, H, W, C]; `step` is one update of D and Q, then one of G.

    Args:
        images: The images that real batches are drawn from.
        batch_size: How many images a batch has.
        bfloat16: runs the networks under autocast.
        device: Where all of it is, "cpu" or "cuda".
        networks: One of NETWORKS.
    """

    def __init__(self, images, batch_size: int, bfloat16: bool, device: str = "cpu", networks: str = "paper"):
        self.device = device
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).to(device)
        self.batch_size, self.bfloat16, self.steps = batch_size, bfloat16, 0
        self.generator, self.trunk, features, self.d_head = NETWORKS[networks](*images.shape[2:])
        self.q_head, self.in_one_pass = _q_head(features), networks == "dcgan"
        for network in (self.generator, self.trunk, self.d_head, self.q_head):
            network.to(device)
        for network in (self.generator, self.trunk):
            network.to(memory_format=torch.channels_last)
        kind = {"fused": True, "capturable": device == "cuda"}
        self.g_weights = list(self.generator.parameters())
        self.d_weights = [*self.trunk.parameters(), *self.d_head.parameters(), *self.q_head.parameters()]
        self.g_optimizer = torch.optim.Adam(self.g_weights, 1e-3, betas=(0.5, 0.999), **kind)
        self.d_optimizer = torch.optim.Adam(self.d_weights, 2e-4, betas=(0.5, 0.999), **kind)
        self.figures = {}

    def captured(self):
        """A function that makes a step as PyTorch does it fastest: compiled networks, recorded as one CUDA graph.

        The pass of every tenth step is left out of it, as a graph has no branches.
        """
        self.generator, self.trunk = torch.compile(self.generator), torch.compile(self.trunk)
        self.steps = 1
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # what is compiled and allocated once, apart from what is recorded
            for _ in range(5):
                self.step()
                self.steps = 1
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step()
        return graph.replay

    def autocast(self):
        """Of the networks; heads and losses stay in float32."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.bfloat16)

    def step(self) -> None:
        """One update of trunk, D head and Q head, then one of the generator."""
        indices = torch.randint(len(self.images), (self.batch_size,), device=self.device)
        real = (self.images[indices].float() / 255).to(memory_format=torch.channels_last)
        latents, classes, uniforms = self._draw()
        fake = self._generate(latents)

        if self.in_one_pass:
            real_features, features = self._features(torch.cat([real, fake.detach()])).chunk(2)
        else:
            real_features, features = self._features(real), self._features(fake.detach())
        real_logits, fake_logits = self.d_head(real_features), self.d_head(features)
        d_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
        log_probs = self._log_probs(features, classes, uniforms)
        self._update(self.d_optimizer, self.d_weights, d_loss - sum(value.mean() for value in log_probs))

        features = self._features(fake)
        before = self.d_head(features)
        g_loss = F.softplus(-before).mean()
        g_log_probs = self._log_probs(features, classes, uniforms)
        self._update(self.g_optimizer, self.g_weights, g_loss - sum(value.mean() for value in g_log_probs))

        self._log(
            d_loss=d_loss,
            g_loss=g_loss,
            q_loss=-sum(value.mean() for value in log_probs),
            prob_real=torch.sigmoid(real_logits).mean(),
            prob_fake_before=torch.sigmoid(before).mean(),
            **{f"mutual_info/{i}": value.mean() for i, value in enumerate(log_probs)},
        )
        if self.steps % 10 == 0:
            with torch.no_grad():
                after = self.d_head(self._features(self._generate(latents)))
            self._log(prob_fake_after=torch.sigmoid(after).mean())
        self.steps += 1

    @torch.inference_mode()
    def infer(self, noise, classes, uniforms) -> torch.Tensor:
        """Images of given noise and codes, for which the generator has to be in its `eval()` mode."""
        return self._generate(self._join(noise, classes, uniforms))

    def _draw(self):
        noise = torch.rand(self.batch_size, NOISE, device=self.device) * 2 - 1
        classes = torch.randint(CLASSES, (self.batch_size,), device=self.device)
        uniforms = torch.rand(self.batch_size, UNIFORMS, device=self.device) * 2 - 1
        return self._join(noise, classes, uniforms), classes, uniforms

    @staticmethod
    def _join(noise, classes, uniforms):
        return torch.cat([noise, F.one_hot(classes, CLASSES).float(), uniforms], dim=1)

    def _generate(self, latents):
        with self.autocast():
            logits = self.generator(latents)
        return torch.sigmoid(logits.float())

    def _features(self, images):
        with self.autocast():
            features = self.trunk(images)
        return features.float()

    def _log_probs(self, features, classes, uniforms):
        with self.autocast():
            hidden = self.q_head[:3](features)
        parameters = self.q_head[3](hidden.float())
        log_probs = [-F.cross_entropy(parameters[:, :CLASSES], classes, reduction="none")]
        for i in range(UNIFORMS):
            mean, raw = parameters[:, CLASSES + 2 * i], parameters[:, CLASSES + 2 * i + 1]
            stddev = MIN_STDDEV + F.softplus(raw)
            z = (uniforms[:, i] - mean) / stddev
            log_probs.append(-0.5 * z * z - torch.log(stddev) - 0.5 * math.log(2 * math.pi))
        return log_probs

    @staticmethod
    def _update(optimizer, weights, loss):
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        optimizer.step()

    def _log(self, **figures):
        for name, value in figures.items():
            self.figures[name] = self.figures.get(name, 0.0) + value.detach()
