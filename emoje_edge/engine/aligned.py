"""INT8 ONNX against the quantized eager reference, operator by operator on the same integers.

End to end, two right implementations differ: a value that lies within float noise of the middle between two integers
is rounded up by one and down by the other, and everything after it follows.  Here the eager reference takes such a
value as the engine rounded it, and only such: a value that differs although it is no tie counts as it is.  What is left
between the outputs is the error of the emission, which must be float noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from emoje_calibration.operators import LEVELS
from torch import Tensor, fx

from emoje_edge.engine.backends.onnx import session_options
from emoje_edge.engine.export import TRACED_BATCH, emit_with_integers
from emoje_edge.engine.interface import BuildRequest
from emoje_edge.runtime import runtime

TIE = 1e-3  # steps from the middle between two integers within which either is right


class _Follow(fx.Interpreter):
    """The traced reference, rounding ties as `integers` did."""

    def __init__(self, module: fx.GraphModule, integers: dict[str, np.ndarray]) -> None:
        super().__init__(module)
        self.integers, self.ties = integers, 0

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.name not in self.integers:
            return result
        x, amax = (self.env[argument] for argument in n.args)  # type: ignore[index]
        return self._rounded(x, amax, torch.from_numpy(self.integers[n.name].astype(np.float32)).reshape(x.shape) - 128)

    def _rounded(self, x: Tensor, amax: Tensor, theirs: Tensor) -> Tensor:
        scale = amax / LEVELS
        mine = torch.clamp(torch.round(x / scale), -LEVELS - 1, LEVELS)
        tie = (mine != theirs) & ((x / scale - (mine + theirs) / 2).abs() <= TIE) & ((mine - theirs).abs() <= 1)
        self.ties += int(tie.sum())
        return torch.where(tie, theirs, mine) * scale


def aligned_error(request: BuildRequest, batches: Sequence[dict[str, np.ndarray]]) -> float | None:
    """Largest difference of any output over the batches; None where no activation is quantized.

    Args:
        request: of the INT8 build; its trace is in `shared`.
        batches: inputs by name; they are regrouped to the traced batch size, the rest left over is not used.
    """
    from onnx import helper

    traced = request.shared["trace"]
    emitted = emit_with_integers(traced, request, "uint8")
    model, integers = emitted.model, emitted.integers
    if not integers:
        return None
    names = sorted(set(integers.values()))
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = session_options(threads=1)
    session = runtime().InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    joined = {name: np.concatenate([batch[name] for batch in batches]) for name in request.input_names}
    rows = len(next(iter(joined.values())))
    error = 0.0
    for first in range(0, max(rows - TRACED_BATCH, 0) + 1, TRACED_BATCH):
        chosen = np.minimum(np.arange(first, first + TRACED_BATCH), rows - 1)
        inputs = {name: x[chosen] for name, x in joined.items()}
        got = session.run([*request.output_names, *names], inputs)
        values = dict(zip(names, got[len(request.output_names) :], strict=True))
        follow = _Follow(traced.module, {node: values[name] for node, name in integers.items()})
        with torch.no_grad():
            expected = follow.run(*(torch.from_numpy(inputs[name]) for name in request.input_names))
        for a, b in zip(got, expected, strict=False):
            error = max(error, float(np.abs(a - b.numpy()).max(initial=0.0)))
    return float(f"{error:.3g}")
