"""What `emoje-edge corpus` promises, measured: `python benchmarks/corpus.py NAME FOLDER`.

kills     killed with SIGKILL at 20 random moments and run again each time: the bytes of an undisturbed run
workers   two workers against one, whole command, in pairs
cluster   the local pool against Ray on this machine: the same bytes, and how long each takes
memory    the parent's memory over 10,000 small files (made here; FOLDER is where they go)
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import psutil

ROUNDS = 20


def corpus(folder: Path, out: Path, *options: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "emoje_edge", "corpus", str(folder), "--out", str(out), "--quiet", *options]


def timed(command: list[str]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    code = subprocess.run(command, check=False).returncode
    if code not in (0, 1):
        raise SystemExit(f"exit {code}: {' '.join(command)}")
    return time.perf_counter() - begin


def kills(folder: Path, work: Path, options: tuple[str, ...]) -> None:
    """SIGKILL at random moments of as many runs, then one to the end."""
    whole, out = work / "whole.jsonl", work / "killed.jsonl"
    length = timed(corpus(folder, whole, *options))
    generator, killed = random.Random(0), 0
    while killed < ROUNDS:
        running = subprocess.Popen(corpus(folder, out, *options))
        try:
            running.wait(timeout=generator.uniform(0.05, 0.25) * length)
            out.unlink()  # it came to its end: begin anew
            shutil.rmtree(out.with_name(f"{out.name}.parts"))
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            running.wait()
            killed += 1
    timed(corpus(folder, out, *options))
    same = out.read_bytes() == whole.read_bytes()
    print(f"{ROUNDS} runs killed; {'the same bytes' if same else 'OTHER BYTES'}")
    if not same:
        raise SystemExit(1)


def workers(folder: Path, work: Path, options: tuple[str, ...]) -> None:
    """One and two workers in turn, three times."""
    found: dict[str, list[float]] = {"1": [], "2": []}
    for number in range(3):
        for count in found:
            found[count].append(timed(corpus(folder, work / f"{count}-{number}.jsonl", "--workers", count, *options)))
    ratios = sorted(a / b for a, b in zip(found["1"], found["2"], strict=True))
    print(f"one {found['1']} s, two {found['2']} s: {ratios[1]:.2f} times as fast (all: {ratios})")


def cluster(folder: Path, work: Path, options: tuple[str, ...]) -> None:
    """The pool, then Ray."""
    times = {}
    for engine in ("local", "ray"):
        times[engine] = timed(corpus(folder, work / f"{engine}.csv", "--engine", engine, *options))
    same = (work / "local.csv").read_bytes() == (work / "ray.csv").read_bytes()
    print(f"local {times['local']:.1f} s, ray {times['ray']:.1f} s; {'the same bytes' if same else 'OTHER BYTES'}")
    if not same:
        raise SystemExit(1)


def memory(folder: Path, work: Path, options: tuple[str, ...]) -> None:
    """The parent's resident memory, MB, as the run goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(10_000):
        with wave.open(str(folder / f"{number:05d}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(1600))
        (folder / f"{number:05d}.srt").write_text("1\n00:00:00,000 --> 00:00:00,090\nI hate you!\n")
    running = subprocess.Popen(corpus(folder, work / "rows.parquet", "--mask", "text", *options))
    watched, seen = psutil.Process(running.pid), []
    while running.poll() is None:
        try:
            done = sum(1 for _ in (work / "rows.parquet.parts").glob("*.jsonl"))
            seen.append((done, watched.memory_info().rss / 2**20))
        except (OSError, psutil.NoSuchProcess):
            pass
        time.sleep(1.0)
    for share in (0.1, 0.25, 0.5, 0.75, 0.95):
        done, rss = next(x for x in seen if x[0] >= share * 10_000)
        print(f"{done} files: {rss:.0f} MB")
    print(f"largest {max(rss for _, rss in seen):.0f} MB")


if __name__ == "__main__":
    names = {"kills": kills, "workers": workers, "cluster": cluster, "memory": memory}
    if len(sys.argv) < 3 or sys.argv[1] not in names:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as made:
        names[sys.argv[1]](Path(sys.argv[2]), Path(made), tuple(sys.argv[3:]))
