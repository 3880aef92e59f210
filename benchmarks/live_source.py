"""What the live measurements share: an RTSP server of a looped file, and the program that watches it."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """`rtsp-server` (aio-rtsp-toolkit) with one file.

    Args:
        folder: takes a copy of the file, as `talk.mp4`.
        times: how often it is played; 0: for ever.
    """

    def __init__(self, folder: Path, video: Path, *, times: int = 0) -> None:
        shutil.copy(video, folder / "talk.mp4")
        self._folder, self._port, self._control = folder, free_port(), free_port()
        self.address = f"rtsp://user:secret@127.0.0.1:{self._port}/talk.mp4?play_count={times}"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        ports = ["-p", str(self._port), "-cp", str(self._control)]
        self._running = subprocess.Popen(
            ["rtsp-server", "-d", str(self._folder), "-H", "127.0.0.1", *ports],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.05)

    def send(self, what: signal.Signals) -> None:
        assert self._running
        self._running.send_signal(what)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        assert self._running
        self._running.wait()


class Watcher:
    """`emoje-edge infer` of an address: its rows and notes, each with the time (s since 1970) of its arrival.

    Args:
        before: Python that is run in the same process first.
    """

    def __init__(self, *arguments: str, before: str = "") -> None:
        code = f"{before}\nimport sys\nfrom emoje_edge.cli import main\nsys.argv[:1] = ['emoje-edge', 'infer']\nmain()"
        self.began = time.time()
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.rows: list[tuple[float, dict[str, Any]]] = []
        self.notes: list[tuple[float, str]] = []
        self._threads = [threading.Thread(target=self._read_rows), threading.Thread(target=self._read_notes)]
        for thread in self._threads:
            thread.start()

    def _read_rows(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.rows.append((time.time(), json.loads(line)))

    def _read_notes(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.notes.append((time.time(), line.rstrip()))

    @property
    def utterances(self) -> list[tuple[float, dict[str, Any]]]:
        return [(at, row) for at, row in self.rows if "gap" not in row]

    @property
    def gaps(self) -> list[dict[str, Any]]:
        return [row["gap"] for _, row in self.rows if "gap" in row]

    def wait_for_rows(self, number: int) -> None:
        while len(self.utterances) < number and self.process.poll() is None:
            time.sleep(0.1)

    def wait_for_gaps(self, number: int) -> None:
        while len(self.gaps) < number and self.process.poll() is None:
            time.sleep(0.1)

    def held(self) -> dict[str, float]:
        """Memory (MB), threads and handles of the process now."""
        process = psutil.Process(self.process.pid)
        with process.oneshot():
            return {
                "MB": round(process.memory_info().rss / 1e6, 1),
                "threads": process.num_threads(),
                "handles": process.num_fds(),
            }

    def stop(self) -> tuple[int, float]:
        """End it as a service manager does: its exit code, and the seconds that it took."""
        begin = time.time()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait()
        took = time.time() - begin
        for thread in self._threads:
            thread.join()
        return code, round(took, 2)


def seconds_late(at: float, row: dict[str, Any]) -> float:
    """s from the end of a row's utterance, by the wall clock, to its arrival."""
    start = datetime.fromisoformat(row["time"].replace("Z", "+00:00")).timestamp()
    return at - (start + row["end"] - row["start"])
