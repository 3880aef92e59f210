"""Kill -9 at random moments of a folder run with --resume: in the end, the rows of an undisturbed run.

python benchmarks/kills.py [--kills 50] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

SOURCES, CUES = 40, 60


def make(folder: Path) -> None:
    """Recordings of a minute with a cue a second."""
    for number in range(SOURCES):
        with wave.open(str(folder / f"{number:02}.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes(2 * 16_000 * CUES))
        cues = (
            f"{i + 1}\n00:00:{i:02},000 --> 00:00:{i:02},900\n{'ANNE' if i % 2 else 'BOB'}: Line {i} of {number}.\n"
            for i in range(CUES)
        )
        (folder / f"{number:02}.srt").write_text("\n".join(cues))


def rows(path: Path) -> list[dict[str, Any]]:
    """Without the latencies, which no two runs share."""
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "latency_ms"} for row in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    dice = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as scratch:
        talks, out = Path(scratch) / "talks", Path(scratch) / "rows.jsonl"
        talks.mkdir()
        make(talks)
        command = [sys.executable, "-m", "emoje_edge", "infer", str(talks), "--mask", "text", "--words", "off", "-q"]
        begin = time.monotonic()
        subprocess.run([*command, "--out", str(out)], check=True)
        whole, length = rows(out), time.monotonic() - begin
        out.unlink()
        states: set[int] = set()
        for _ in range(given.kills):
            process = subprocess.Popen([*command, "--out", str(out), "--resume"])
            time.sleep(dice.uniform(0, length))
            process.kill()
            process.wait()
            states.add(out.stat().st_size if out.exists() else 0)
            if dice.random() < 0.2:
                out.unlink(missing_ok=True)  # begin anew now and then, or all would be done after a few
        subprocess.run([*command, "--out", str(out), "--resume"], check=True)
        same = rows(out) == whole
    print(f"{given.kills} kills, {len(states)} different states of the file: {'equal' if same else 'NOT EQUAL'} rows")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
