"""`emoje_edge::qdq` for Torch-TensorRT: one explicit pair of TensorRT's quantize and dequantize layers.

Explicit pairs are the only way to INT8 in TensorRT 11 and work in 10; the three-argument forms of `add_quantize` and
`add_dequantize` exist in both.  Torch-TensorRT's own helper knows per-channel scales on axis 0 alone; an embedding
table has them on axis 1.
"""

from __future__ import annotations

from typing import Any

import torch
from emoje_calibration.operators import LEVELS
from torch import Tensor


def register_converters() -> None:
    """Make the converter known to Torch-TensorRT in this process.  May be called again."""
    from torch_tensorrt.dynamo.conversion._ConverterRegistry import DYNAMO_ATEN_CONVERTERS, dynamo_tensorrt_converter

    operator = torch.ops.emoje_edge.qdq.default
    if operator not in DYNAMO_ATEN_CONVERTERS:
        dynamo_tensorrt_converter(operator, supports_dynamic_shapes=True)(_quantize_and_dequantize)


def channel_axis(amax: Tensor) -> int | None:
    """The axis that has a scale for each of its entries; None for one scale.

    Raises:
        ValueError: more than one axis has.
    """
    axes = [axis for axis, size in enumerate(amax.shape) if size > 1]
    if len(axes) > 1:
        raise ValueError(f"amax {list(amax.shape)}: TensorRT quantizes along one axis")
    return axes[0] if axes else None


def _quantize_and_dequantize(ctx: Any, target: Any, args: tuple[Any, ...], kwargs: Any, name: str) -> Any:
    import tensorrt as trt
    from torch_tensorrt.dynamo.conversion.converter_utils import get_trt_tensor, to_torch

    amax = to_torch(args[1], None).float()
    axis = channel_axis(amax)
    scale = (amax / LEVELS).reshape(() if axis is None else (-1,))
    x = args[0] if isinstance(args[0], trt.ITensor) else get_trt_tensor(ctx, args[0], f"{name}_values")
    scales = get_trt_tensor(ctx, scale, f"{name}_scale", dtype=torch.float32)
    quantize = ctx.net.add_quantize(x, scales, trt.DataType.INT8)
    dequantize = ctx.net.add_dequantize(quantize.get_output(0), scales, x.dtype)
    for layer, what in ((quantize, "quantize"), (dequantize, "dequantize")):
        layer.name = f"{name} [{what}]"
        if axis is not None:
            layer.axis = axis
    return dequantize.get_output(0)
