"""How time and memory grow with an utterance's and a dialogue's length.  Rows as CSV, and curves.

    python benchmarks/scaling.py --out docs/performance [--quick]

The physical limit stands beside each curve: operations counted on the network, over the machine's measured rate.
"""

from __future__ import annotations

import argparse
import csv
import gc
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.bench import machine_facts
from emoje_edge.bench.time_engines import example_inputs
from emoje_edge.bench.timing import in_turns, resident_mib
from emoje_edge.engine.session import open_engine
from emoje_edge.modality import Mask

Row = dict[str, Any]


def operations(mask: Mask) -> float:
    """Floating point operations of one utterance: the matmuls and convolutions of the eager network."""
    from contenders import student
    from torch.utils.flop_counter import FlopCounterMode

    network = student(mask)
    with FlopCounterMode(display=False) as counter:
        network(*network.example_inputs())
    return float(counter.get_total_flops())


def utterance_length() -> list[Row]:
    """Features and engine against the seconds of one utterance.  The engine's shapes are fixed, so it must be flat."""
    from emoje_edge.perception.audio import log_mel

    session = open_engine(Mask(7))
    base = example_inputs(session.manifest, sets=1)[0]
    rows = []
    for seconds in (0.5, 1.0, 2.0, 4.0, 7.68, 15.0, 30.0, 60.0):
        share = min(seconds / 7.68, 1.0)
        lengths = {k: np.maximum((v * share).astype(v.dtype), 1) for k, v in base.items() if k.endswith("_length")}
        sound = np.random.default_rng(0).standard_normal(int(seconds * 16_000)).astype(np.float32)
        engine = in_turns({"engine": session.run}, [{**base, **lengths}], rounds=60)["engine"]
        mel = in_turns({"mel": log_mel}, [sound], rounds=20)["mel"]
        rows.append(
            {"seconds": seconds, "engine_ms": engine.p50, "log_mel_ms": mel.p50, "resident_mib": resident_mib()}
        )
    return rows


def dialogue_length(longest: int) -> list[Row]:
    """One dialogue of up to `longest` utterances through the full engine, the state handed on.

    Every fourth time the same utterance runs as a dialogue's first beside it: `over_first` is the ratio of the medians,
    which the machine's drift leaves alone.
    """
    session = open_engine(Mask(7))
    sets = example_inputs(session.manifest)
    for arrays in sets:
        session.run(arrays)
    fresh = sets[0]["state"] * 0
    rows, state, done = [], fresh, 0
    marks = [n for n in (10, 30, 100, 300, 1000, 2000, 3000, 5000, 7500, 10_000) if n <= longest]
    for mark in marks:
        carried, first = [], []
        for i in range(done, mark):
            start = time.perf_counter()
            state = session.run({**sets[i % len(sets)], "state": state})["next_state"]
            carried.append(time.perf_counter() - start)
            if i % 4 == 0:
                start = time.perf_counter()
                session.run({**sets[i % len(sets)], "state": fresh})
                first.append(time.perf_counter() - start)
        gc.collect()
        rows.append(
            {
                "utterances": mark,
                "ms_per_utterance": float(np.median(carried)) * 1e3,
                "over_first": float(np.median(carried) / np.median(first)),
                "resident_mib": resident_mib(),
                "state_norm": float(np.linalg.norm(state)),
            }
        )
        done = mark
    return rows


def save(rows: list[Row], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def draw(rows: list[Row], x: str, ys: Sequence[str], path: Path, *, limit: tuple[str, float] | None = None) -> None:
    """One panel a figure, against `x`; the physical limit as a dashed line in the first."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(ys), figsize=(4.6 * len(ys), 3.4), squeeze=False)
    for axis, y in zip(axes[0], ys, strict=True):
        axis.plot([r[x] for r in rows], [r[y] for r in rows], marker="o", color="#3b6ea8")
        axis.set_xlabel(x.replace("_", " "))
        axis.set_ylabel(y.replace("_", " "))
        axis.set_ylim(bottom=0)
        if rows[-1][x] / rows[0][x] > 50:
            axis.set_xscale("log")
        axis.grid(alpha=0.3)
    if limit:
        axes[0][0].axhline(limit[1], linestyle="--", color="#c1432e", label=limit[0])
        axes[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    ceiling = machine_facts.limits()
    flops = operations(Mask(7))
    floor = flops / ceiling["matmul_gflops"] / 1e6
    print({"machine": machine_facts.describe(), **ceiling, "gflop_per_utterance": flops / 1e9, "floor_ms": floor})

    lengths = utterance_length()
    save(lengths, options.out / "utterance_length.csv")
    draw(
        lengths,
        "seconds",
        ["engine_ms", "log_mel_ms"],
        options.out / "utterance_length.png",
        limit=("operations / fp32 matmul rate", floor),
    )
    dialogue = dialogue_length(1000 if options.quick else 10_000)
    save(dialogue, options.out / "dialogue_length.csv")
    draw(
        dialogue,
        "utterances",
        ["ms_per_utterance", "over_first", "resident_mib"],
        options.out / "dialogue_length.png",
        limit=("operations / fp32 matmul rate", floor),
    )
    for rows in (lengths, dialogue):
        for row in rows:
            print(row)


if __name__ == "__main__":
    main()
