"""Runs an ONNX graph of convolutions in PyTorch: the teacher of a distillation, and a second opinion on an export."""
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper


class Graph(torch.nn.Module):
    """x: (n, 3, h, w) float32, ImageNet-normalised RGB -> the list of taps, in the graph's order of outputs."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        self.nodes = list(graph.node)
        self.outputs = [output.name for output in graph.output]
        self.input = graph.input[0].name
        for index, tensor in enumerate(graph.initializer):
            values = torch.from_numpy(numpy_helper.to_array(tensor).copy())
            if values.dim() == 4:
                values = values.contiguous(memory_format=torch.channels_last)
            self.register_buffer(f"constant{index}", values)
        self.constants = {tensor.name: f"constant{index}" for index, tensor in enumerate(graph.initializer)}

    def values(self, x):
        """Returns every tensor of the graph by name."""
        values = {name: getattr(self, buffer) for name, buffer in self.constants.items()}
        values[self.input] = x
        for node in self.nodes:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            inputs = [values[name] for name in node.input if name]
            values[node.output[0]] = self.run(node.op_type, inputs, attributes)
        return values

    def forward(self, x):
        values = self.values(x)
        return [values[name] for name in self.outputs]

    @staticmethod
    def run(operation, inputs, attributes):
        if operation == "Conv":
            pads = attributes.get("pads", [0, 0, 0, 0])
            assert pads[:2] == pads[2:], "symmetric padding only"
            bias = inputs[2] if len(inputs) > 2 else None
            return F.conv2d(inputs[0], inputs[1], bias, attributes.get("strides", [1, 1]), pads[:2],
                            attributes.get("dilations", [1, 1]), attributes.get("group", 1))
        if operation == "MaxPool":
            return F.max_pool2d(inputs[0], attributes["kernel_shape"], attributes["strides"],
                                attributes.get("pads", [0, 0])[:2], ceil_mode=bool(attributes.get("ceil_mode", 0)))
        if operation == "Relu":
            return F.relu(inputs[0])
        if operation == "Add":
            return inputs[0] + inputs[1]
        if operation == "Concat":
            return torch.cat(inputs, attributes["axis"])
        if operation == "Identity":
            return inputs[0]
        raise ValueError(f"the teacher's graph has an operation this runner lacks: {operation}")
