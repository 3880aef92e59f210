"""Our engine and the same network run in other ways, call by call in turn, so that all meet the same moments.

    python benchmarks/in_turn.py [MASK] [--threads N] [--calls N]

Prints Markdown: of each contender the quickest twentieth, the quickest quarter and the median of its calls, and ours
against it.  `pytest benchmarks/test_comparisons.py` times each on its own, which on a shared machine compares moments.
"""

from __future__ import annotations

import argparse
import time
from itertools import cycle, islice

import numpy as np

from benchmarks.contenders import compiled, eager, onnxruntime_fp32, ours
from emoje_edge.bench.time_engines import example_inputs
from emoje_edge.engine.session import open_engine
from emoje_edge.modality import Mask

CONTENDERS = {"ours": ours, "ONNX Runtime fp32": onnxruntime_fp32, "torch.compile": compiled, "eager torch": eager}
SHARES = (5, 25, 50)


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mask", nargs="?", default="text,audio,pose")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--calls", type=int, default=250)
    given = parser.parse_args()
    mask = Mask.parse(given.mask)
    inputs = example_inputs(open_engine(mask).manifest)
    runs = {name: make(mask, given.threads) for name, make in CONTENDERS.items()}
    for run in runs.values():
        for arrays in inputs:
            run(arrays)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for arrays in islice(cycle(inputs), given.calls):
        for name, run in runs.items():
            begin = time.perf_counter()
            run(arrays)
            times[name].append(1e3 * (time.perf_counter() - begin))
    mine = np.percentile(times["ours"], SHARES)
    print(f"| {mask}, {given.threads} thread(s), ms | p5 | p25 | p50 | ours against it |\n|---|---|---|---|---|")
    for name, found in times.items():
        of = np.percentile(found, SHARES)
        print(f"| {name} | {' | '.join(f'{x:.2f}' for x in of)} | {of[0] / mine[0]:.2f}×, {of[1] / mine[1]:.2f}× |")


if __name__ == "__main__":
    main()
