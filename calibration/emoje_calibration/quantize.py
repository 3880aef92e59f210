"""Apply a spec to a network: the quantized eager reference, which every INT8 engine is held against.

Linears and convolutions take `qdq` on their input (one scale, where the spec has one) and on their weight (one a
channel, axis 0); embedding tables on the weight alone (one a column, axis 1, so that an engine can dequantize after the
look-up).  Biases are rounded to the accumulator's step, scale(input) * scale(weight), as integer kernels do.
Batch normalisations are folded into the convolution before them first (`fold_batch_norms`), by calibration and here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from emoje_calibration.errors import SpecError
from emoje_calibration.operators import LEVELS, qdq
from emoje_calibration.spec import LayerSpec

QUANTIZABLE = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Embedding)
M = TypeVar("M", bound=nn.Module)
_FLOOR = 1e-8  # amax of an all-zero tensor: any scale does, but not zero


def quantizable(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Names and modules of the layers that a spec can name."""
    for name, module in network.named_modules():
        if type(module) in QUANTIZABLE:  # a subclass may compute something else
            yield name, module


def weight_amax(module: nn.Module) -> Tensor:
    """Largest magnitude a channel: [O, 1], [O, 1, 1] or, for embeddings, [1, D]."""
    weight = module.weight.detach()  # type: ignore[union-attr,operator]
    axes = [0] if isinstance(module, nn.Embedding) else list(range(1, weight.dim()))  # type: ignore[union-attr]
    return weight.abs().amax(axes, keepdim=True).clamp_min(_FLOOR)  # type: ignore[union-attr]


class QuantLinear(nn.Module):
    """`nn.Linear` with INT8 weight and, where the spec gives an input scale, INT8 input."""

    x_amax: Tensor | None
    w_amax: Tensor
    bias: Tensor | None

    def __init__(self, linear: nn.Linear, x_amax: float | None, w_amax: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach().clone(), requires_grad=False)
        self.register_buffer("x_amax", None if x_amax is None else torch.tensor([x_amax]))
        self.register_buffer("w_amax", w_amax)
        bias = linear.bias if x_amax is None else _round_bias(linear.bias, x_amax, w_amax)
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        if self.x_amax is not None:
            x = qdq(x, self.x_amax)
        return F.linear(x, qdq(self.weight, self.w_amax), self.bias)


class QuantConv(nn.Module):
    """`nn.Conv1d` or `nn.Conv2d` with INT8 weight and, where the spec gives an input scale, INT8 input."""

    x_amax: Tensor | None
    w_amax: Tensor
    bias: Tensor | None

    def __init__(self, conv: nn.Conv1d | nn.Conv2d, x_amax: float | None, w_amax: Tensor) -> None:
        super().__init__()
        self.stride, self.padding, self.flat = conv.stride, conv.padding, isinstance(conv, nn.Conv1d)
        self.weight = nn.Parameter(conv.weight.detach().clone(), requires_grad=False)
        self.register_buffer("x_amax", None if x_amax is None else torch.tensor([x_amax]))
        self.register_buffer("w_amax", w_amax)
        bias = conv.bias if x_amax is None else _round_bias(conv.bias, x_amax, w_amax)
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        if self.x_amax is not None:
            x = qdq(x, self.x_amax)
        convolve = F.conv1d if self.flat else F.conv2d
        return convolve(x, qdq(self.weight, self.w_amax), self.bias, self.stride, self.padding)  # type: ignore[operator]


class QuantEmbedding(nn.Module):
    """`nn.Embedding` with an INT8 table."""

    w_amax: Tensor

    def __init__(self, embedding: nn.Embedding, w_amax: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(embedding.weight.detach().clone(), requires_grad=False)
        self.register_buffer("w_amax", w_amax)

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, qdq(self.weight, self.w_amax))


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """A copy in which every batch normalisation that directly follows a convolution is part of it."""
    folded = copy.deepcopy(network).eval()
    for parent in list(folded.modules()):
        children = list(parent.named_children())
        for (first, conv), (second, norm) in pairwise(children):
            if isinstance(conv, (nn.Conv1d, nn.Conv2d)) and isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
                setattr(parent, first, fuse_conv_bn_eval(conv, norm))
                setattr(parent, second, nn.Identity())
    return folded


def quantize(network: nn.Module, layers: Mapping[str, LayerSpec]) -> nn.Module:
    """A copy of `network`, its batch normalisations folded, with these layers in INT8 and the rest untouched.

    Raises:
        SpecError: a layer that the network lacks, or of another shape.
    """
    quantized = fold_batch_norms(network)
    found = dict(quantizable(quantized))
    for name, layer in layers.items():
        if name not in found:
            raise SpecError(f"the spec names layer {name}, which the model lacks")
        parent, _, last = name.rpartition(".")
        setattr(quantized.get_submodule(parent), last, _quantized_layer(name, found[name], layer))
    return quantized


def with_network(specialised: M, network: nn.Module) -> M:
    """`specialised`, a module around one called `network`, around another one of the same inputs and outputs."""
    other = copy.copy(specialised)
    other._modules = {"network": network}
    return other


def _quantized_layer(name: str, module: nn.Module, layer: LayerSpec) -> nn.Module:
    w_amax = torch.tensor(layer.weight.amax, dtype=torch.float32)
    wanted = weight_amax(module).shape
    if w_amax.numel() != wanted.numel():
        raise SpecError(f"layer {name} has {wanted.numel()} channels, the spec has {w_amax.numel()}")
    w_amax = w_amax.reshape(wanted)
    x_amax = None if layer.input is None else layer.input.amax[0]
    if isinstance(module, nn.Embedding):
        return QuantEmbedding(module, w_amax)
    if isinstance(module, (nn.Conv1d, nn.Conv2d)):
        return QuantConv(module, x_amax, w_amax)
    assert isinstance(module, nn.Linear)
    return QuantLinear(module, x_amax, w_amax)


def _round_bias(bias: Tensor | None, x_amax: float, w_amax: Tensor) -> Tensor | None:
    if bias is None:
        return None
    step = torch.tensor(x_amax) / LEVELS * (w_amax.flatten() / LEVELS)
    return torch.round(bias.detach() / step) * step
