"""What perception costs: a picture's parts, each further person, streams side by side, the whole command.

    python benchmarks/perception.py [--video CLIP] [--only profile|people|streams|command]

Prints Markdown.  Processor time where other work on the machine would disturb; wall time where that is what counts
(streams, the command), so run those on idle cores.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.bench import machine_facts
from emoje_edge.perception.bodies import landmarks
from emoje_edge.perception.bodies.detector import find
from emoje_edge.perception.bodies.estimator import BlazePose
from emoje_edge.perception.bodies.networks import Networks, shared_networks
from emoje_edge.perception.bodies.scene import Scene
from emoje_edge.perception.media import VideoFrame, decode, probe
from emoje_edge.shapes import POSE_RATE

CLIP = Path(__file__).resolve().parents[2] / "shared" / "data" / "video" / "face_recognition_short_hamilton.mp4"
PARTS: dict[str, tuple[Any, str]] = {
    "is it a cut": (Scene, "is_cut"),
    "is it a still": (Scene, "is_still"),
    "detector": (Networks, "detect"),
    "crops": (landmarks, "crops"),
    "landmark network": (Networks, "landmarks"),
}


@contextmanager
def timed(times: dict[str, float]) -> Iterator[None]:
    """Adds the processor seconds of each part of the pose stage to `times`."""

    def watched(work: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            begin = time.thread_time()
            result = work(*args, **kwargs)
            times[name] = times.get(name, 0.0) + time.thread_time() - begin
            return result

        return run

    before = {name: getattr(place, attribute) for name, (place, attribute) in PARTS.items()}
    for name, (place, attribute) in PARTS.items():
        setattr(place, attribute, watched(before[name], name))
    try:
        yield
    finally:
        for name, (place, attribute) in PARTS.items():
            setattr(place, attribute, before[name])


def profile(video: Path) -> None:
    """One person: where a picture's processor time goes."""
    begin = time.process_time()
    frames = [f for f in decode(video, audio=False, fps=POSE_RATE) if isinstance(f, VideoFrame)]
    decoding = 1e3 * (time.process_time() - begin) / len(frames)
    times: dict[str, float] = {}
    with timed(times), BlazePose() as estimator:
        begin = time.thread_time()
        for frame in frames:
            estimator.estimate(frame.pixels, frame.time)
        whole = time.thread_time() - begin
    rows = {"decoding and scaling (its own thread)": decoding}
    rows |= {name: 1e3 * seconds / len(frames) for name, seconds in times.items()}
    rows["the rest of the pose stage"] = 1e3 * (whole - sum(times.values())) / len(frames)
    rows["**pose stage, all**"] = 1e3 * whole / len(frames)
    print("| of a picture, one person | processor ms |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value:.2f} |")


def people(video: Path) -> None:
    """What the landmarks of one, two and four people cost, the crops in one call."""
    frame = next(f for f in decode(video, audio=False) if isinstance(f, VideoFrame))
    (body, *_) = find(shared_networks(), frame.pixels)
    print("\n| people in a picture | processor ms | each further one, of the first |\n|---|---|---|")
    first = 0.0
    for count in (1, 2, 4):
        regions = [body.region] * count
        costs = []
        for _ in range(20):
            begin = time.thread_time()
            landmarks.look(shared_networks(), frame.pixels, regions)
            costs.append(1e3 * (time.thread_time() - begin))
        cost = float(np.median(costs))
        first = first or cost
        further = f"{(cost - first) / (count - 1) / first:.2f}" if count > 1 else ""
        print(f"| {count} | {cost:.1f} | {further} |")


def streams(video: Path) -> None:
    """Recognisers of pose and sound side by side in one process, a thread each."""
    from emoje_edge.recognizer import Recognizer

    seconds = probe(video).duration or 0.0
    head = (
        "streams, pose and sound | wall s | together, times real time | processor s a second of each | most memory, MB"
    )
    print(f"\n| {head} |\n|---|---|---|---|---|")

    def work() -> None:
        with Recognizer("audio,pose", threads=1, pose_fps=10) as recogniser:
            for _ in recogniser.stream(video):
                pass

    work()
    for count in (1, 2, 4, 6, 8):
        threads = [threading.Thread(target=work) for _ in range(count)]
        begin, used = time.perf_counter(), time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall = time.perf_counter() - begin
        used = (time.process_time() - used) / (count * seconds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {count} | {wall:.2f} | {count * seconds / wall:.1f} | {used:.2f} | {peak:.0f} |", flush=True)


def command(video: Path) -> None:
    """The whole command in a process of its own, start-up included: three runs each."""
    print("\n| `emoje-edge infer` with | wall s | processor s | most memory, MB |\n|---|---|---|---|")
    for options in ("--pose-fps 10 --words off", "--pose-fps 10", "--words off", ""):
        rows = [_run(["infer", str(video), "-q", "--out", os.devnull, *options.split()]) for _ in range(3)]
        walls = ", ".join(f"{row[0]:.2f}" for row in rows)
        print(
            f"| {options or 'nothing else'} | {walls} | {min(r[1] for r in rows):.2f} | {max(r[2] for r in rows):.0f} |"
        )


def _run(arguments: list[str]) -> tuple[float, float, float]:
    """Wall and processor seconds, and the most memory (MB), of one command."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "emoje_edge", *arguments])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"emoje-edge {' '.join(arguments)} ended with {process.returncode}")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


WORKS = {"profile": profile, "people": people, "streams": streams, "command": command}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, default=CLIP, help="default: the 640×360 clip of the shared data")
    parser.add_argument("--only", choices=WORKS, action="append", help="one part of it; may be repeated")
    options = parser.parse_args()
    if not options.video.is_file():
        parser.error(f"--video: {options.video} is not there; give a video of some seconds with somebody in it")
    print(machine_facts.describe(), file=sys.stderr)
    for name in options.only or WORKS:
        WORKS[name](options.video)


if __name__ == "__main__":
    main()
