"""A whole video through the recogniser: wall time against its duration, where the time goes, memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from emoje_edge.bench.timing import peak_mib


@dataclass(frozen=True)
class SourceRow:
    """Figures of one video.

    Attributes:
        name: the file's name.
        duration_s: seconds of video.
        wall_s: seconds from opening to the last row, start-up of the process excluded, of the libraries included.
        first_row_s: seconds until the first row was known.
        utterances: rows.
        stages_s: busy seconds of pose, audio, text and engine; they overlap, so their sum may exceed the wall time.
        peak_mib: the most resident memory of this process.
    """

    name: str
    duration_s: float
    wall_s: float
    first_row_s: float
    utterances: int
    stages_s: dict[str, float]
    peak_mib: float

    def lines(self) -> list[str]:
        stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in self.stages_s.items())
        return [
            f"{self.name}: {self.duration_s:.1f} s of video in {self.wall_s:.2f} s "
            f"({self.duration_s / self.wall_s:.1f}× real time), {self.utterances} utterances, "
            f"first after {self.first_row_s:.2f} s, peak {self.peak_mib:.0f} MiB; {stages}"
        ]


def measure_source(
    path: Path,
    *,
    mask: str = "auto",
    threads: int = 1,
    pose_fps: float | None = None,
    engine_dir: Path | None = None,
    model: str | None = None,
) -> SourceRow:
    """Run the recogniser over one file, as `infer` does.

    Raises:
        WorkError: the file cannot be read.
    """
    start = time.perf_counter()
    from emoje_edge.perception.media import probe
    from emoje_edge.recognizer import Recognizer
    from emoje_edge.shapes import POSE_RATE

    stages: dict[str, float] = dict.fromkeys(("pose", "audio", "text", "engine"), 0.0)
    first, rows = 0.0, 0
    options = {"model": model, "engine_dir": engine_dir, "threads": threads, "pose_fps": pose_fps or POSE_RATE}
    with Recognizer(mask, **options) as recogniser:  # type: ignore[arg-type]
        for event in recogniser.stream(path):
            rows += 1
            first = first or time.perf_counter() - start
            for stage in stages:
                stages[stage] += event.latency_ms.get(stage, 0.0) / 1e3
    wall = time.perf_counter() - start
    return SourceRow(path.name, probe(path).duration or 0.0, wall, first, rows, stages, peak_mib())
