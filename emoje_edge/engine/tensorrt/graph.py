"""The one change that a quantized graph needs for TensorRT."""

from __future__ import annotations

import torch
from torch import fx


def release_convolution_inputs(graph: fx.Graph) -> None:
    """Take the Q/DQ off the inputs of convolutions, in place; their weights keep it.

    TensorRT-RTX 1.5 has INT8 matrix products and no INT8 convolution: given one, its compiler stops with
    "CHECK(dtype == myelinTypeFloat || ...)".  So convolutions compute in floating point from INT8 weights, on
    TensorRT proper too: what runs on the device is then what can be checked without one.
    """
    convolutions = (torch.ops.aten.conv1d, torch.ops.aten.conv2d, torch.ops.aten.convolution)
    for node in list(graph.nodes):
        if node.target is not torch.ops.emoje_edge.qdq.default or not node.users:
            continue
        if all(u.args[0] is node and getattr(u.target, "overloadpacket", None) in convolutions for u in node.users):
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
