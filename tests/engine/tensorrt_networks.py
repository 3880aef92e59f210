"""The networks that the TensorRT tests lower: the shipped shape with seeded weights, and its INT8 copy."""

from __future__ import annotations

import copy
from functools import cache

import torch
from emoje_calibration.quantize import quantizable, quantize, weight_amax
from emoje_calibration.spec import LayerSpec, Range
from torch import nn

from emoje_edge.modality import Mask
from emoje_edge.model import AmEmoje, ModelConfig
from emoje_edge.model.layers import Attention
from emoje_edge.model.network import MaskedNetwork


@cache
def whole() -> AmEmoje:
    """The network of the shipped configuration; its weights do not matter to a compiler, its shapes do."""
    torch.manual_seed(0)
    return AmEmoje(ModelConfig()).eval()


def masked(mask: Mask) -> MaskedNetwork:
    return MaskedNetwork(whole(), mask)


def layer_specs(network: MaskedNetwork) -> dict[str, LayerSpec]:
    """A spec for every layer that one pass over the example inputs uses; ranges are that pass's maxima."""
    seen: dict[str, float] = {}

    def watch(name: str, module: nn.Module) -> None:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            seen[name] = max(seen.get(name, 1e-3), inputs[0].abs().max().item())

        hooks.append(module.register_forward_pre_hook(hook))

    hooks: list[torch.utils.hooks.RemovableHandle] = []
    layers = dict(quantizable(network.network))
    for name, module in layers.items():
        watch(name, module)
    with torch.no_grad():
        network(*network.example_inputs())
    for handle in hooks:
        handle.remove()
    specs = {}
    for name in seen:
        weight = Range("max", "channel", tuple(weight_amax(layers[name]).flatten().tolist()))
        kind = type(layers[name]).__name__.lower()
        activation = None if kind == "embedding" else Range("max", "tensor", (seen[name],))
        specs[name] = LayerSpec(kind, weight, activation)
    return specs


def quantized(network: MaskedNetwork) -> tuple[MaskedNetwork, int, int]:
    """The network in INT8, how many weights its plan must hold with a Q/DQ pair, and how many inputs of layers.

    An input is quantized for linears only: convolutions compute in floating point (`release_convolution_inputs`), and
    an embedding's input is ids.
    """
    layers = layer_specs(network)
    copied = copy.copy(network)
    copied._modules = {"network": quantize(network.network, layers)}
    return copied, len(layers), sum(layer.kind == "linear" for layer in layers.values())


def attentions(mask: Mask) -> int:
    """Attention operators of a mask's network, without the fused cross-modal one: each module runs once."""
    return sum(isinstance(module, Attention) for module in masked(mask).modules())
