"""A small ONNX graph builder: constants stored once, equal nodes computed once, batch always the first axis.

Only what the emitter (`onnx_emitter`) needs; checking and shape inference are onnx's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

OPSET = 20  # the first with Gelu
IR_VERSION = 9  # read by ONNX Runtime 1.18 and later
BATCH_AXIS = "batch"
LEAST = 8192  # bytes of a constant that may lie outside of the graph, with its owner's (`engine.weights`)


class GraphBuilder:
    """Collects nodes and initialisers; names are `v0`, `v1` … for values and `c0`, `c1` … for constants."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.owner = ""  # of the constants to come: the branch whose parameters they are
        self.owners: dict[str, str] = {}
        self._constant_names: dict[tuple[str, str, tuple[int, ...], bytes], str] = {}
        self._computed: dict[Any, list[str]] = {}

    def constant(self, value: Any, dtype: Any = None, *, shared: bool = True) -> str:
        """Name of an initialiser with this value, one for all that are equal unless it is not to be shared."""
        array = np.asarray(value, dtype)
        array = np.ascontiguousarray(array).reshape(array.shape)
        owner = self.owner if array.nbytes >= LEAST else ""  # what stays in the graph may be anybody's
        key = (owner, array.dtype.str, array.shape, array.tobytes())
        if shared and key in self._constant_names:
            return self._constant_names[key]
        name = f"c{len(self.constants)}"
        self.constants[name] = array
        if shared:
            self._constant_names[key] = name
        if owner:
            self.owners[name] = owner
        return name

    def add(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Append a node, or find the equal one: its output's name, or a list of names where `outputs` > 1."""
        from onnx import helper

        key = (op, inputs, outputs, repr(sorted(attributes.items())))
        if key not in self._computed:
            names = [
                f"v{len(self._computed)}" if outputs == 1 else f"v{len(self._computed)}_{i}" for i in range(outputs)
            ]
            self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
            self._computed[key] = names
        names = self._computed[key]
        return names[0] if outputs == 1 else names

    def axes(self, axes: Sequence[int]) -> str:
        return self.constant(axes, np.int64)

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        """Reshape; -1 stands for the batch, or for what it was multiplied into."""
        return self.add("Reshape", x, self.axes(shape))

    def model(
        self,
        inputs: Sequence[tuple[str, str, Sequence[int]]],
        outputs: Sequence[tuple[str, str, Sequence[int]]],
        results: Sequence[str],
        producer: str,
    ) -> Any:
        """The checked `onnx.ModelProto`.

        Args:
            inputs, outputs: (name, numpy dtype, shape without the batch).
            results: value behind each output.
        """
        import onnx
        from onnx import helper, numpy_helper

        def info(name: str, dtype: str, shape: Sequence[int]) -> Any:
            return helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), [BATCH_AXIS, *shape]
            )

        renamed = [
            helper.make_node("Identity", [value], [name]) for (name, _, _), value in zip(outputs, results, strict=True)
        ]
        nodes = [*self.nodes, *renamed]
        used = {x for node in nodes for x in node.input}
        graph = helper.make_graph(
            nodes,
            "emoje-edge",
            [info(*x) for x in inputs],
            [info(*x) for x in outputs],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items() if name in used],
        )
        model = helper.make_model(
            graph,
            producer_name=producer,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        onnx.checker.check_model(model, full_check=True)
        return model
