"""Processes of this machine: each labels one recording at a time, and may die or take too long without harm.

Every worker is a process of its own at one end of a pipe; this side hands out recordings, waits for whichever answers
first, and replaces a worker that was killed or went over the time limit.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

from emoje_edge.allocator import share_one_heap
from emoje_edge.corpus.labeller import Labeller, Outcome
from emoje_edge.corpus.ledger import Ledger, Part
from emoje_edge.corpus.recordings import Recording
from emoje_edge.corpus.settings import Settings

TRIES = 2  # of a recording whose worker died; a broken file is not tried again
GRACE = 10.0  # s that recordings under way get after Ctrl-C
_SPAWN = multiprocessing.get_context("spawn")


def _serve(connection: Connection, settings: Settings, ledger: Ledger) -> None:
    """The worker's life: recordings in, outcomes out, until the other end closes."""
    share_one_heap()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides what ends
    labeller = Labeller(settings, ledger)
    with suppress(EOFError, ConnectionError):  # the other end is gone: what was begun is in the ledger
        while True:
            recording, tries = connection.recv()
            connection.send(labeller.label(recording, tries))


class Worker:
    """One process.  A context manager: leaving it ends the process at once."""

    def __init__(self, settings: Settings, ledger: Ledger, limit: float | None) -> None:
        self._settings, self._ledger, self._limit = settings, ledger, limit
        self._process: Any = None
        self.connection: Connection | None = None
        self.recording: Recording | None = None
        self._tries = 0
        self.deadline = float("inf")

    def give(self, recording: Recording, tries: int = 1) -> None:
        """Begin a recording; starts the process where there is none."""
        if self._process is None or not self._process.is_alive():
            self.stop()
            self._start()
        assert self.connection is not None
        self.recording, self._tries = recording, tries
        self.deadline = time.monotonic() + self._limit if self._limit else float("inf")
        with suppress(BrokenPipeError):  # it died this moment: `take` finds out, as for any other death
            self.connection.send((recording, tries))

    def take(self) -> Outcome | None:
        """The outcome of the recording under way, once the connection is ready or the deadline has passed.

        None: its worker died, and the recording has been begun again.
        """
        assert self.recording is not None
        assert self.connection is not None
        recording = self.recording
        if not self.connection.poll() and time.monotonic() >= self.deadline:
            self.stop()
            return self._failed(recording, "time", f"not done after {self._limit:g} s")
        try:
            outcome: Outcome = self.connection.recv()
        except (EOFError, ConnectionResetError):  # the latter where it died with the recording unread
            code = self._end()
            if self._tries < TRIES:
                self.give(recording, self._tries + 1)
                return None
            return self._failed(recording, "killed", f"its worker died with code {code}, {self._tries} times")
        if outcome.kind == "memory" and self._tries < TRIES:
            self.stop()  # a fresh process, before it is tried again
            self.give(recording, self._tries + 1)
            return None
        self.recording = None
        return outcome

    def label(self, recording: Recording) -> Outcome:
        """One recording from beginning to end."""
        self.give(recording)
        while True:
            assert self.connection is not None
            wait([self.connection], timeout=max(0.0, self.deadline - time.monotonic()) if self._limit else None)
            if (outcome := self.take()) is not None:
                return outcome

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def _failed(self, recording: Recording, kind: str, message: str) -> Outcome:
        self.recording = None
        failure = {"kind": kind, "message": message, "tries": self._tries}
        self._ledger.write(recording, Part(recording.name, 0.0, (), failure))
        return Outcome(recording.name, kind=kind, message=message)

    def _start(self) -> None:
        ours, theirs = _SPAWN.Pipe()
        # one thread a worker: the libraries read this when the process starts
        before = os.environ.get("OMP_NUM_THREADS")
        os.environ["OMP_NUM_THREADS"] = "1"
        try:
            self._process = _SPAWN.Process(target=_serve, args=(theirs, self._settings, self._ledger), daemon=True)
            self._process.start()
        finally:
            if before is None:
                del os.environ["OMP_NUM_THREADS"]
            else:
                os.environ["OMP_NUM_THREADS"] = before
        theirs.close()
        self.connection = ours

    def _end(self) -> int | None:
        self._process.join()
        code = self._process.exitcode
        if self.connection is not None:
            self.connection.close()
        self._process = self.connection = None
        return code

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def label_locally(
    recordings: Sequence[Recording],
    settings: Settings,
    ledger: Ledger,
    *,
    workers: int,
    limit: float | None = None,
) -> Iterator[Outcome]:
    """Outcomes in the order in which they come.

    When the caller leaves early (Ctrl-C), recordings under way get ten seconds to end; a second Ctrl-C ends them.

    Args:
        workers: processes.
        limit: s that one recording may take.
    """
    waiting = deque(recordings)
    pool = [Worker(settings, ledger, limit) for _ in range(min(workers, len(waiting)))]
    try:
        while waiting or any(worker.recording for worker in pool):
            for worker in pool:
                if worker.recording is None and waiting:
                    worker.give(waiting.popleft())
            yield from _answers(pool)
    except (KeyboardInterrupt, GeneratorExit):
        _wind_down(pool)
        raise
    finally:
        for worker in pool:
            worker.stop()


def _answers(pool: Sequence[Worker], until: float = float("inf")) -> Iterator[Outcome]:
    """Wait for the first workers that answer or are over their time."""
    busy = {worker.connection: worker for worker in pool if worker.recording}
    first = min([until, *(worker.deadline for worker in busy.values())])
    ready = wait(list(busy), None if first == float("inf") else max(0.0, first - time.monotonic()))  # type: ignore[arg-type]
    now = time.monotonic()
    for connection, worker in busy.items():
        if connection in ready or now >= worker.deadline:
            outcome = worker.take()
            if outcome is not None:
                yield outcome


def _wind_down(pool: Sequence[Worker]) -> None:
    """Let recordings under way come to their end, for a while."""
    until = time.monotonic() + GRACE
    while any(worker.recording for worker in pool) and time.monotonic() < until:
        for _ in _answers(pool, until):
            pass
