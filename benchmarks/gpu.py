"""All kernel and model benchmarks of one CUDA machine, from the source tree, behind a correctness gate.

    python benchmarks/gpu.py --out benchmarks/results/gpu            (about 8 minutes at most)

The gate runs first: fp32, fp16, bf16 and INT8 against fp64, gradients, repeatability, every mask.  Where it is red no
speed is measured and the exit code is 1.  Rows go to `<out>.csv`, plots to `<out>-*.png` where matplotlib is there.
Needs torch (2.11 or later) and triton (3.6 or later); nothing need be installed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "kernels", ROOT / "benchmarks"):
    sys.path.insert(0, str(folder))

import torch  # noqa: E402 - after the path, so that it runs from the source tree
from gpu_gate import Check, run_gate  # noqa: E402
from gpu_rows import Machine, Row, floor_rows, plot, write_rows  # noqa: E402

SHAPES = (1, 32, 256, 4096)  # utterances


def measure(device: torch.device, machine: Machine, *, seconds: float) -> list[Row]:
    """Operator and model rows, within `seconds`; what did not fit is said on stderr."""
    from gpu_cases import model_rows, operator_rows, variant_rows

    end = time.monotonic() + seconds
    rows: list[Row] = []
    for utterances in SHAPES:
        for dtype in (torch.float16, torch.bfloat16, torch.float32):
            if time.monotonic() > end:
                print(f"out of time: N = {utterances}, {dtype} and what follows was not measured", file=sys.stderr)
                return rows
            rows += operator_rows(machine, device, utterances, dtype)
    rows += variant_rows(machine, device, 1) + variant_rows(machine, device, 256)
    if time.monotonic() < end:
        rows += model_rows(machine, device)
    return rows


def report_gate(checks: list[Check]) -> bool:
    """Print every check; whether all are green."""
    for check in checks:
        print(f"{'green' if check.passed else 'RED  '}  {check.name}: {check.error:.2e}, at most {check.limit:.2e}")
    return all(check.passed for check in checks)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 measured, 1 the gate is red, 2 no CUDA device."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "gpu")
    parser.add_argument("--seconds", type=float, default=420.0, help="for the speeds, after the gate")
    parser.add_argument("--gate-only", action="store_true", help="stop after the gate")
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("no CUDA device: nothing was measured. Run this on a machine with one.", file=sys.stderr)
        return 2
    device = torch.device("cuda")
    return run(device, options.out, seconds=options.seconds, gate_only=options.gate_only)


def run(device: torch.device, out: Path, *, seconds: float, gate_only: bool) -> int:
    """Gate, then rows and plots."""
    if not report_gate(run_gate(device)):
        print("the gate is red: no speed is reported", file=sys.stderr)
        return 1
    if gate_only:
        return 0
    machine = Machine.of(device)
    rows = measure(device, machine, seconds=seconds) if device.type == "cuda" else []
    rows += floor_rows(machine, SHAPES)
    path = write_rows(out.with_suffix(".csv"), rows)
    print(f"{len(rows)} rows in {path}")
    for picture in plot(out, rows):
        print(f"plot in {picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
