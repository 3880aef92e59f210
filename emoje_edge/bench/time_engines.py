"""One row an engine: size, latency, throughput and peak memory, each measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.bench.timing import in_turns, peak_mib, resident_mib
from emoje_edge.engine.manifest import Manifest
from emoje_edge.engine.session import open_engine
from emoje_edge.errors import EmojeError
from emoje_edge.modality import Mask

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class EngineRow:
    """Figures of one engine at one batch size.  Times in ms a call; memory and size in MiB; `status` ok or why not."""

    mask: str
    backend: str
    batch: int
    threads: int
    status: str = "ok"
    precision: str = ""
    size_mib: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    utterances_per_s: float | None = None
    peak_mib: float | None = None


def example_inputs(manifest: Manifest, *, batch: int = 1, sets: int = 8, seed: int = 0) -> list[Arrays]:
    """Seeded inputs for an engine: real shapes, ragged lengths between a half and full, a running state."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(sets):
        arrays: Arrays = {}
        for spec in manifest.inputs:
            shape = (batch, *(int(n) for n in spec.shape[1:]))
            if spec.name.endswith("_length"):
                full = arrays[spec.name.removesuffix("_length")].shape[1]
                arrays[spec.name] = rng.integers(full // 2, full + 1, shape).astype(spec.dtype)
            elif np.issubdtype(np.dtype(spec.dtype), np.integer):
                arrays[spec.name] = rng.integers(1, 1000, shape).astype(spec.dtype)
            elif spec.name.endswith("_quality"):
                arrays[spec.name] = rng.random(shape).astype(spec.dtype)
            elif spec.name == "voice":
                past = rng.integers(0, 20, (batch, 1))
                sums = past * rng.standard_normal((batch, shape[1] - 1))
                arrays[spec.name] = np.concatenate([sums, past], axis=1).astype(spec.dtype)
            elif spec.name == "speaker":
                arrays[spec.name] = rng.integers(0, 2, shape).astype(spec.dtype)
            else:
                arrays[spec.name] = rng.standard_normal(shape).astype(spec.dtype)
        made.append(arrays)
    return made


def measure_here(
    mask: Mask,
    backend: str,
    *,
    batch: int,
    threads: int,
    engine_dir: Path | None = None,
    model: str | None = None,
) -> EngineRow:
    """Measure in this process, which should hold nothing else: peak memory is the process's own."""
    before = resident_mib()
    session = open_engine(mask, model=model, engine_dir=engine_dir, backend=backend, threads=threads)
    timing = in_turns({"engine": session.run}, example_inputs(session.manifest, batch=batch))["engine"]
    return EngineRow(
        mask=str(mask),
        backend=backend,
        batch=batch,
        threads=threads,
        precision=session.manifest.precision,
        size_mib=session.manifest.size / 2**20,
        p50_ms=timing.p50,
        p95_ms=timing.p95,
        p99_ms=timing.p99,
        utterances_per_s=batch * 1e3 / timing.p50,
        peak_mib=peak_mib() - before,
    )


def measure(
    masks: Sequence[Mask],
    backends: Sequence[str],
    *,
    batch: int = 1,
    threads: int = 2,
    engine_dir: Path | None = None,
    model: str | None = None,
) -> list[EngineRow]:
    """One row a mask and backend; a backend that does not work here gets its reason as status, not a figure."""
    rows = []
    for backend in backends:
        for mask in masks:
            order = {"mask": str(mask), "backend": backend, "batch": batch, "threads": threads}
            order |= {"engine_dir": str(engine_dir) if engine_dir else "", "model": model}
            rows.append(_in_child(order))
    return rows


def _in_child(order: dict[str, Any]) -> EngineRow:
    done = subprocess.run(
        [sys.executable, "-m", "emoje_edge.bench.time_engines", json.dumps(order)], capture_output=True, text=True
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return EngineRow(**json.loads(lines[-1]))
    reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return EngineRow(order["mask"], order["backend"], order["batch"], order["threads"], status=reason)


def _child(order: dict[str, Any]) -> EngineRow:
    mask = Mask.parse(order["mask"])
    directory = Path(order["engine_dir"]) if order["engine_dir"] else None
    try:
        return measure_here(
            mask,
            order["backend"],
            batch=order["batch"],
            threads=order["threads"],
            engine_dir=directory,
            model=order["model"],
        )
    except EmojeError as error:
        return EngineRow(str(mask), order["backend"], order["batch"], order["threads"], status=error.message)


if __name__ == "__main__":
    print(json.dumps(asdict(_child(json.loads(sys.argv[1])))))
