"""Live sources, measured: python benchmarks/live.py VIDEO rate slow kill stop kills same push soak

VIDEO: a clip of at least eight seconds with a voice and a body; it is looped over RTSP on this machine.  Each
measurement prints one JSON line; docs/performance.md has the figures.  `rate`, `slow` and `same` want idle cores.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import av
from live_source import Server, Watcher, seconds_late

from emoje_edge.dialogue import DialogueState
from emoje_edge.modality import Modality
from emoje_edge.perception.live.stream import LiveStream
from emoje_edge.perception.media import AudioBlock, VideoFrame, decode
from emoje_edge.recognizer import Recognizer

SLOT = 0.08  # s, of 12.5 poses a second
# every look for a body takes at least 60 ms
SLOW = """
import time
from emoje_edge.perception.bodies import estimator
quick = estimator.BlazePose.estimate
def slow(self, *given):
    begin = time.perf_counter()
    found = quick(self, *given)
    time.sleep(max(0.0, 0.06 - (time.perf_counter() - begin)))
    return found
estimator.BlazePose.estimate = slow
"""


@contextmanager
def served(video: Path, *, times: int = 0) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), video, times=times)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def rate(video: Path) -> dict[str, Any]:
    """L2: 60 s at the default rate; how late each row is, and how the program ends."""
    with served(video) as server:
        watcher = Watcher(server.address)
        watcher.wait_for_rows(1)
        time.sleep(60.0)
        code, took = watcher.stop()
    late = sorted(seconds_late(at, row) for at, row in watcher.utterances[:-1])
    last = watcher.utterances[-1][1]
    return {
        "rows": len(late),
        "latest_s": round(late[-1], 2),
        "median_s": round(late[len(late) // 2], 2),
        "dropped_pictures": last["dropped_pictures"],
        "code": code,
        "ended_in_s": took,
        "password_shown": "secret" in json.dumps(watcher.rows + watcher.notes),
    }


def slow(video: Path) -> dict[str, Any]:
    """L3: bodies at 60 ms a picture and 30 pictures a second; lag over a minute, and whether sound suffers."""
    with served(video) as server:
        watcher = Watcher(server.address, "--pose-fps", "30", before=SLOW)
        watcher.wait_for_rows(1)
        time.sleep(60.0)
        code, _ = watcher.stop()
    began = watcher.utterances[0][0]
    lags = [(at - began, seconds_late(at, row)) for at, row in watcher.utterances[:-1]]
    early = max(lag for at, lag in lags if at <= 10.0)
    rows = [row for _, row in watcher.utterances]
    return {
        "lag_to_10_s": round(early, 2),
        "lag_of_last_row_s": round(lags[-1][1], 2),
        "dropped_pictures": rows[-1]["dropped_pictures"],
        "pose_fps": sorted({row["pose_fps"] for row in rows}),
        "notes": sum("does not keep up" in note for _, note in watcher.notes),
        "code": code,
    }


def heard(video: Path) -> dict[str, Any]:
    """L3: what the voice alone says of the file, and of the stream while pose is slow."""
    exec(SLOW, {})
    with Recognizer("audio", words="off") as ears:
        expected = [(e.start, e.end, e.emotion) for e in ears.stream(video)]
        with served(video, times=1) as server, Recognizer("audio,pose", words="off", pose_fps=30.0) as both:
            stream, memory, found = LiveStream([server.address], reconnect=0.0), DialogueState(), []
            try:
                for seen, _ in both.follow(stream):
                    given = {m: v for m, v in seen.features.items() if m is Modality.AUDIO}
                    kept: Any = {"quality": seen.quality, "lacks": seen.lacks, "source": "", "speaker": None}
                    event = ears._decide(given, memory, span=(seen.start, seen.end), latency_ms={}, **kept)
                    found.append((event.start, event.end, event.emotion))
            except Exception as error:
                ended = str(error).splitlines()[0]
    return {"file": expected, "live": found, "ended": ended.rpartition(": ")[2]}


def _gap(video: Path, away: Callable[[Server], None], back: Callable[[Server], None], seconds: float) -> dict[str, Any]:
    with served(video) as server:
        watcher = Watcher(server.address)
        watcher.wait_for_rows(1)
        away(server)
        gone = time.time()
        time.sleep(seconds)
        back(server)
        before = len(watcher.utterances)
        watcher.wait_for_rows(before + 3)
        code, _ = watcher.stop()
    rows = [row for _, row in watcher.utterances]
    return {
        "noticed_after_s": [round(at - gone, 2) for at, note in watcher.notes if "is lost" in note],
        "gaps": watcher.gaps,
        "rows_before": before,
        "rows_after": len(rows) - before,
        "time_rises": all(a["start"] <= b["start"] for a, b in pairwise(rows)),
        "reconnects": rows[-1]["reconnects"],
        "code": code,
    }


def kill(video: Path) -> dict[str, Any]:
    """L4: the server is killed and comes back after 10 s."""
    return _gap(video, lambda server: server.kill(), lambda server: server.start(), 10.0)


def stop(video: Path) -> dict[str, Any]:
    """L5: the server stands still for 25 s, its connections open."""
    return _gap(video, lambda server: server.send(SIGSTOP), lambda server: server.send(SIGCONT), 25.0)


def kills(video: Path) -> dict[str, Any]:
    """L6: 20 kills in five minutes; what the program holds after the first and after the last."""
    held = []
    with served(video) as server:
        watcher = Watcher(server.address)
        for number in range(21):
            watcher.wait_for_rows(len(watcher.utterances) + 1)
            held.append(watcher.held())
            server.kill()
            time.sleep(2.0)
            server.start()
            watcher.wait_for_gaps(number + 1)
        watcher.wait_for_rows(len(watcher.utterances) + 1)
        held.append(watcher.held())
        code, _ = watcher.stop()
    return {
        "after_first": held[1],
        "after_last": held[-1],
        "gaps": len(watcher.gaps),
        "minutes": round((time.time() - watcher.began) / 60, 1),
        "code": code,
    }


def soak(video: Path, minutes: float = 30.0) -> dict[str, Any]:
    """L7: half an hour; what the program holds after the first minutes and at the end."""
    with served(video) as server:
        watcher = Watcher(server.address)
        watcher.wait_for_rows(1)
        held = []
        while time.time() - watcher.began < 60 * minutes:
            time.sleep(60.0)
            held.append(watcher.held())
        code, _ = watcher.stop()
    late = [seconds_late(at, row) for at, row in watcher.utterances[:-1]]
    after = min(2, len(held) - 1)
    return {
        "minutes": minutes,
        "rows": len(late),
        "after_3_minutes": held[after],
        "most_later": {key: max(one[key] for one in held[after:]) for key in held[0]},
        "end": held[-1],
        "gaps": len(watcher.gaps),
        "code": code,
    }


def same(video: Path) -> dict[str, Any]:
    """L11: rows of the file, played once over RTSP, against the file's rows."""
    with Recognizer("audio,pose") as recognizer:
        expected = [(e.start, e.end, e.emotion) for e in recognizer.stream(video)]
    with served(video, times=1) as server:
        watcher = Watcher(server.address, "--mask", "audio,pose", "--reconnect", "0")
        code = watcher.process.wait()
    found = [(row["start"], row["end"], row["emotion"]) for _, row in watcher.utterances]
    return {**_compared(expected, found), "code": code}


def push(video: Path, copies: int = 4) -> dict[str, Any]:
    """A file of at least 1,000 pictures: its rows, and those of its pictures and sound pushed."""
    with tempfile.TemporaryDirectory() as folder, Recognizer("audio,pose") as recognizer:
        path = Path(folder) / "long.mkv"
        _repeated(video, path, copies)
        expected = [(e.start, e.end, e.emotion) for e in recognizer.stream(path)]
        pictures = 0
        with recognizer.live(video=True, audio=True) as live:
            for item in decode(path):
                if isinstance(item, VideoFrame):
                    live.picture(item.pixels, item.time)
                    pictures += 1
                elif isinstance(item, AudioBlock):
                    live.sound(item.samples, item.time, 16_000)
        found = [(e.start, e.end, e.emotion) for e in live]
    return {"pictures": pictures, **_compared(expected, found)}


def _repeated(video: Path, path: Path, copies: int) -> None:
    """The same packets several times, one after the other."""
    with av.open(str(path), "w") as out:
        streams: dict[int, Any] = {}
        for copy in range(copies):
            with av.open(str(video)) as source:
                length = (source.duration or 0) / av.time_base
                for stream in source.streams:
                    streams.setdefault(stream.index, out.add_stream_from_template(stream)) if copy == 0 else None
                for packet in source.demux():
                    if packet.dts is None or packet.pts is None:
                        continue
                    shift = round(copy * length / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)


def _compared(expected: list[Any], found: list[Any]) -> dict[str, Any]:
    apart = [max(abs(a[0] - b[0]), abs(a[1] - b[1])) for a, b in zip(expected, found, strict=False)]
    return {
        "rows": [len(expected), len(found)],
        "furthest_apart_s": round(max(apart), 3) if apart else None,
        "within_a_slot": bool(apart) and max(apart) <= SLOT + 1e-6,
        "same_emotion": sum(a[2] == b[2] for a, b in zip(expected, found, strict=False)),
    }


MEASUREMENTS = {one.__name__: one for one in (rate, slow, heard, kill, stop, kills, soak, same, push)}

if __name__ == "__main__":
    for name in sys.argv[2:]:
        print(json.dumps({"measured": name, **MEASUREMENTS[name](Path(sys.argv[1]))}), flush=True)
