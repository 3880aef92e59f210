"""The ONNX form of each aten operator that the network uses: one function an operator, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emoje_edge.engine.onnx_emitter import Emitter, Handler, Out, Quantized, Value

TABLE: dict[str, Handler] = {}


def operator_for(*names: str) -> Callable[[Handler], Handler]:
    """Register the emitter of these operators: handler(emitter, (shape, dtype) of the result, *args, **kwargs)."""

    def register(handler: Handler) -> Handler:
        for name in names:
            TABLE[f"aten.{name}"] = handler
        return handler

    return register


@operator_for("linear.default")
def _linear(e: Emitter, out: Out, x: Any, weight: Any, bias: Tensor | None = None) -> Value:
    if e.dialect == "uint8" and isinstance(x, Quantized) and isinstance(weight, Quantized):
        array = weight.array
        parts = [e.activation(x, two_dimensional=True), e.weight(array, weight.amax, 0, transposed=True)]
        if bias is not None:
            parts.append(e.integer_bias(bias, x.amax, weight.amax))
        name = e.b.add("Gemm", *parts)
        return Value(name if len(out.shape) == 2 else e.b.reshape(name, e.shape(out.shape)), out.shape, out.dtype)
    if isinstance(weight, Quantized) and e.dialect == "uint8":
        kernel = e.stored(weight.array, weight.amax, transposed=True)
    elif isinstance(weight, Quantized) and e.dialect != "fp32":
        kernel = e.weight(weight.array, weight.amax, 0, transposed=True)
    else:
        kernel = e.b.constant((weight.array if isinstance(weight, Quantized) else weight.detach().numpy()).T)
    source = e.value(x).name
    if len(out.shape) == 2 and bias is not None:
        return Value(e.b.add("Gemm", source, kernel, e.value(bias).name), out.shape, out.dtype)
    name = e.b.add("MatMul", source, kernel)
    return Value(name if bias is None else e.b.add("Add", name, e.value(bias).name), out.shape, out.dtype)


@operator_for("embedding.default")
def _embedding(e: Emitter, out: Out, weight: Any, ids: Value, *_: Any) -> Value:
    if not isinstance(weight, Quantized) or e.dialect != "uint8":
        # TensorRT takes 8-bit constants before DequantizeLinear only
        return Value(e.b.add("Gather", e.value(weight).name, ids.name, axis=0), out.shape, out.dtype)
    # look up bytes, then dequantize the few rows found: the table stays small in memory too
    table, scale, zero = e.packed(weight.array, weight.amax)
    rows = e.b.add("Gather", table, ids.name, axis=0)
    return Value(e.b.add("DequantizeLinear", rows, scale, zero, axis=len(out.shape) - 1), out.shape, out.dtype)


@operator_for("conv1d.default", "conv2d.default")
def _convolution(
    e: Emitter, out: Out, x: Any, weight: Any, bias: Tensor | None = None, stride: Any = (1,), padding: Any = (0,),
    dilation: Any = (1,), groups: int = 1,
) -> Value:  # fmt: skip
    rank = len(out.shape) - 2
    strides, pads, dilations = (list(v) * (rank if len(v) == 1 else 1) for v in (stride, padding, dilation))
    weight_only = e.dialect == "uint8" and isinstance(weight, Quantized) and not isinstance(x, Quantized)
    kernel = e.stored(weight.array, weight.amax) if weight_only else e.value(weight).name
    parts = [e.value(x).name, kernel]
    if bias is not None and e.dialect == "uint8" and isinstance(x, Quantized) and isinstance(weight, Quantized):
        parts.append(e.integer_bias(bias, x.amax, weight.amax))
    elif bias is not None:
        parts.append(e.value(bias).name)
    name = e.b.add("Conv", *parts, strides=strides, pads=pads * 2, dilations=dilations, group=groups)
    return Value(name, out.shape, out.dtype)


@operator_for("batch_norm.default")
def _batch_norm(
    e: Emitter, out: Out, x: Any, weight: Any, bias: Any, mean: Any, var: Any, _training: bool, _m: float, eps: float,
    *_: Any,
) -> Value:  # fmt: skip
    parts = [e.value(v).name for v in (x, weight, bias, mean, var)]
    return Value(e.b.add("BatchNormalization", *parts, epsilon=eps), out.shape, out.dtype)


@operator_for("layer_norm.default")
def _layer_norm(e: Emitter, out: Out, x: Any, shape: Any, weight: Any, bias: Any, eps: float = 1e-5, *_: Any) -> Value:
    parts = [e.value(v).name for v in (x, weight, bias)]
    return Value(e.b.add("LayerNormalization", *parts, axis=-len(shape), epsilon=eps), out.shape, out.dtype)


@operator_for("scaled_dot_product_attention.default")
def _attention(e: Emitter, out: Out, q: Any, k: Any, v: Any, bias: Any = None, *_: Any, **__: Any) -> Value:
    query, key, value = e.value(q), e.value(k), e.value(v)
    scale = e.b.constant(np.float32(query.shape[-1] ** -0.5))
    swapped = e.b.add("Transpose", key.name, perm=[0, 1, 3, 2])
    logits = e.b.add("MatMul", e.b.add("Mul", query.name, scale), swapped)
    if bias is not None:
        logits = e.b.add("Add", logits, e.value(bias).name)
    return Value(e.b.add("MatMul", e.b.add("Softmax", logits, axis=-1), value.name), out.shape, out.dtype)


def _elementwise(op: str, swap: bool = False) -> Handler:
    def handler(e: Emitter, out: Out, x: Any, y: Any) -> Value:
        types = [v.dtype if isinstance(v, (Value, Tensor)) else None for v in (x, y)]
        known = [t for t in types if t is not None]
        common = known[0] if len(known) == 1 else torch.promote_types(*known)
        common = out.dtype if out.dtype != torch.bool else common
        names = [e.cast(x, common), e.cast(y, common)]
        return Value(e.b.add(op, *(names[::-1] if swap else names)), out.shape, out.dtype)

    return handler


for _name, _op in (
    ("add.Tensor", "Add"), ("sub.Tensor", "Sub"), ("mul.Tensor", "Mul"), ("div.Tensor", "Div"),
    ("floor_divide.default", "Div"),  # of lengths: never negative
    ("pow.Tensor_Scalar", "Pow"), ("lt.Tensor", "Less"), ("gt.Scalar", "Greater"),
):  # fmt: skip
    operator_for(_name)(_elementwise(_op))
operator_for("rsub.Scalar")(_elementwise("Sub", swap=True))


@operator_for("__and__.Tensor")
def _and(e: Emitter, out: Out, x: Any, y: Any) -> Value:
    return Value(e.b.add("And", e.cast(x, torch.bool), e.cast(y, torch.bool)), out.shape, out.dtype)


def _unary(op: str, **attributes: Any) -> Handler:
    def handler(e: Emitter, out: Out, x: Any, *_: Any, **__: Any) -> Value:
        return Value(e.b.add(op, e.value(x).name, **attributes), out.shape, out.dtype)

    return handler


for _name, _op in (("relu", "Relu"), ("sigmoid", "Sigmoid"), ("tanh", "Tanh"), ("gelu", "Gelu"), ("sqrt", "Sqrt")):
    operator_for(f"{_name}.default")(_unary(_op))


@operator_for("softmax.int")
def _softmax(e: Emitter, out: Out, x: Any, axis: int, *_: Any) -> Value:
    return Value(e.b.add("Softmax", e.value(x).name, axis=axis), out.shape, out.dtype)


@operator_for("to.dtype")
def _to(e: Emitter, out: Out, x: Any, dtype: torch.dtype, *_: Any) -> Value:
    return Value(e.cast(x, dtype), out.shape, dtype)


def _reduction(op: str) -> Handler:
    def handler(e: Emitter, out: Out, x: Any, axes: Any = None, keep: bool = False, **_: Any) -> Value:
        value = e.value(x)
        axes = range(len(value.shape)) if axes is None else [axes] if isinstance(axes, int) else axes
        # integer sums are counts here; torch widens them to int64, and so does the cast
        name = e.b.add(op, e.cast(value, out.dtype), e.b.axes(list(axes)), keepdims=int(keep))
        return Value(name, out.shape, out.dtype)

    return handler


for _name, _op in (("amax.default", "ReduceMax"), ("sum.dim_IntList", "ReduceSum")):
    operator_for(_name)(_reduction(_op))


@operator_for("clamp.default")
def _clamp(e: Emitter, out: Out, x: Any, low: Any = None, high: Any = None) -> Value:
    name = e.cast(x, out.dtype)
    if low is not None:
        name = e.b.add("Max", name, e.cast(low, out.dtype))
    if high is not None:
        name = e.b.add("Min", name, e.cast(high, out.dtype))
    return Value(name, out.shape, out.dtype)


@operator_for("matmul.default")
def _matmul(e: Emitter, out: Out, x: Any, y: Any) -> Value:
    return Value(e.b.add("MatMul", e.value(x).name, e.value(y).name), out.shape, out.dtype)


@operator_for("einsum.default")
def _einsum(e: Emitter, out: Out, equation: str, operands: Any, **_: Any) -> Value:
    names = [e.value(x).name for x in operands]
    return Value(e.b.add("Einsum", *names, equation=equation), out.shape, out.dtype)


@operator_for("unsqueeze.default")
def _unsqueeze(e: Emitter, out: Out, x: Any, axis: int) -> Value:
    return Value(e.b.add("Unsqueeze", e.value(x).name, e.b.axes([axis])), out.shape, out.dtype)


@operator_for("squeeze.dim")
def _squeeze(e: Emitter, out: Out, x: Any, axis: int) -> Value:
    return Value(e.b.add("Squeeze", e.value(x).name, e.b.axes([axis])), out.shape, out.dtype)


@operator_for("transpose.int")
def _transpose(e: Emitter, out: Out, x: Any, a: int, b: int) -> Value:
    permutation = list(range(len(out.shape)))
    permutation[a], permutation[b] = permutation[b], permutation[a]
    return Value(e.b.add("Transpose", e.value(x).name, perm=permutation), out.shape, out.dtype)


@operator_for("reshape.default", "view.default", "flatten.using_ints", "expand_as.default")
def _reshape(e: Emitter, out: Out, x: Any, *_: Any) -> Value:
    value = e.value(x)
    if int(np.prod(value.shape)) != int(np.prod(out.shape)):  # expand_as: broadcasting does it
        return value
    return Value(e.b.reshape(value.name, e.shape(out.shape)), out.shape, out.dtype)


@operator_for("slice.Tensor")
def _slice(e: Emitter, out: Out, x: Any, axis: int = 0, start: Any = 0, end: Any = None, step: int = 1) -> Any:
    value = e.value(x)
    if value.shape == out.shape:
        return value
    bounds = [e.b.axes([v]) for v in (start or 0, np.iinfo(np.int64).max if end is None else end, axis, step)]
    return Value(e.b.add("Slice", value.name, *bounds), out.shape, out.dtype)


@operator_for("select.int")
def _select(e: Emitter, out: Out, x: Any, axis: int, index: int) -> Value:
    name = e.b.add("Gather", e.value(x).name, e.b.constant(index, np.int64), axis=axis)
    return Value(name, out.shape, out.dtype)


@operator_for("cat.default")
def _cat(e: Emitter, out: Out, tensors: Any, axis: int = 0) -> Value:
    return Value(e.b.add("Concat", *[e.value(x).name for x in tensors], axis=axis), out.shape, out.dtype)


@operator_for("stack.default")
def _stack(e: Emitter, out: Out, tensors: Any, axis: int = 0) -> Value:
    names = [e.b.add("Unsqueeze", e.value(x).name, e.b.axes([axis])) for x in tensors]
    return Value(e.b.add("Concat", *names, axis=axis), out.shape, out.dtype)


@operator_for("chunk.default")
def _chunk(e: Emitter, out: Out, x: Any, parts: int, axis: int = 0) -> list[Value]:
    value = e.value(x)
    size = -(-value.shape[axis] // parts)
    starts = range(0, value.shape[axis], size)
    sizes = [min(size, value.shape[axis] - start) for start in starts]
    names = e.b.add("Split", value.name, e.b.axes(sizes), outputs=len(sizes), axis=axis)
    rank, axis = len(value.shape), axis % len(value.shape)
    shapes = [tuple(n if i == axis else value.shape[i] for i in range(rank)) for n in sizes]
    return [Value(name, shape, value.dtype) for name, shape in zip(names, shapes, strict=True)]


@operator_for("unbind.int")
def _unbind(e: Emitter, out: Out, x: Any, axis: int = 0) -> list[Value]:
    value = e.value(x)
    axis %= len(value.shape)
    shape = value.shape[:axis] + value.shape[axis + 1 :]
    return [
        Value(e.b.add("Gather", value.name, e.b.constant(i, np.int64), axis=axis), shape, value.dtype)
        for i in range(value.shape[axis])
    ]


@operator_for("pad.default")
def _pad(e: Emitter, out: Out, x: Any, pads: Any, *_: Any) -> Value:
    value = e.value(x)
    before, after = [0] * len(value.shape), [0] * len(value.shape)
    for i in range(len(pads) // 2):  # torch counts from the last axis
        before[-1 - i], after[-1 - i] = pads[2 * i], pads[2 * i + 1]
    return Value(e.b.add("Pad", value.name, e.b.axes(before + after)), out.shape, out.dtype)


@operator_for("zeros_like.default", "new_zeros.default")
def _zeros(e: Emitter, out: Out, *_: Any, **__: Any) -> Tensor:
    return torch.zeros(out.shape, dtype=out.dtype)


@operator_for("ones_like.default")
def _ones(e: Emitter, out: Out, *_: Any, **__: Any) -> Tensor:
    return torch.ones(out.shape, dtype=out.dtype)
