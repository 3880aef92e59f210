"""Parity and latency of an open engine, against eager torch on the calibration set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from emoje_edge.engine.manifest import Latency, Parity

if TYPE_CHECKING:
    from torch import Tensor, nn

    from emoje_edge.engine.interface import Session

WARM_UP, RUNS = 20, 200


@dataclass(frozen=True)
class References:
    """Eager results on the calibration set.

    Attributes:
        inputs: batches of arrays by name.
        floating: logits, weights and next state of the fp32 network, a batch.
        quantized: the same of the quantized network; None in floating point.
    """

    inputs: list[dict[str, np.ndarray]]
    floating: list[tuple[np.ndarray, ...]]
    quantized: list[tuple[np.ndarray, ...]] | None


def eager(network: nn.Module, batches: Sequence[tuple[Tensor, ...]]) -> list[tuple[np.ndarray, ...]]:
    import torch

    with torch.no_grad():
        return [tuple(x.numpy() for x in network(*inputs)) for inputs in batches]


def parity(session: Session, references: References, data: str, quantized: bool) -> Parity:
    """Label agreement with fp32, and the largest difference to the eager reference of the same precision."""
    fixed = session.manifest.inputs[0].shape[0]
    agree, samples, error = 0, 0, 0.0
    against = references.quantized if quantized and references.quantized else references.floating
    for inputs, floating, same in zip(references.inputs, references.floating, against, strict=True):
        got = _in_batches(session, inputs, fixed if isinstance(fixed, int) else None)
        agree += int((got[0].argmax(1) == floating[0].argmax(1)).sum())
        samples += len(got[0])
        error = max(error, *(float(np.abs(a - b).max(initial=0.0)) for a, b in zip(got, same, strict=True)))
    kind = "quantized" if quantized and references.quantized else "fp32"
    return Parity(data, samples, round(agree / samples, 6), float(f"{error:.3g}"), None, kind)


def latency(sessions: Sequence[Session], inputs: dict[str, np.ndarray], threads: int) -> list[Latency]:
    """p50 and p95 at batch 1 of engines that take the same inputs, run in turn so that a busy moment hits all alike."""
    one = {name: x[:1] for name, x in inputs.items()}
    for session in sessions:
        for _ in range(WARM_UP):
            session.run(one)
    times = np.empty((len(sessions), RUNS))
    for run in range(RUNS):
        for i, session in enumerate(sessions):
            start = time.perf_counter()
            session.run(one)
            times[i, run] = (time.perf_counter() - start) * 1e3
    return [
        Latency(round(float(np.percentile(t, 50)), 4), round(float(np.percentile(t, 95)), 4), RUNS, threads)
        for t in times
    ]


def _in_batches(session: Session, inputs: dict[str, np.ndarray], fixed: int | None) -> tuple[np.ndarray, ...]:
    """One run, or several where the engine's batch is fixed (the last one filled up by repeating a row)."""
    if fixed is None:
        out = session.run(inputs)
        return tuple(out[x.name] for x in session.manifest.outputs)
    rows = len(next(iter(inputs.values())))
    parts = []
    for first in range(0, rows, fixed):
        chosen = np.minimum(np.arange(first, first + fixed), rows - 1)
        out = session.run({name: x[chosen] for name, x in inputs.items()})
        parts.append([out[x.name] for x in session.manifest.outputs])
    return tuple(np.concatenate(columns)[:rows] for columns in zip(*parts, strict=True))
