"""What `emoje-edge corpus` promises, measured: `python benchmarks/corpus.py NAME FOLDER`.

kills     killed with SIGKILL at 20 random moments and run again each time: the bytes of an undisturbed run
workers   two workers against one, whole command, in pairs
cluster   the local pool against Ray on this machine: the same bytes, and how long each takes
memory    the parent's memory over 10,000 small files (made here; FOLDER is where they go)
silence   an hour of digital silence beside one that speaks: how long it takes, and that it is no failure
ravdess   400 clips of RAVDESS with their labels against `evaluate` on the same clips (FOLDER holds the corpus)
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import wave
from collections import Counter
from pathlib import Path
from typing import Any

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


def silence(folder: Path, work: Path, options: tuple[str, ...]) -> None:
    """An hour of zeros, and one of nearly nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, sample in (("digital", b"\0\0"), ("dither", b"\1\0")):
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            for _ in range(60):
                file.writeframes((sample + b"\0\0") * (8000 * 30))
    out = work / "rows.jsonl"
    seconds = timed(corpus(folder, out, "--workers", "1", *options))
    print(f"two hours of silence: {seconds:.0f} s, {len(out.read_text().splitlines())} rows")
    subprocess.run([sys.executable, "-m", "emoje_edge", "corpus", "status", str(out)], check=True)


def ravdess(folder: Path, work: Path, options: tuple[str, ...]) -> None:
    """Both tables, and where the answers differ."""
    names = {
        "01": "neutral",
        "03": "joy",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
    }
    files = sorted(p for p in folder.glob("*.flac") if p.name.split("-")[2] in names)
    chosen = random.Random(0).sample(files, min(400, len(files)))
    clips = work / "ravdess"
    clips.mkdir()
    for path in chosen:
        (clips / path.name).symlink_to(path.resolve())
    labels = work / "labels.csv"
    labels.write_text("path,label\n" + "".join(f"{p.name},{names[p.name.split('-')[2]]}\n" for p in chosen))
    out = work / "rows.jsonl"
    timed(corpus(clips, out, "--mask", "audio", "--words", "off", "--labels", str(labels), *options))
    rows: dict[str, list[dict[str, Any]]] = {}
    for line in out.read_text().splitlines():
        one = json.loads(line)
        rows.setdefault(one["source"], []).append(one)
    print(f"rows a clip: {sorted(Counter(map(len, rows.values())).items())}; without one: {len(chosen) - len(rows)}")
    whole, found = work / "whole", work / "found"
    for place, parts in (
        (whole, lambda name: [("", "")]),
        (found, lambda name: [(r["start"], r["end"]) for r in rows.get(name, ())]),
    ):
        place.mkdir()
        lines = (
            f"{path.resolve()},{start},{end},{path.stem},,,{names[path.name.split('-')[2]]}\n"
            for path in sorted(chosen)
            for start, end in parts(path.name)
        )
        (place / "manifest.csv").write_text("path,start,end,dialogue,speaker,text,label\n" + "".join(lines))
        command = [
            "evaluate",
            "--dataset",
            "manifest",
            "--root",
            str(place),
            "--mask",
            "audio",
            "--cache",
            str(work / "cache"),
        ]
        print(f"evaluate on {'whole clips' if place is whole else 'the stretches that corpus found'}:", flush=True)
        subprocess.run([sys.executable, "-m", "emoje_edge", *command], check=True)


if __name__ == "__main__":
    names = {
        "kills": kills,
        "workers": workers,
        "cluster": cluster,
        "memory": memory,
        "silence": silence,
        "ravdess": ravdess,
    }
    if len(sys.argv) < 3 or sys.argv[1] not in names:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as made:
        names[sys.argv[1]](Path(sys.argv[2]), Path(made), tuple(sys.argv[3:]))
