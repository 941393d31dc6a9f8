"""Synthetic products from held-out photographs, with the folder layout of MVTec AD, to evaluate a network without inspection images.

    python3 parts.py PHOTOGRAPHS_DIR OUT_DIR
    bench accuracy OUT_DIR/object0 ... OUT_DIR/texture3 --backbones DIR --backbone A B

Four photographs are objects: the same view each time, slightly shifted, rotated, lit and noised. Four are textures: a different crop each
time. Damage is a foreign patch, a stain, a blurred spot or a scratch, with varying sizes and strengths; its mask is the ground truth.
"""
import os
import sys

import numpy as np
from PIL import Image, ImageFilter

from augment import photographs

SIDE, TRAINING, GOOD, DAMAGED = 256, 60, 25, 40


def view(photograph, is_texture, g):
    height, width = photograph.shape[:2]
    image = Image.fromarray(photograph)
    if is_texture:
        side = int(min(height, width) * .55)
        top, left = g.integers(height - side + 1), g.integers(width - side + 1)
        image = image.crop((left, top, left + side, top + side))
    else:
        side = int(min(height, width) * .86)
        y, x = height / 2 + g.uniform(-3, 3), width / 2 + g.uniform(-3, 3)
        image = image.rotate(g.uniform(-1.5, 1.5), Image.BILINEAR, center=(x, y))
        image = image.crop((int(x - side / 2), int(y - side / 2), int(x - side / 2) + side, int(y - side / 2) + side))
    v = np.asarray(image.resize((SIDE, SIDE), Image.BILINEAR), np.float32) / 255
    v = np.clip(v, 1e-4, 1) ** np.exp(g.uniform(-.15, .15)) * g.uniform(.9, 1.1) * (1 + g.uniform(-.03, .03, 3))
    return np.clip(v + g.normal(size=v.shape) * g.uniform(0, .02), 0, 1)


def damage(v, others, g):
    """Returns the damaged view and its mask: (SIDE, SIDE, 3), (SIDE, SIDE) bool."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    kind, radius = g.integers(4), np.exp(g.uniform(np.log(5), np.log(36)))
    cy, cx = g.uniform(30, SIDE - 30, 2)
    angle, stretch = g.uniform(0, np.pi), np.exp(g.uniform(0, .8))
    along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
    across = -(x - cx) * np.sin(angle) + (y - cy) * np.cos(angle)
    turn = np.arctan2(across, along)
    outline = radius * (1 + .25 * np.sin(3 * turn + g.uniform(0, 6)) + .15 * np.sin(5 * turn + g.uniform(0, 6)))
    mask = np.clip((outline - np.hypot(along / stretch, across * stretch)) / 1.5, 0, 1)[..., None]
    if kind == 0:
        other = others[g.integers(len(others))]
        top, left = g.integers(other.shape[0] - SIDE + 1), g.integers(other.shape[1] - SIDE + 1)
        source, mask = other[top:top + SIDE, left:left + SIDE] / 255, mask * g.uniform(.5, 1)
    elif kind == 1:
        source, mask = np.broadcast_to(g.uniform(0, 1, 3), v.shape), mask * g.uniform(.25, .8)
    elif kind == 2:
        blurred = Image.fromarray((v * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(g.uniform(2.5, 6)))
        source = np.asarray(blurred, np.float32) / 255
    else:
        line = np.clip(g.uniform(1.2, 3.5) - np.abs(across + 6 * np.sin(along / 15)), 0, 1) * (np.abs(along) < radius * 2.2)
        source, mask = np.full(v.shape, g.choice([.05, .95])), line[..., None] * g.uniform(.4, 1)
    return v * (1 - mask) + source * mask, mask[..., 0] > .1


def save(values, *path):
    os.makedirs(os.path.join(*path[:-1]), exist_ok=True)
    Image.fromarray((values * 255).round().astype(np.uint8)).save(os.path.join(*path))


def main(folder, out):
    g = np.random.default_rng(7)
    images = photographs(folder, held_out=True)
    chosen = g.permutation(len(images))[:8]
    others = [images[i] for i in range(len(images)) if i not in chosen]
    for index, i in enumerate(chosen):
        is_texture = index >= 4
        root = os.path.join(out, f"{'texture' if is_texture else 'object'}{index % 4}")
        for k in range(TRAINING):
            save(view(images[i], is_texture, g), root, "train", "good", f"{k:03}.png")
        for k in range(GOOD):
            save(view(images[i], is_texture, g), root, "test", "good", f"{k:03}.png")
        for k in range(DAMAGED):
            v, mask = damage(view(images[i], is_texture, g), others, g)
            save(v, root, "test", "damage", f"{k:03}.png")
            save(mask.astype(np.float32), root, "ground_truth", "damage", f"{k:03}_mask.png")


if __name__ == "__main__":
    main(*sys.argv[1:3])
