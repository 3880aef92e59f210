"""Rows of the GPU benchmarks: what is written down for each figure, the floors beside them, the plots from them."""

from __future__ import annotations

import csv
import datetime
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from emoje_kernels.layout import Layout, fused_floor, separate_floor

LAYOUT = Layout((24, 48, 30), 8, 32, 7, 256)


@dataclass(frozen=True)
class Machine:
    """What the figures are of."""

    gpu: str
    torch: str
    triton: str
    cuda: str
    python: str
    date: str

    @classmethod
    def of(cls, device: torch.device) -> Machine:
        try:
            import triton

            version = triton.__version__
        except ImportError:
            version = "none"
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"none ({platform.machine()})"
        date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        return cls(name, torch.__version__, version, str(torch.version.cuda), platform.python_version(), date)


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: operator forward, operator forward+backward, model …, or floor.
        implementation: eager, compiled, sdpa (its backend), flex, ours …
        graph: whether a CUDA graph was replayed.
        median_us, low_us, high_us: median, 20th and 80th percentile of a call; empty for floors.
        peak_bytes: of the allocator during the call.
        bytes, flop, launches: least that the work asks for, where it is known.
        note: why a figure is missing.
    """

    gpu: str
    torch: str
    triton: str
    cuda: str
    python: str
    date: str
    what: str
    implementation: str
    utterances: int
    dtype: str
    graph: bool
    median_us: float | None
    low_us: float | None
    high_us: float | None
    peak_bytes: int | None
    bytes: int | None
    flop: int | None
    launches: int | None
    note: str = ""


def row(
    machine: Machine,
    what: str,
    implementation: str,
    *,
    utterances: int,
    dtype: str,
    graph: bool = False,
    times: Sequence[float] = (),
    peak: int | None = None,
    floor: tuple[int, int, int] | None = None,
    note: str = "",
) -> Row:
    """A row from the times of single calls in microseconds."""
    median = statistics.median(times) if times else None
    cuts = statistics.quantiles(times, n=5) if len(times) > 1 else (None, None, None, None)
    least = floor or (None, None, None)
    kind = asdict(machine)
    return Row(
        **kind, what=what, implementation=implementation, utterances=utterances, dtype=dtype, graph=graph,
        median_us=median, low_us=cuts[0], high_us=cuts[-1], peak_bytes=peak,
        bytes=least[0], flop=least[1], launches=least[2], note=note,
    )  # fmt: skip


def floor_rows(machine: Machine, shapes: Sequence[int]) -> list[Row]:
    """Bytes, operations and launches that each way of doing it needs at least; no time is claimed."""
    rows = []
    for n in shapes:
        for name, itemsize in (("float16", 2), ("float32", 4)):
            floors = {
                ("floor, forward", "fused"): fused_floor(n, LAYOUT, itemsize),
                ("floor, backward", "fused"): fused_floor(n, LAYOUT, itemsize, backward=True),
                ("floor, forward", "three attention calls"): separate_floor(n, LAYOUT, itemsize),
            }
            for (what, implementation), floor in floors.items():
                least = (floor.bytes, floor.flop, floor.launches)
                rows.append(row(machine, what, implementation, utterances=n, dtype=name, floor=least))
    return rows


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    """Append to a CSV, with a header where it is new; a file with another header is refused."""
    names = [field.name for field in fields(Row)]
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    if not new:
        with path.open(newline="") as file:
            if next(csv.reader(file), None) != names:
                raise ValueError(f"{path} holds other columns: give another --out")
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, names)
        if new:
            writer.writeheader()
        for one in rows:
            writer.writerow({name: "" if value is None else value for name, value in asdict(one).items()})
    return path


def plot(out: Path, rows: Sequence[Row]) -> list[Path]:
    """One picture for each kind of measured row: time over utterances; none without matplotlib or times."""
    timed = [one for one in rows if one.median_us is not None and one.dtype == "float16"]
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return []
    pictures = []
    for what in sorted({one.what for one in timed}):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.subplots()
        for key in sorted({(one.implementation, one.graph) for one in timed if one.what == what}):
            line = sorted(
                (one.utterances, one.median_us or 0.0, one.low_us or 0.0, one.high_us or 0.0)
                for one in timed
                if (one.what, one.implementation, one.graph) == (what, *key)
            )
            n, median, low, high = zip(*line)  # noqa: B905 - tuples of four
            axes.plot(n, median, marker="o", label=f"{key[0]}{', CUDA graph' if key[1] else ''}")
            axes.fill_between(n, low, high, alpha=0.2)
        axes.set(xscale="log", yscale="log", xlabel="utterances", ylabel="µs a call", title=f"{what}, {timed[0].gpu}")
        axes.legend(fontsize="small")
        path = out.with_name(f"{out.name}-{what.replace(' ', '-').replace(',', '').replace('+', '-')}.png")
        figure.savefig(path, dpi=120)
        pictures.append(path)
    return pictures
