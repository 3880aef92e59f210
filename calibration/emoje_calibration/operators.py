"""The one operator that a quantized network is made of: quantize to INT8 and back.

    qdq(x, amax) = clamp(round(x / s), -128, 127) * s,    s = amax / 127

Symmetric, with ties to even and -128 in use, so that ONNX's QuantizeLinear (uint8 around 128) and TensorRT's Q/DQ
layers give the same bits; a weight never reaches -128, as its amax is its own largest magnitude.  Every
emitter (ONNX, TensorRT, AOTInductor) turns this one node into what its runtime fuses.
Source of the rule that the tag answers: torch_tensorrt.dynamo.lowering.passes.constant_folding.
"""

from __future__ import annotations

import torch
from torch import Tensor

LEVELS = 127  # steps from 0 to amax

# The tag says "not deterministic", which keeps constant folders from computing the weight's Q/DQ at build time: that
# would put fp32 weights into the engine, silently.
torch.library.define("emoje_edge::qdq", "(Tensor x, Tensor amax) -> Tensor", tags=(torch.Tag.nondeterministic_seeded,))


@torch.library.impl("emoje_edge::qdq", "CompositeExplicitAutograd")
def _qdq(x: Tensor, amax: Tensor) -> Tensor:
    scale = amax / LEVELS
    return torch.clamp(torch.round(x / scale), -LEVELS - 1, LEVELS) * scale


@torch.library.register_fake("emoje_edge::qdq")
def _qdq_shape(x: Tensor, amax: Tensor) -> Tensor:
    return torch.empty_like(x)


def qdq(x: Tensor, amax: Tensor) -> Tensor:
    """Quantize `x` to INT8 and back.

    Args:
        x: any shape, float.
        amax: [1] for one scale, or of `x`'s rank with 1 in every axis but the channels', all above 0.
    """
    return torch.ops.emoje_edge.qdq(x, amax)
