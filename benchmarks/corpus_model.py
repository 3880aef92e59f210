"""A million hours of recordings, on paper: cores, days, files and bytes.

    python benchmarks/corpus_model.py [HOURS]

Each part comes from a figure that was measured on two cores of an AMD EPYC, most of them with other work beside it; the
table is arithmetic, not a measurement.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

HOUR = 3600.0
# core seconds for an hour of media
SPEECH = 0.0018 * HOUR  # Silero: 1.8 ms a second of sound
WORDS = 0.040 * HOUR  # Whisper tiny.en: .040 of real time
BODIES = 0.012 * 12.5 * HOUR  # BlazePose on ONNX Runtime: 12 ms a picture, 12.5 a second
SOUND = 54.0  # 400 clips of RAVDESS (24.7 minutes) in 22.4 s by `benchmarks/corpus.py cluster`
ROWS = 900.0  # utterances in an hour: one in four seconds
ROW_BYTES = 457.0  # of a JSON line with words
MERGED = 39_000.0  # rows a second of one core, into Parquet
CLIP_HOURS = 0.25  # of one recording
PRICE = 0.04  # of a core for an hour, US dollars: a guess, put in your own


@dataclass(frozen=True)
class Job:
    """A kind of labelling: its name, and seconds of one core for an hour of media."""

    name: str
    core_seconds: float


JOBS = (
    Job("sound", SOUND + SPEECH),
    Job("sound and words", SOUND + SPEECH + WORDS),
    Job("sound, words and bodies", SOUND + SPEECH + WORDS + BODIES),
)


def main(hours: float) -> None:
    """One line a job."""
    parts, rows = hours / CLIP_HOURS, hours * ROWS
    print(f"{hours:,.0f} hours of media, {parts:,.0f} parts, {rows * ROW_BYTES / 1e9:,.0f} GB of parts")
    print(f"merging {rows:,.0f} rows on one core: {rows / MERGED / HOUR:.1f} h")
    for job in JOBS:
        cores = hours * job.core_seconds / HOUR
        price = 1000 * job.core_seconds / HOUR * PRICE
        print(
            f"{job.name:24} {cores:9,.0f} core hours {cores / 24000:6.1f} days on 1,000 cores {price:6.2f} $ a 1,000 h"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1e6)
