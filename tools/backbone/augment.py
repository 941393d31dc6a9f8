"""Crops of natural photographs that resemble images of an inspection camera: changed light, focus, noise, texture and damage."""
import glob
import os

import numpy as np
import torch
from PIL import Image, ImageFilter

HELD_OUT_EVERY = 20  # every twentieth photograph is not used for training; these measure what the student leaves unexplained


def photographs(folder, held_out):
    """Returns RGB arrays (h, w, 3) uint8, at least 256 pixels on the short side."""
    images = []
    for index, path in enumerate(sorted(glob.glob(os.path.join(folder, "*.jp*g")))):
        if (index % HELD_OUT_EVERY == 0) != held_out:
            continue
        image = Image.open(path).convert("RGB")
        scale = max(1, 256 / min(image.size))
        images.append(np.asarray(image.resize((round(image.width * scale), round(image.height * scale)), Image.BICUBIC)))
    return images


def plain(images, size):
    """Returns the resized centre square of each image: float32 (n, 3, size, size) in [0, 1]."""
    out = []
    for a in images:
        side = min(a.shape[:2])
        top, left = (a.shape[0] - side) // 2, (a.shape[1] - side) // 2
        square = Image.fromarray(a[top:top + side, left:left + side]).resize((size, size), Image.BILINEAR)
        out.append(np.asarray(square, np.float32).transpose(2, 0, 1) / 255)
    return torch.from_numpy(np.stack(out))


def random_crop(images, size, g):
    a = images[g.integers(len(images))]
    height, width = a.shape[:2]
    side = int(min(height, width) * np.exp(g.uniform(np.log(.15), 0)))
    aspect = np.exp(g.uniform(-.25, .25))
    sides = min(height, int(side * aspect)), min(width, int(side / aspect))
    top, left = g.integers(height - sides[0] + 1), g.integers(width - sides[1] + 1)
    image = Image.fromarray(a[top:top + sides[0], left:left + sides[1]])
    if g.random() < .15:
        image = image.rotate(g.uniform(-45, 45), Image.BILINEAR)
    image = image.resize((size, size), Image.BILINEAR)
    if g.random() < .15:
        image = image.filter(ImageFilter.GaussianBlur(g.uniform(.3, 2)))
    return np.asarray(image, np.float32) / 255


def texture(size, g):
    """Returns noise with one random scale and direction, similar to metal, cloth or stone."""
    grid = g.normal(size=(max(2, int(size / np.exp(g.uniform(0, 3)))), max(2, int(size / np.exp(g.uniform(0, 3))))))
    grid = np.asarray(Image.fromarray(grid.astype(np.float32)).resize((size, size), Image.BICUBIC))
    grid = .5 + .2 * grid / (grid.std() + 1e-6)
    return np.clip(grid[..., None] * g.uniform(.6, 1.3, 3) + g.uniform(-.2, .2), 0, 1).astype(np.float32)


def damage(v, images, g):
    """Adds a foreign patch or a line that resembles a defect."""
    size = v.shape[0]
    y, x = np.mgrid[0:size, 0:size]
    if g.random() < .5:
        cy, cx, angle = g.uniform(0, size), g.uniform(0, size), g.uniform(0, np.pi)
        along, across = g.uniform(size / 50, size / 4), g.uniform(size / 100, size / 8)
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        w = -(x - cx) * np.sin(angle) + (y - cy) * np.cos(angle)
        mask = np.clip(1.5 - ((u / along) ** 2 + (w / across) ** 2), 0, 1)[..., None]
    else:
        angle, offset = g.uniform(0, np.pi), g.uniform(-size / 2, size / 2)
        distance = (x - size / 2) * np.cos(angle) + (y - size / 2) * np.sin(angle) - offset
        bend = g.uniform(0, 8) * np.sin(y / size * g.uniform(2, 12))
        mask = np.clip(g.uniform(.7, 3) - np.abs(distance + bend), 0, 1)[..., None]
    other = random_crop(images, size, g) if g.random() < .4 else g.uniform(0, 1, 3).astype(np.float32)
    mask = mask * g.uniform(.3, 1)
    return v * (1 - mask) + other * mask


def shaped(images, size, g):
    """Returns the content of a crop, before the effects of the camera: float32 (size, size, 3) in [0, 1]."""
    v = random_crop(images, size, g)
    if g.random() < .1:
        blend = g.uniform(.3, 1)
        v = v * (1 - blend) + texture(size, g) * blend
    if g.random() < .2:
        v = damage(v, images, g)
    if g.random() < .5:
        v = v[:, ::-1]
    if g.random() < .4:
        v = np.rot90(v, g.integers(4))
    if g.random() < .3:
        v = np.repeat(v.mean(2, keepdims=True), 3, 2)
    return v


def lit(x):
    """Applies camera effects to a batch (n, 3, h, w): gamma, contrast, brightness, colour and noise, random for each image."""
    n = x.shape[0]
    chance = lambda share: (torch.rand(n, 1, 1, 1) < share).float()
    uniform = lambda low, high, channels=1: torch.empty(n, channels, 1, 1).uniform_(low, high)
    x = x.clamp(1e-4, 1) ** torch.exp(uniform(-.5, .5) * chance(.3))
    x = (x - .5) * uniform(.4, 1.4) + .5 + uniform(-.25, .25)
    x = x * (1 + uniform(-.2, .2, 3) * chance(.3))
    noisy = chance(.3).flatten().bool()
    x[noisy] += torch.randn_like(x[noisy]) * uniform(0, .05)[noisy]
    return x.clamp(0, 1)


class Crops(torch.utils.data.IterableDataset):
    """Endless batches of training crops: float32 (batch, 3, size, size) in [0, 1]."""

    def __init__(self, images, size, batch, seed):
        self.images, self.size, self.batch, self.seed = images, size, batch, seed

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        g = np.random.default_rng((self.seed, worker.id if worker else 0))
        torch.set_num_threads(1)
        while True:
            batch = np.stack([shaped(self.images, self.size, g).transpose(2, 0, 1) for _ in range(self.batch)])
            yield lit(torch.from_numpy(batch.astype(np.float32)))
