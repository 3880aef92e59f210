"""Weights in eight bits a value and one scale a row, so that a large model has room in the package.

Only what a model is built from is stored so: `load_run` gives floats again, each within half a step of its row.  Tables
of embeddings have one scale a column, as in the engines, so that the integers are the same there (`lent`).
"""

from __future__ import annotations

import torch
from torch import Tensor

SCALE, COLUMN_SCALE = ".scale8", ".column_scale8"  # behind the name of the tensor that the scales belong to
_TABLE = "embedding.weight"  # how the names of tables end
_LEAST = 1 << 15  # values of a tensor that is worth it
_STEPS = 127


def compact(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Large tensors as int8 with float32 scales [rows] or [columns], the rest in 16 bits; integers as they are."""
    found: dict[str, Tensor] = {}
    for name, x in weights.items():
        if x.is_floating_point() and x.dim() > 1 and x.numel() >= _LEAST:
            suffix = COLUMN_SCALE if name.endswith(_TABLE) else SCALE
            flat = x.float().T if suffix == COLUMN_SCALE else x.float().flatten(1)
            scale = flat.abs().amax(1).clamp(min=1e-12) / _STEPS
            found[name] = (x.float() / _shaped(scale, x, suffix)).round().to(torch.int8)
            found[name + suffix] = scale
        else:
            found[name] = x.half() if x.is_floating_point() else x
    return {name: x.contiguous() for name, x in found.items()}


def expand(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """What `compact` wrote as floats; other weights as they are."""
    found = {}
    for name, x in weights.items():
        if name.endswith((SCALE, COLUMN_SCALE)):
            continue
        suffix = next((s for s in (SCALE, COLUMN_SCALE) if name + s in weights), None)
        found[name] = x.float() * _shaped(weights[name + suffix], x, suffix) if suffix else x
    return found


def _shaped(scale: Tensor, x: Tensor, suffix: str) -> Tensor:
    return scale if suffix == COLUMN_SCALE else scale.reshape(-1, *[1] * (x.dim() - 1))
