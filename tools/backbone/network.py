"""The built-in network: a slim ResNet-18 whose taps at strides 4, 8 and 16 imitate that network's layers 1, 2 and 3."""
import torch.nn as nn
import torch.nn.functional as F

TAPS = (64, 128, 256)  # channels of ResNet-18's layers 1 to 3


def convolution(inputs, outputs, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """He et al., CVPR 2016. Gives what lies inside the block as well: (hidden, out)."""

    def __init__(self, channels):
        super().__init__()
        self.first, self.second = convolution(channels, channels), convolution(channels, channels)

    def forward(self, x):
        hidden = F.relu(self.first(x))
        return hidden, F.relu(x + self.second(hidden))


class Tap(nn.Module):
    """Widens a stage to its teacher's channels; it reads the last block's inside too, so that its rank is twice the stage's width."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.hidden, self.out = nn.Conv2d(inputs, outputs, 1, bias=False), nn.Conv2d(inputs, outputs, 1)

    def forward(self, hidden, out):
        return F.relu(self.hidden(hidden) + self.out(out))


class Stage(nn.Module):
    def __init__(self, reduce, channels, tap, blocks=2):
        super().__init__()
        self.reduce, self.blocks = reduce, nn.ModuleList([Residual(channels) for _ in range(blocks)])
        self.tap = Tap(channels, tap)

    def forward(self, x):
        out = self.reduce(x)
        for block in self.blocks:
            hidden, out = block(out)
        return out, self.tap(hidden, out)


class Tiny(nn.Module):
    """1.1 M parameters, 0.6 GMAC at 224 x 224, as far a view as ResNet-18's."""

    def __init__(self, stem=24, widths=(40, 80, 128)):
        super().__init__()
        halve = lambda inputs, outputs: nn.Sequential(convolution(inputs, outputs, 2), nn.ReLU())
        self.stages = nn.ModuleList([
            Stage(nn.Sequential(halve(3, stem), halve(stem, widths[0])), widths[0], TAPS[0]),
            Stage(halve(widths[0], widths[1]), widths[1], TAPS[1]),
            Stage(halve(widths[1], widths[2]), widths[2], TAPS[2])])

    def forward(self, x):
        taps = []
        for stage in self.stages:
            x, tap = stage(x)
            taps.append(tap)
        return taps
