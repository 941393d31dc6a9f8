"""Distils the first three layers of ResNet-18 into the built-in network.

    python3 train.py TEACHER.onnx PHOTOGRAPHS_DIR OUT_DIR --minutes 22 [--size 192] [--batch 16] [--device cpu]

The student starts from a regression of each layer on the teacher's responses (regression.py). The targets are the teacher's taps; errors are
in units of the channel's standard deviation. The loss is the mean squared error over the variance of the targets, summed over the taps. With
--whiten w it is partly whitened: a principal direction of variance v has the weight v ** -w, because PaDiM's distance whitens the features and
the plain error does not learn the directions of small variance. The taps have the teacher's proportions, divided by one number that makes the
mean variance of a channel 1, which is large compared with PaDiM's epsilon of 0.01.

The log reports the share of the teacher's variance that the student leaves unexplained, and the mean of that share over the principal
directions, both on the held-out photographs (every twentieth). No inspection image is used. OUT_DIR receives checkpoint.pt (resume with
--resume), tiny.onnx and log.txt. PyTorch may use a single thread by default where two processors share a core: set OMP_NUM_THREADS=2.

Needs PyTorch, onnx, numpy and Pillow (Debian: python3-torch python3-onnx python3-numpy python3-pil).
"""
import argparse
import copy
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from augment import Crops, photographs, plain
from network import Tiny
from onnx_torch import Graph
from regression import start

MEAN = torch.tensor((.485, .456, .406)).view(1, 3, 1, 1)
STD = torch.tensor((.229, .224, .225)).view(1, 3, 1, 1)
NAMES = ["stride4", "stride8", "stride16"]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("teacher")
    parser.add_argument("photographs")
    parser.add_argument("out")
    parser.add_argument("--minutes", type=float, default=22, help="time at work: of the processors, a thread each, on the CPU")
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--pool", type=int, default=3072, help="crops kept, with their targets; 0.75 MB each at 192")
    parser.add_argument("--uses", type=int, default=5, help="how often a crop is used on average")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--average", type=float, default=.9995, help="decay of the moving average of the weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--whiten", type=float, default=.5, help="0: plain error, 1: every principal direction of a tap counts alike")
    parser.add_argument("--resume", action="store_true", help="go on from OUT_DIR/checkpoint.pt")
    parser.add_argument("--again", action="store_true", help="with --resume: a new schedule of --minutes from the checkpoint's weights")
    return parser.parse_args()


class Teacher:
    """The teacher's taps in units of each channel's standard deviation over the first batches, so that all channels count equally."""

    def __init__(self, path, device, batches, whiten):
        self.graph, self.device = Graph(path).to(device).eval(), device
        taps = [self.taps(batch) for batch in batches]
        joined = [torch.cat([t[i].float() for t in taps]) for i in range(len(NAMES))]
        self.deviation = [t.std((0, 2, 3), keepdim=True) + 1e-3 for t in joined]
        self.metrics = [Metric(t / s, whiten) for t, s in zip(joined, self.deviation)]

    def taps(self, x):
        with torch.no_grad(), torch.autocast(self.device, dtype=torch.bfloat16):
            return self.graph(x)

    def __call__(self, x):
        return [t.float() / s for t, s in zip(self.taps(x), self.deviation)]


class Metric:
    """Weights the error of a tap along the principal directions of its targets with variance ** -whiten."""

    def __init__(self, targets, whiten):
        pixels = targets.permute(0, 2, 3, 1).flatten(0, 2)
        self.variances, self.directions = torch.linalg.eigh(torch.cov(pixels.T))
        weights = self.variances ** (1 - whiten)
        self.scale = (weights / self.variances / weights.sum()).sqrt()

    def along(self, error):
        return torch.einsum("nchw,cd->ndhw", error, self.directions)

    def share(self, error):
        return (self.along(error) * self.scale.view(1, -1, 1, 1)).square().sum(1).mean()

    def mean_share(self, error):
        return (self.along(error).square().mean((0, 2, 3)) / self.variances).mean()


class Pool:
    """Crops with their targets in half precision. Each is used a few times, in random batches, before a new one replaces it."""

    def __init__(self, crops, teacher, capacity, uses):
        self.crops, self.teacher, self.uses, self.rows, self.capacity, self.turn = crops, teacher, uses, None, capacity, 0

    def add(self):
        x = next(self.crops)
        fresh = [x.half(), *[t.half() for t in self.teacher(x)]]
        if self.rows is None:
            self.rows = [torch.empty((self.capacity, *t.shape[1:]), dtype=t.dtype, device=t.device) for t in fresh]
        at = self.turn * len(x) % self.capacity
        for kept, t in zip(self.rows, fresh):
            kept[at:at + len(x)] = t
        self.turn += 1

    def batch(self, step, size):
        if step % self.uses == 0 or self.turn < 4:
            self.add()
        chosen = torch.randint(min(self.capacity, self.turn * size), (size,))
        x, *targets = [kept[chosen].float() for kept in self.rows]
        return x.contiguous(memory_format=torch.channels_last), targets


def errors(student, teacher, x, targets):
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        taps = student(x)
    return [tap.float() / s - target for tap, target, s in zip(taps, targets, teacher.deviation)]


@torch.no_grad()
def held_out_share(student, teacher, batches):
    student.eval()
    shares = []
    for x in batches:
        targets = teacher(x)
        found = errors(student, teacher, x, targets)
        shares.append([[float(e.square().mean() / t.var()) for e, t in zip(found, targets)],
                       [float(m.mean_share(e)) for m, e in zip(teacher.metrics, found)]])
    return np.mean(shares, 0)


@torch.no_grad()
def follow(average, student, decay):
    for a, s in zip(average.state_dict().values(), student.state_dict().values()):
        a.mul_(decay).add_(s, alpha=1 - decay) if a.is_floating_point() else a.copy_(s)


def main():
    o = arguments()
    os.makedirs(o.out, exist_ok=True)
    torch.manual_seed(o.seed)
    ready = lambda x: ((x - MEAN) / STD).to(o.device).contiguous(memory_format=torch.channels_last)
    loader = iter(torch.utils.data.DataLoader(Crops(photographs(o.photographs, False), o.size, o.batch, o.seed), batch_size=None,
                                             num_workers=o.workers, prefetch_factor=8))
    crops = map(ready, loader)
    teacher = Teacher(o.teacher, o.device, [next(crops) for _ in range(16)], o.whiten)
    held_out = [ready(x) for x in plain(photographs(o.photographs, True), 256).split(10)]
    pool = Pool(crops, teacher, o.pool, o.uses)
    student = Tiny()
    if not o.resume:
        start(student, Graph(o.teacher).eval(), torch.cat([next(crops).cpu().contiguous() for _ in range(16)]))
    student = student.to(o.device, memory_format=torch.channels_last)
    average = copy.deepcopy(student)
    optimiser = torch.optim.AdamW(student.parameters(), lr=o.rate, weight_decay=1e-4)
    worked, step, saved, parts_mean = 0., 0, 0., None
    checkpoint = os.path.join(o.out, "checkpoint.pt")
    if o.resume:
        state = torch.load(checkpoint)
        student.load_state_dict(state["student"]), average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        worked, step = (0. if o.again else state["worked"]), state["step"]
    clock = (lambda: time.process_time() / torch.get_num_threads()) if o.device == "cpu" else time.time
    log = open(os.path.join(o.out, "log.txt"), "a", buffering=1)
    while (progress := worked / (60 * o.minutes)) < 1:
        started = clock()
        for group in optimiser.param_groups:
            group["lr"] = o.rate * min(1, (step + 1) / 500) * .5 * (1 + np.cos(np.pi * progress)) + 1e-6
        student.train()
        x, targets = pool.batch(step, o.batch)
        parts = [m.share(e) for m, e in zip(teacher.metrics, errors(student, teacher, x, targets))]
        optimiser.zero_grad()
        sum(parts).backward()
        optimiser.step()
        step += 1
        follow(average, student, min(o.average, step / (step + 100)))
        now = np.array([float(part.detach()) for part in parts])
        parts_mean = now if parts_mean is None else .99 * parts_mean + .01 * now
        worked += clock() - started
        if step % 1000 == 0 or worked - saved > 600:
            shares = held_out_share(average, teacher, held_out)
            print(f"{worked / 60:.1f} min, {step} steps, loss {parts_mean.round(3)}, held out: unexplained {shares[0].round(3)}, "
                  f"over directions {shares[1].round(3)}", file=log)
        if worked - saved > 300:
            saved = worked
            torch.save(dict(student=student.state_dict(), average=average.state_dict(), optimiser=optimiser.state_dict(),
                            worked=worked, step=step), checkpoint + ".part")
            os.replace(checkpoint + ".part", checkpoint)
    shares = held_out_share(average, teacher, held_out)
    print(f"end, {step} steps: held out: unexplained {shares[0].round(4)}, over directions {shares[1].round(4)}", file=log)
    average = average.to("cpu", memory_format=torch.contiguous_format).eval()
    average.measure_in(float(np.sqrt(np.mean([float(s.square().mean()) for s in teacher.deviation]))))
    export(average, os.path.join(o.out, "tiny.onnx"))


def export(network, path):
    axes = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(network, torch.randn(1, 3, 256, 256), path, input_names=["input"], output_names=NAMES,
                      dynamic_axes={name: axes for name in ["input"] + NAMES}, opset_version=17)


if __name__ == "__main__":
    main()
