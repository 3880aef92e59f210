"""One million hours, on paper: `python benchmarks/corpus_scale.py [--hours 1000000] [--minutes 10] [--speed 9]`.

Parts of the work that do not depend on what is said are measured here on some thousand made-up parts (writing, asking
what is done, merging, memory a recording), then multiplied.  The speed of recognising, in media seconds a second of one
core, is what `corpus` prints; the price of a core's hour is the reader's own.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emoje_edge.corpus.ledger import Ledger, Part
from emoje_edge.corpus.merge import merge
from emoje_edge.corpus.recordings import in_folder, longest_first
from emoje_edge.corpus.settings import Settings
from emoje_edge.emotion import EMOTIONS
from emoje_edge.report.parquet import require_pyarrow

TALK = "I could not tell you what he meant by that to be honest with all of them who came late again today"
WORDS = TALK.split()
ROWS_AN_HOUR = 900  # utterances: MELD's people say one every four seconds


def row(number: int, dice: random.Random) -> dict[str, Any]:
    """A row as long as real ones are, and no two alike."""
    shares = {label: round(dice.random() / 4, 4) for label in EMOTIONS}
    return {
        "source": "2026/11/29/interview-000000.mp4",
        "start": 4.0 * number,
        "end": 4.0 * number + 3.2,
        "speaker": "SPEAKER_01",
        "text": " ".join(dice.choices(WORDS, k=11)),
        "text_from": "recognised",
        "text_confidence": round(dice.random(), 4),
        "emotion": "neutral",
        "confidence": round(dice.random(), 4),
        "reason": None,
        "model": "small",
        "probabilities": shares,
        "modalities": ["text", "audio", "pose"],
        "weights": {name: round(dice.random(), 4) for name in ("text", "audio", "pose")},
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of this process, which other work on the machine does not change, and what it gives."""
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found


def measured(folder: Path, rows: int, sample: int) -> dict[str, float]:
    """Processor seconds and bytes a recording, each of `rows` rows."""
    clips = folder / "clips"
    for number in range(sample):
        place = clips / f"{number // 100:03d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"interview-{number:06d}.wav").write_bytes(WAV)
    require_pyarrow(folder / "rows.parquet")  # its import is no part of merging
    find, recordings = timed(lambda: in_folder(clips))
    tracemalloc.start()
    kept = in_folder(clips)
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(kept) == sample
    headers, _ = timed(lambda: longest_first(recordings))
    ledger = Ledger(folder / "rows.parquet", Settings().describe())
    begin, _ = timed(lambda: ledger.write_plan(recordings))
    dice = random.Random(0)
    told = [Part(r.name, 600.0, [row(number, dice) for number in range(rows)]) for r in recordings]
    write, _ = timed(lambda: [ledger.write(r, part) for r, part in zip(recordings, told, strict=True)])
    ask, _ = timed(lambda: [ledger.is_done(r) for r in recordings])
    join, _ = timed(lambda: merge(ledger.parts(recordings), folder / "rows.parquet", EMOTIONS, ledger.description))
    parts = sum(path.stat().st_size for path in ledger.folder.glob("*.jsonl"))
    out = (folder / "rows.parquet").stat().st_size
    found = {"find": find, "headers": headers, "plan": begin, "write": write, "ask": ask, "merge": join}
    return {k: v / sample for k, v in {**found, "memory": memory, "parts": parts, "out": out}.items()}


WAV = (
    b"RIFF\x44\x06\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00"
    b"\x02\x00\x10\x00data\x20\x06\x00\x00" + bytes(1568)
)  # a tenth of a second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1e6)
    parser.add_argument("--minutes", type=float, default=10.0, help="length of a recording")
    parser.add_argument("--speed", type=float, required=True, help="media seconds a second of one core")
    parser.add_argument("--sample", type=int, default=1000, help="recordings to measure on")
    parser.add_argument("--cores", type=int, default=1000)
    given = parser.parse_args()
    rows = round(ROWS_AN_HOUR * given.minutes / 60)
    with tempfile.TemporaryDirectory() as made:
        one = measured(Path(made), rows, given.sample)
    count = given.hours * 60 / given.minutes
    print(
        f"{given.sample} recordings of {rows} rows measured; {count:,.0f} recordings, {count * rows:,.0f} rows reckoned"
    )
    for name in ("find", "headers", "plan", "write", "ask", "merge"):
        print(f"{name:8} {one[name] * 1e3:8.3f} ms a recording {one[name] * count / 3600:10.1f} hours")
    for name in ("memory", "parts", "out"):
        print(f"{name:8} {one[name]:8.0f} bytes a recording {one[name] * count / 1e9:10.1f} GB")
    work = given.hours / given.speed
    print(
        f"work: {work:,.0f} core hours at {given.speed:g} times real time; {work / given.cores / 24:.1f} days on "
        f"{given.cores} cores; {1000 / given.speed:.0f} core hours for a thousand hours of media"
    )


if __name__ == "__main__":
    main()
