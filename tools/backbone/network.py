"""The built-in network: the first three layers of ResNet-18, each convolution through a bottleneck of few channels."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Factored(nn.Module):
    """A low-rank convolution: k x k to few channels, then 1 x 1 to all channels, with nothing between the two."""

    def __init__(self, inputs, outputs, rank, stride=1, side=3):
        super().__init__()
        self.inside, self.out = nn.Conv2d(inputs, rank, side, stride, side // 2, bias=False), nn.Conv2d(rank, outputs, 1)

    def forward(self, x):
        return self.out(self.inside(x))


class Residual(nn.Module):
    """A residual block (He et al., CVPR 2016)."""

    def __init__(self, inputs, outputs, ranks, stride):
        super().__init__()
        self.first, self.second = Factored(inputs, outputs, ranks[0], stride), Factored(outputs, outputs, ranks[1])
        self.short = nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.short(x) + self.second(F.relu(self.first(x))))


class Tiny(nn.Module):
    """0.96 M parameters, 0.59 GMAC at 224 x 224 (ResNet-18: 1.4 for the same taps). Its taps, at strides 4, 8 and 16, are the teacher's layers 1, 2 and 3."""

    def __init__(self, stem=24, ranks=((32, 32, 32, 32), (32, 32, 32, 48), (64, 64, 80, 80)), channels=(64, 64, 128, 256)):
        super().__init__()
        self.stem = Factored(3, channels[0], stem, 2, 7)
        self.stages = nn.ModuleList([
            nn.Sequential(Residual(inputs, outputs, r[:2], 1 if index == 0 else 2), Residual(outputs, outputs, r[2:], 1))
            for index, (inputs, outputs, r) in enumerate(zip(channels, channels[1:], ranks))])

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2, 1)
        taps = []
        for stage in self.stages:
            x = stage(x)
            taps.append(x)
        return taps

    @torch.no_grad()
    def measure_in(self, unit):
        """Divides all taps by a number by changing the weights only: a positive factor passes through everything after the first
        convolution, except for the biases."""
        self.stem.inside.weight /= unit
        for name, weights in self.named_parameters():
            if name.endswith("bias"):
                weights /= unit
