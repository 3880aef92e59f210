"""Timing that can be compared: several input sets in rotation, a warm-up, percentiles, and peak memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

Input = TypeVar("Input")


@dataclass(frozen=True)
class Timing:
    """Milliseconds a call: percentiles over `calls` calls."""

    p50: float
    p95: float
    p99: float
    calls: int

    @classmethod
    def from_milliseconds(cls, milliseconds: Sequence[float]) -> Timing:
        p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
        return cls(float(p50), float(p95), float(p99), len(milliseconds))


def in_turns(
    works: dict[str, Callable[[Input], object]],
    inputs: Sequence[Input],
    *,
    warmup: int = 10,
    rounds: int = 200,
    seconds: float = 10.0,
) -> dict[str, Timing]:
    """Time several works on the same inputs, one call each in turn, so that drift of the machine strikes all alike.

    Args:
        works: name -> what is timed.
        inputs: at least one input set; the rounds rotate through them, so that no single set stays in the cache.
        warmup: calls of each work before the clock counts.
        rounds: calls of each that are counted; fewer (20 at least) where `seconds` runs out first.
        seconds: bound on the counted time.
    """
    for work in works.values():
        for i in range(warmup):
            work(inputs[i % len(inputs)])
    times: dict[str, list[float]] = {name: [] for name in works}
    end = time.perf_counter() + seconds
    for i in range(rounds):
        if i >= 20 and time.perf_counter() > end:
            break
        for name, work in works.items():
            start = time.perf_counter()
            work(inputs[i % len(inputs)])
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: Timing.from_milliseconds(values) for name, values in times.items()}


def resident_mib() -> float:
    """Resident memory of this process now, MiB."""
    return _status("VmRSS")


def peak_mib() -> float:
    """The most resident memory this process has had, MiB."""
    return _status("VmHWM")


def _status(field: str) -> float:
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(rf"^{field}:\s+(\d+) kB$", status.read_text(), re.M)
        if found:
            return int(found.group(1)) / 1024
    import resource  # not on Windows, where this file is not either

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if peak > 1 << 30 else peak / 1024
