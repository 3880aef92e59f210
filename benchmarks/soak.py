"""Six hours of sound, pictures and cues through one process, as fast as they go: nothing that it holds may grow.

    python benchmarks/soak.py [--hours 6] [--picture soak.png]

The first half's utterances are told by cues, the second half's are found by their sound.  Once a simulated minute the
process is looked at.  Exit code 1 where memory grows by 1 MB an hour or more after the first half hour, or where
threads or open files grow at all.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from emoje_edge import Recognizer
from emoje_edge.perception.media import AudioBlock, MediaInfo, VideoFrame
from emoje_edge.shapes import SAMPLE_RATE

SPEECH, PAUSE = 2.0, 3.0  # s, in turn
PICTURE_EVERY = 10.0  # s: what finds bodies takes a hundred times as long as all else
LIMIT_MB_PER_HOUR = 1.0
SENTENCES = (
    "I cannot believe it!",
    "Leave me alone.",
    "We meet at nine.",
    "What a wonderful day!",
    "I miss her so much.",
)


class Endless:
    """A source that makes sound and pictures of a length, in time order."""

    def __init__(self, seconds: float, start: float, look: Any) -> None:
        self.info = MediaInfo(
            duration=None, has_video=True, has_audio=True, width=96, height=72, rate=1 / PICTURE_EVERY
        )
        self._seconds, self._start, self._look = seconds, start, look
        t = np.arange(int(SPEECH * SAMPLE_RATE)) / SAMPLE_RATE
        voice = sum(np.sin(2 * np.pi * 130 * k * t * (1 + 0.02 * np.sin(5 * t))) / k for k in range(1, 25))
        self._voice = (0.1 * voice * np.sin(2 * np.pi * 2 * t) ** 2).astype(np.float32)
        self._dice = np.random.default_rng(0)

    def __enter__(self) -> Endless:
        return self

    def __exit__(self, *error: object) -> None: ...

    def decode(self, *, video: bool = True, audio: bool = True, fps: float | None = None) -> Iterator[Any]:
        now, picture = 0.0, 0.0
        while now < self._seconds:
            for sound in (self._voice, np.zeros(int(PAUSE * SAMPLE_RATE), np.float32)):
                block = sound + self._dice.normal(0, 1e-3, sound.size).astype(np.float32)
                yield AudioBlock(now, block)
                now += block.size / SAMPLE_RATE
            while video and picture < now:
                yield VideoFrame(picture, self._dice.integers(0, 255, (72, 96, 3), np.uint8))
                picture += PICTURE_EVERY
            self._look(self._start + now)


def cues(path: Path, seconds: float) -> Path:
    """Subtitles for an `Endless` of this length."""

    def stamp(at: float) -> str:
        whole = int(at)
        return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{round(at % 1 * 1000):03}"

    every = SPEECH + PAUSE
    lines = (
        f"{i + 1}\n{stamp(i * every)} --> {stamp(i * every + SPEECH)}\n"
        f"{'ANNE' if i % 2 else 'BOB'}: {SENTENCES[i % len(SENTENCES)]}\n"
        for i in range(int(seconds / every))
    )
    path.write_text("\n".join(lines))
    return path


class Watch:
    """Looks at the process once a simulated minute.

    Attributes:
        found: rows of hour, resident MB, threads, open files.
    """

    def __init__(self) -> None:
        self.found: list[tuple[float, float, int, int]] = []
        self._process = psutil.Process()

    def __call__(self, seconds: float) -> None:
        if seconds >= 60.0 * len(self.found):
            gc.collect()
            memory = self._process.memory_info().rss / 1e6
            self.found.append((seconds / 3600, memory, threading.active_count(), len(os.listdir("/proc/self/fd"))))


def run(hours: float) -> tuple[np.ndarray, int]:
    """Both halves: the looks [N, 4] and how many utterances there were."""
    watch, utterances, half = Watch(), 0, hours * 1800
    with Recognizer(words="off") as recognizer, tempfile.TemporaryDirectory() as folder:
        words = cues(Path(folder) / "words.srt", half)
        for start, text in ((0.0, words), (half, None)):
            source = Endless(half, start, watch)
            for _ in recognizer.stream(source, text):  # type: ignore[arg-type]
                utterances += 1
    return np.array(watch.found), utterances


def draw(looks: np.ndarray, path: Path) -> None:
    """The curve as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="tight")
    memory = figure.add_subplot()
    memory.plot(looks[:, 0], looks[:, 1], label="resident memory, MB")
    memory.set(xlabel="simulated hours", ylabel="MB", ylim=(0, 1.3 * looks[:, 1].max()))
    counts = memory.twinx()
    counts.plot(looks[:, 0], looks[:, 2], "C1", label="threads")
    counts.plot(looks[:, 0], looks[:, 3], "C2", label="open files")
    counts.set(ylim=(0, 1.5 * looks[:, 2:].max()))
    figure.legend(loc="upper center", ncols=3, frameon=False)
    figure.savefig(path, dpi=100)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--table", type=Path, help="the looks as CSV")
    given = parser.parse_args()
    begin = time.monotonic()
    looks, utterances = run(given.hours)
    settled = looks[looks[:, 0] >= min(0.5, given.hours / 4)]
    slope = float(np.polyfit(settled[:, 0], settled[:, 1], 1)[0])
    threads, files = (int(settled[-1, column] - settled[0, column]) for column in (2, 3))
    print(
        f"{given.hours:g} h, {utterances} utterances in {time.monotonic() - begin:.0f} s: {settled[0, 1]:.1f} to "
        f"{settled[-1, 1]:.1f} MB, {slope:+.2f} MB an hour; threads {threads:+d}, files {files:+d}"
    )
    if given.table:
        np.savetxt(given.table, looks, fmt="%.3f", delimiter=",", header="hour,megabytes,threads,files", comments="")
    if given.picture:
        draw(looks, given.picture)
    return int(slope >= LIMIT_MB_PER_HOUR or threads > 0 or files > 0)


if __name__ == "__main__":
    sys.exit(main())
