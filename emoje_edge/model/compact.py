"""Weights in eight bits a value and one scale a row, so that a large model has room in the package.

Only what a model is built from is stored so: `load_run` gives floats again, each within half a step of its row.
"""

from __future__ import annotations

import torch
from torch import Tensor

SCALE = ".scale8"  # behind the name of the tensor that the scales belong to
_LEAST = 1 << 15  # values of a tensor that is worth it
_STEPS = 127


def compact(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Large tensors as int8 with float32 scales [rows], the rest in half precision; integers as they are."""
    found: dict[str, Tensor] = {}
    for name, x in weights.items():
        if x.is_floating_point() and x.dim() > 1 and x.numel() >= _LEAST:
            scale = x.float().flatten(1).abs().amax(1).clamp(min=1e-12) / _STEPS
            found[name] = (x.float() / _shaped(scale, x)).round().to(torch.int8)
            found[name + SCALE] = scale
        else:
            found[name] = x.half() if x.is_floating_point() else x
    return {name: x.contiguous() for name, x in found.items()}


def expand(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """What `compact` wrote as floats; other weights as they are."""
    found = {}
    for name, x in weights.items():
        if not name.endswith(SCALE):
            scale = weights.get(name + SCALE)
            found[name] = x if scale is None else x.float() * _shaped(scale, x)
    return found


def _shaped(scale: Tensor, x: Tensor) -> Tensor:
    return scale.reshape(-1, *[1] * (x.dim() - 1))
