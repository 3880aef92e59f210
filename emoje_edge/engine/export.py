"""From a specialised network to ONNX: one trace a mask, from which every precision is emitted.

The network is traced with real tensors (`make_fx`) at a batch size that no other axis has, so that the batch stays
dynamic in the graph; parity at other batch sizes is part of the build and of the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emoje_edge.engine.interface import BuildRequest
from emoje_edge.engine.weights import split

if TYPE_CHECKING:
    import torch
    from torch import Tensor, fx

TRACED_BATCH = 11
DIALECT = {"int8": "uint8", "fp32": "fp32"}


@dataclass(frozen=True)
class Trace:
    """A traced network.

    Attributes:
        module: aten operators and `emoje_edge::qdq`, at batch `TRACED_BATCH`.
        constants: the tensors that the graph names.
        parameters: the network's own names of those.
        outputs: shapes without the batch.
    """

    module: fx.GraphModule
    constants: Mapping[str, Tensor]
    parameters: Mapping[str, str]
    outputs: tuple[tuple[int, ...], ...]

    @property
    def graph(self) -> fx.Graph:
        return self.module.graph


@dataclass(frozen=True)
class Emitted:
    """An ONNX model.

    Attributes:
        integers: traced `qdq` of an activation -> name of its integers in the graph.
        owners: initialiser -> the branch whose parameters it holds.
    """

    model: Any
    integers: Mapping[str, str]
    owners: Mapping[str, str]


def trace(network: torch.nn.Module, example: tuple[Tensor, ...]) -> Trace:
    """Record the network's operators on inputs like `example` (any batch)."""
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    inputs = tuple(x[:1].expand(TRACED_BATCH, *x.shape[1:]).contiguous() for x in example)
    with torch.no_grad():
        module = make_fx(network.requires_grad_(False), tracing_mode="real", pre_dispatch=True)(*inputs)
        outputs = network(*inputs)
    module.graph.eliminate_dead_code()
    constants = {n.target: getattr(module, n.target) for n in module.graph.nodes if n.op == "get_attr"}
    owners = {x.data_ptr(): name for name, x in (*network.named_parameters(), *network.named_buffers())}
    parameters = {name: owners[x.data_ptr()] for name, x in constants.items() if x.data_ptr() in owners}
    return Trace(module, constants, parameters, tuple(tuple(x.shape[1:]) for x in outputs))


def emit_onnx(traced: Trace, request: BuildRequest, dialect: str, exact: Mapping[str, Tensor] | None = None) -> bytes:
    """The ONNX file of a trace in one of `onnx_emitter.DIALECTS`; `exact` replaces the network's biases by name."""
    return emit_with_integers(traced, request, dialect, exact).model.SerializeToString()


def emit_with_integers(
    traced: Trace, request: BuildRequest, dialect: str, exact: Mapping[str, Tensor] | None = None
) -> Emitted:
    """As `emit_onnx`, with what is known of the graph's names."""
    import numpy as np

    from emoje_edge.engine.onnx_emitter import Emitter, Value
    from emoje_edge.engine.onnx_graph import GraphBuilder
    from emoje_edge.engine.onnx_ops import TABLE
    from emoje_edge.version import __version__

    builder = GraphBuilder()
    emitter = Emitter(builder, TABLE, dialect, TRACED_BATCH, "speaker", traced.parameters)
    inputs = [
        Value(name, (TRACED_BATCH, *x.shape[1:]), x.dtype)
        for name, x in zip(request.input_names, request.example, strict=True)
    ]
    constants = dict(traced.constants)
    for node, name in traced.parameters.items():
        if exact and name.endswith(".bias") and name in exact:
            constants[node] = exact[name]
    results = emitter.run(traced.module.graph, inputs, constants)
    types = [str(x.numpy().dtype) for x in request.example]
    model = builder.model(
        [(v.name, dtype, v.shape[1:]) for v, dtype in zip(inputs, types, strict=True)],
        [(n, np.dtype("float32").name, s) for n, s in zip(request.output_names, traced.outputs, strict=True)],
        [value.name for value in results],
        f"emoje-edge {__version__}",
    )
    return Emitted(model, emitter.integers, builder.owners)


def emit_request(request: BuildRequest) -> tuple[bytes, dict[str, bytes]]:
    """The request's network as ONNX for ONNX Runtime: the graph, and its weights by file (`engine.weights`).

    One trace serves both precisions: fp32 is the quantized trace without its Q/DQ and with the exact biases.
    """
    traced = request.shared.get("trace")
    if traced is None:
        traced = request.shared["trace"] = trace(request.network, request.example)
    exact = {}
    if request.precision == "fp32" and request.floating is not None:
        exact = dict(request.floating.state_dict())
    emitted = emit_with_integers(traced, request, DIALECT[request.precision], exact)
    return split(emitted.model, emitted.owners)


def export_versions() -> dict[str, Any]:
    """Versions of what wrote the file."""
    import onnx
    import torch

    return {"torch": torch.__version__, "onnx": onnx.__version__}
