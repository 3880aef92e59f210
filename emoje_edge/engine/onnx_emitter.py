"""From a traced graph of aten operators to ONNX, in floating point or in one of two INT8 dialects.

The walk over the graph, constants and 8-bit weights are here; one function an operator is in
`onnx_ops.TABLE`.  `emoje_edge::qdq` nodes become what the chosen dialect's runtime fuses:

- `fp32`: nothing, so that one trace gives both precisions;
- `uint8`: activations around 128, signed weights, int32 bias, linears as 2-D Gemm: ONNX Runtime's QGemm, which this
  form makes a quarter quicker where a processor multiplies bytes (VNNI).  Where one would saturate, ONNX Runtime turns
  the weights to unsigned ones when it opens the graph (`backends/onnx.py`), if no two layers share their constants;
- `int8`: zero point 0 and fp32 bias, for TensorRT's own parser.

Why not torch.onnx: its trace with symbolic shapes takes some ten times longer, and QGemm wants this exact form.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from emoje_calibration.operators import LEVELS
from torch import Tensor, fx

from emoje_edge.engine.onnx_graph import GraphBuilder
from emoje_edge.engine.weights import branch_of
from emoje_edge.errors import WorkError

DIALECTS = ("fp32", "uint8", "int8")
_ZERO = {"uint8": np.uint8(128), "int8": np.int8(0)}


@dataclass(frozen=True)
class Value:
    """A computed tensor: its name in the graph, and its shape and dtype as traced."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True)
class Quantized:
    """A tensor that went through `qdq`: what it was, its ranges, and the traced node."""

    source: Value | Tensor
    amax: np.ndarray
    node: str

    @property
    def array(self) -> np.ndarray:
        """The source, where it is a constant."""
        assert isinstance(self.source, Tensor)
        return self.source.detach().numpy()


class Emitter:
    """Walks the traced graph; `batch` is the traced batch size, which no other axis may have.

    Args:
        operators: name -> handler(emitter, (shape, dtype) of the result, *args, **kwargs).
        parameters: the network's names of the graph's constants; what is made of them is marked with their branch.
    """

    def __init__(
        self,
        builder: GraphBuilder,
        operators: Mapping[str, Handler],
        dialect: str,
        batch: int,
        batch_source: str,
        parameters: Mapping[str, str],
    ) -> None:
        self.operators, self.parameters = operators, parameters
        self.b, self.dialect, self.batch, self.batch_source = builder, dialect, batch, batch_source
        self.integers: dict[str, str] = {}  # traced qdq node -> its QuantizeLinear's output

    def run(self, graph: fx.Graph, inputs: list[Value], constants: Mapping[str, Tensor]) -> list[Value]:
        """Emit every node; returns the outputs."""
        values: dict[fx.Node, Any] = {}
        given = iter(inputs)
        for node in graph.nodes:
            if node.op == "placeholder":
                values[node] = next(given)
            elif node.op == "get_attr":
                values[node] = constants[node.target]
            elif node.op == "call_function":
                values[node] = self._call(node, values)
            else:
                return [self.value(values[x]) for x in node.args[0]]
        raise AssertionError("a traced graph ends in an output")

    def _call(self, node: fx.Node, values: dict[fx.Node, Any]) -> Any:
        args: Any = fx.map_arg(node.args, values.__getitem__)
        kwargs: Any = fx.map_arg(node.kwargs, values.__getitem__)
        name = str(node.target)
        if node.target is operator.getitem:
            return args[0][args[1]]
        if name in IDENTITIES:
            return args[0]
        leaves = [
            x for x in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(x, (Value, Tensor, Quantized))
        ]
        if name == QDQ:
            return Quantized(args[0], args[1].detach().numpy(), node.name)
        if all(isinstance(x, Tensor) for x in leaves):
            return node.target(*args, **kwargs)  # type: ignore[operator]
        if name not in self.operators:
            raise WorkError(f"no ONNX translation of {name}", "report it: the network has an operator that is new")
        self.b.owner = self._branch(node, values)
        result = self.operators[name](self, _out(node), *args, **kwargs)
        self.b.owner = ""
        return result

    def _branch(self, node: fx.Node, values: dict[fx.Node, Any]) -> str:
        """The branch whose parameter a node takes, itself or computed from it; "" where it takes none."""
        for source in node.all_input_nodes:
            value = values[source]
            value = value.source if isinstance(value, Quantized) else value
            if isinstance(value, Tensor):
                parameter = self.parameters.get(str(source.target)) if source.op == "get_attr" else None
                if found := branch_of(parameter) if parameter else self._branch(source, values):
                    return found
        return ""

    # ---- for the operators

    def value(self, x: Any) -> Value:
        """`x` as a node's input; constants become initialisers, those with a row an utterance grow at run time."""
        if isinstance(x, Value):
            return x
        if isinstance(x, Quantized):
            return self.dequantized(x)
        tensor = x if isinstance(x, Tensor) else torch.tensor(x)
        shape = tuple(tensor.shape)
        if not shape or shape[0] != self.batch:
            return Value(self.b.constant(tensor.detach().numpy()), shape, tensor.dtype)
        one = self.b.constant(tensor[:1].detach().numpy())
        size = self.b.add("Shape", self.batch_source, start=0, end=1)
        rest = self.b.axes(shape[1:])
        full = self.b.add("Concat", size, rest, axis=0) if shape[1:] else size
        return Value(self.b.add("Expand", one, full), shape, tensor.dtype)

    def cast(self, x: Any, dtype: torch.dtype) -> str:
        if not isinstance(x, (Value, Quantized)):
            tensor = (x if isinstance(x, Tensor) else torch.tensor(x)).to(dtype)
            # a constant a row of the batch holds the same rows: broadcasting does
            return self.b.constant(tensor[:1].numpy() if tensor.shape[:1] == (self.batch,) else tensor.numpy())
        value = self.value(x)
        return value.name if value.dtype == dtype else self.b.add("Cast", value.name, to=onnx_type(dtype))

    def shape(self, shape: tuple[int, ...]) -> list[int]:
        return [-1 if i == 0 and n == self.batch else n for i, n in enumerate(shape)]

    def dequantized(self, x: Quantized) -> Value:
        """The tensor after Q/DQ, for operators that have no INT8 form; fp32 leaves it as it was."""
        if self.dialect == "fp32":
            return self.value(x.source)
        if isinstance(x.source, Tensor):
            axis = int(np.argmax(x.amax.shape)) if x.amax.size > 1 else 0
            name = self.weight(x.source.detach().numpy(), x.amax, axis)
            return Value(name, tuple(x.source.shape), x.source.dtype)
        return Value(self.activation(x), x.source.shape, x.source.dtype)

    def activation(self, x: Quantized, two_dimensional: bool = False) -> str:
        """Q/DQ of a computed tensor, as [-1, K] where asked."""
        source = self.value(x.source)
        name = source.name
        if two_dimensional and len(source.shape) != 2:
            name = self.b.reshape(name, (-1, source.shape[-1]))
        scale = self.b.constant(np.float32(x.amax.reshape(())) / np.float32(LEVELS))
        zero = self.b.constant(_ZERO[self.dialect])
        self.integers[x.node] = self.b.add("QuantizeLinear", name, scale, zero)
        return self.b.add("DequantizeLinear", self.integers[x.node], scale, zero)

    def weight(self, weight: np.ndarray, amax: np.ndarray, axis: int, transposed: bool = False) -> str:
        """DequantizeLinear of a stored 8-bit weight with one scale a channel on `axis`."""
        name, scale, zero = self.packed(weight, amax, transposed)
        return self.b.add("DequantizeLinear", name, scale, zero, axis=1 - axis if transposed else axis)

    def stored(self, weight: np.ndarray, amax: np.ndarray, transposed: bool = False) -> str:
        """A stored 8-bit weight for a floating-point operator: one scale an output channel.

        Spelt out, not DequantizeLinear: ONNX Runtime computes this once when it opens the graph, then chooses its
        fastest convolution for constant weights, and leaves DequantizeLinear to be run at every call.
        """
        name, _, _ = self.packed(weight, amax, transposed)
        scale = self.b.constant((amax.T if transposed else amax).astype(np.float32) / np.float32(LEVELS))
        wide = self.b.add("Cast", name, to=onnx_type(torch.float32))
        return self.b.add("Mul", wide, scale)

    def packed(self, weight: np.ndarray, amax: np.ndarray, transposed: bool = False) -> tuple[str, str, str]:
        """The 8-bit weight, its scales and zero points, as constants; of its own in the dialect of ONNX Runtime."""
        shared = self.dialect != "uint8"
        scale = amax.astype(np.float32) / np.float32(LEVELS)
        integers = np.clip(np.rint(weight / scale), -LEVELS, LEVELS).astype(np.int8)
        integers = integers.T if transposed else integers
        scales = scale.reshape(-1)
        parts = (integers, scales, np.zeros(scales.shape, np.int8))
        weight_name, scale_name, zero_name = (self.b.constant(part, shared=shared) for part in parts)
        return weight_name, scale_name, zero_name

    def integer_bias(self, bias: Tensor, x_amax: np.ndarray, w_amax: np.ndarray) -> str:
        """int32 bias on the accumulator's grid; around zero, which need not be said of 32 bits."""
        level = np.float32(LEVELS)
        scale = (np.float32(x_amax.reshape(())) / level) * (w_amax.astype(np.float32).reshape(-1) / level)
        integers = np.rint(bias.detach().numpy() / scale).astype(np.int32)
        return self.b.add("DequantizeLinear", self.b.constant(integers), self.b.constant(scale), axis=0)


Handler = Callable[..., Any]
QDQ = "emoje_edge.qdq.default"
IDENTITIES = {
    f"aten.{name}"
    for name in ("dropout.default", "contiguous.default", "alias.default", "detach.default", "detach_.default")
} | {"aten.lift_fresh_copy.default", "aten.clone.default"}


@dataclass(frozen=True)
class Out:
    """Shape and dtype of a node's result, as traced (a list's are not needed)."""

    shape: tuple[int, ...]
    dtype: torch.dtype


def _out(node: fx.Node) -> Out:
    meta = node.meta.get("val")
    if not isinstance(meta, Tensor):
        meta = node.meta.get("tensor_meta")
    if meta is None or not hasattr(meta, "dtype"):
        return Out((), torch.float32)
    return Out(tuple(meta.shape), meta.dtype)


def onnx_type(dtype: torch.dtype) -> int:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(torch.empty(0, dtype=dtype).numpy().dtype)
