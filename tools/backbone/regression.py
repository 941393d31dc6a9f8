"""The starting point of the training: each convolution of the student is the linear map of its rank that is closest to what the teacher
computes there, given what the student itself has computed so far (reduced-rank regression; Zhang et al., "Accelerating very deep
convolutional networks", TPAMI 2016, section 3)."""
import torch
import torch.nn.functional as F

BATCH, POSITIONS = 16, 1500  # images per step, and patches drawn per step


class Responses:
    """Outputs of the teacher's convolutions and sums for some crops. The first input of each sum is the branch with two convolutions, as
    PyTorch exports it."""

    def __init__(self, graph, crops):
        self.all = [graph.values(x) for x in crops.split(BATCH)]
        maker = {output: node for node in graph.nodes for output in node.output}
        self.stem = next(node for node in graph.nodes if node.op_type == "Conv").output[0]
        self.blocks = []
        for node in graph.nodes:
            if node.op_type == "Add":
                second, short = node.input
                first = maker[maker[second].input[0]].input[0]
                self.blocks.append((first, short, node.output[0]))

    def __getitem__(self, name):
        return torch.cat([values[name] for values in self.all])


@torch.no_grad()
def regress(inputs, targets, side, stride, rank):
    """Returns the affine map of the given rank from patches to targets with the least error in units of each target's standard deviation:
    (patch x rank, rank x out, out)."""
    scale = targets.std((0, 2, 3)) + 1e-3
    sums = None
    for first in range(0, len(inputs), BATCH):
        x = F.unfold(inputs[first:first + BATCH], side, padding=side // 2, stride=stride).permute(0, 2, 1).flatten(0, 1)
        y = targets[first:first + BATCH].flatten(2).permute(0, 2, 1).flatten(0, 1) / scale
        drawn = torch.randperm(len(x))[:POSITIONS]
        x, y = torch.cat([x[drawn], torch.ones(len(drawn), 1)], 1), y[drawn]
        new = [a.double() for a in (x.T @ x, x.T @ y)]
        sums = new if sums is None else [a + b for a, b in zip(sums, new)]
    (xx, xy), size = sums, sums[0].shape[0] - 1
    count = xx[size, size]
    mean_x, mean_y = xx[size, :size] / count, xy[size] / count
    xx, xy = xx[:size, :size] / count - torch.outer(mean_x, mean_x), xy[:size] / count - torch.outer(mean_x, mean_y)
    xx += torch.eye(size).double() * xx.diagonal().mean() * 1e-5
    full = torch.linalg.solve(xx, xy)
    directions = torch.linalg.eigh(full.T @ xy)[1][:, -rank:]  # the directions with the largest explained variance
    inside = full @ directions
    deviation = (inside.T @ xx @ inside).diagonal().sqrt()
    scale = scale.double()
    return ((inside / deviation).float(), ((directions * deviation).T * scale).float(),
            ((mean_y - mean_x @ full @ directions @ directions.T) * scale).float())


@torch.no_grad()
def fill(factored, inputs, targets):
    convolution = factored.inside
    inside, out, bias = regress(inputs, targets, convolution.kernel_size[0], convolution.stride[0], convolution.out_channels)
    convolution.weight.copy_(inside.T.reshape(convolution.weight.shape))
    factored.out.weight.copy_(out.T[:, :, None, None])
    factored.out.bias.copy_(bias)


@torch.no_grad()
def start(student, teacher, crops):
    """Sets the weights of the student, layer by layer. crops: (n, 3, h, w), normalised."""
    responses = Responses(teacher, crops)
    through = lambda layer, x: torch.cat([layer(part) for part in x.split(BATCH)])
    fill(student.stem, crops, responses[responses.stem])
    x = F.max_pool2d(F.relu(through(student.stem, crops)), 3, 2, 1)
    for block, (first, short, total) in zip((block for stage in student.stages for block in stage), responses.blocks):
        fill(block.first, x, responses[first])
        if block.short.__class__ is not torch.nn.Identity:
            inside, out, bias = regress(x, responses[short], 1, block.short.stride[0], block.short.out_channels)
            block.short.weight.copy_((inside @ out).T[:, :, None, None])
            block.short.bias.copy_(bias)
        # The second convolution also corrects the error of all layers before it.
        fill(block.second, F.relu(through(block.first, x)), responses[total] - through(block.short, x))
        x = through(block, x)
