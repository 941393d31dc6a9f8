"""Stores the weights of an ONNX graph as float16. A Cast, which the runtime folds when it loads the graph, widens each of them.

    python3 to_float16.py IN.onnx OUT.onnx

This halves the file; arithmetic stays float32. Needs onnx and numpy (Debian: python3-onnx).
"""
import sys
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

model = onnx.load(sys.argv[1])
graph = model.graph
casts = []
for tensor in list(graph.initializer):
    if tensor.data_type != TensorProto.FLOAT:
        continue
    values = numpy_helper.to_array(tensor)
    half = values.astype(np.float16)
    assert np.isfinite(half).all(), f"{tensor.name} does not fit float16"
    graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(half, tensor.name + "_f16"))
    casts.append(helper.make_node("Cast", [tensor.name + "_f16"], [tensor.name], to=TensorProto.FLOAT))
nodes = casts + list(graph.node)
del graph.node[:]
graph.node.extend(nodes)
model.producer_name, model.producer_version = "padim", ""
onnx.checker.check_model(model)
onnx.save(model, sys.argv[2])
